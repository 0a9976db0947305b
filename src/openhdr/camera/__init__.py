"""Layer 2: what a camera does, forwards and backwards: exposure, response, noise, simulation."""
