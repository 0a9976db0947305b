"""Transfer curves and luminance; what numbers mean as light and colour."""
