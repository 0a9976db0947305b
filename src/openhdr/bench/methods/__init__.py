"""What is compared: methods with their options, and how each is run on a bracket; OpenCV and programs outside, too."""
