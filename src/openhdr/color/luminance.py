"""Luminance of Rec.709 RGB."""

from __future__ import annotations

import numpy as np

# Rec. ITU-R BT.709-6, item 3.2 (the signal form of the derived luminance coefficients)
REC709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def luminance(linear: np.ndarray) -> np.ndarray:
    """Relative luminance Y of linear Rec.709 RGB: (..., 3) float -> (...) float of the same dtype."""
    return np.asarray(linear) @ REC709_LUMINANCE.astype(np.asarray(linear).dtype)
