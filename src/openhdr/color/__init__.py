"""Layer 1: transfer curves and luminance; what numbers mean as light and colour."""
