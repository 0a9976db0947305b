"""Transfer curves, luminance and channels; what numbers mean as light and colour."""
