"""What one-photo networks are trained against: discriminators, one file a paper. Using a network needs none."""
