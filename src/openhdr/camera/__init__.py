"""What a camera does, forwards and backwards: exposure, response, noise, simulation."""
