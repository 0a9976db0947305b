"""Filters on planes: Gaussian and bilateral smoothing, base and detail layers, resampling."""
