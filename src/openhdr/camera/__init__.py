"""What a camera does to light: exposure, response, clipping, noise."""
