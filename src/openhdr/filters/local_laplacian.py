"""Local Laplacian filter: a tone curve between regions, another contrast within them, and no halos.

Paris, Hasinoff, Kautz, "Local Laplacian Filters: Edge-aware Image Processing with a Laplacian Pyramid", SIGGRAPH
2011, by the fast algorithm of Aubry, Paris, Hasinoff, Kautz, Durand, "Fast Local Laplacian Filters: Theory and
Applications", TOG 2014: the picture is remapped about a few reference values g, each remapped picture has its
Laplacian pyramid, and a coefficient of the result is interpolated between those of the references next to the
Gaussian pyramid's value at that place.

    r(i) = (1 - w) (curve(i) - curve(g)) + w slope (i - g),    w = 1 / (1 + ((i - g) / edge)^2)

The papers have the curve beta i, and its rise after a first stretch of detail, edge high. That stretch stands beside
every edge as a faint halo where beta is small; here it fades with the height of the edge. The coarsest level is that
of the curve's picture: the curve of a cell that straddles an edge is not the mean of what the curve makes of both
sides, and would stand beside the edge as a wide glow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import cv2
import numpy as np

Curve = Callable[[np.ndarray], np.ndarray]
"""Any shape, float -> the same shape; never falling."""

COARSEST = 4  # px, the smaller side of the coarsest level


def local_laplacian(values: np.ndarray, curve: Curve, slope: float, edge: float) -> np.ndarray:
    """Filter a picture.

    values: (H, W) float32, finite. curve: tones of what differs by more than `edge`. slope: factor on differences up
    to `edge`, in the unit of values. Returns (H, W) float32 in the unit of the curve.
    """
    height, width = values.shape
    levels = max(math.floor(math.log2(min(height, width) / COARSEST)), 0)
    gaussian = _gaussian(values, levels)
    low, high = float(values.min()), float(values.max())
    count = max(math.ceil(2 * (high - low) / edge), 1) + 1
    spacing = max((high - low) / (count - 1), 1e-6)
    toned = curve(values).astype(np.float32)
    details = [np.zeros_like(level) for level in gaussian[:-1]]
    for reference in np.linspace(low, high, count, dtype=np.float32):
        difference = values - reference
        remapped = toned - curve(reference)
        share = 1 / (1 + np.square(difference * np.float32(1 / edge)))
        remapped += share * (np.float32(slope) * difference - remapped)
        pyramid = itertools.pairwise(_gaussian(remapped, levels))
        for detail, level, (fine, coarse) in zip(details, gaussian[:-1], pyramid, strict=True):
            near = np.maximum(1 - np.abs(level - reference) / np.float32(spacing), 0)
            detail += near * (fine - cv2.pyrUp(coarse, dstsize=fine.shape[::-1]))
    result = _gaussian(toned, levels)[-1]
    for detail in reversed(details):
        result = cv2.pyrUp(result, dstsize=detail.shape[::-1]) + detail
    return result


def _gaussian(values: np.ndarray, levels: int) -> list[np.ndarray]:
    pyramid = [values]
    for _ in range(levels):
        pyramid.append(cv2.pyrDown(pyramid[-1]))
    return pyramid
