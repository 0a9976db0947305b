"""Pages and figures that show results; `assets` is what pages are made of."""
