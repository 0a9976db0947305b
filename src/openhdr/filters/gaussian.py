"""Gaussian blurs whose width is a share of the picture."""

from __future__ import annotations

import cv2
import numpy as np

FINE = 3.0  # sigma in pixels that a blur needs at least; wider ones are computed on a reduced copy


def blur(plane: np.ndarray, share: float) -> np.ndarray:
    """(h, w) or (h, w, C) float32 blurred by a Gaussian of sigma = `share` of the diagonal."""
    height, width = plane.shape[:2]
    sigma = share * float(np.hypot(height, width))
    step = max(1, int(sigma / FINE))
    if step > 1:
        size = (max(1, round(width / step)), max(1, round(height / step)))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    plane = cv2.GaussianBlur(plane, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) if step > 1 else plane
