"""The spatial steerable pyramid with four orientations (Simoncelli and Freeman 1995), built and put together.

Filters are correlated with the image mirrored about its border pixels; each level halves the size by
keeping the even rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.metrics.hdrvdp.constants import constants

_SMALLEST = 17  # pixels: a level needs an image at least as large as the largest filter


@dataclass(frozen=True)
class Pyramid:
    """bands[b]: (orientations, h, w) float64; one orientation in the first and the last band, else four."""

    bands: tuple[np.ndarray, ...]

    def frequency(self, band: int, ppd: float) -> float:
        """Centre frequency of a band in cycles per degree."""
        return 2.0**-band * ppd / 2


def build(plane: np.ndarray) -> Pyramid:
    """(H, W) float64 -> bands from the highest frequency to the lowest."""
    c = constants()
    bands = [_correlate(plane, c.high0)[None]]
    low = _correlate(plane, c.low0)
    for _ in range(levels(*plane.shape)):
        band = np.empty((len(c.oriented), *low.shape))
        for plane, kernel in zip(band, c.oriented, strict=True):
            _correlate(low, kernel, plane)
        bands.append(band)
        low = np.ascontiguousarray(_correlate(low, c.low)[::2, ::2])
    return Pyramid((*bands, low[None]))


def levels(height: int, width: int) -> int:
    """How many times the image can be halved."""
    count, size = 0, min(height, width)
    while size >= _SMALLEST:
        count, size = count + 1, size // 2
    return count


def put_together(pyramid: Pyramid) -> np.ndarray:
    """The image of a pyramid: (H, W) float64. `put_together(build(x))` is x within about 1 %."""
    c = constants()
    high, *oriented, low = pyramid.bands
    picture = low[0]
    for band in reversed(oriented):
        wide = np.zeros(band.shape[1:])
        wide[::2, ::2] = picture
        picture = _convolve(wide, c.low)
        for plane, kernel in zip(band, c.oriented, strict=True):
            picture += _convolve(plane, kernel)
    return _convolve(picture, c.low0) + _convolve(high[0], c.high0)


def _correlate(plane: np.ndarray, kernel: np.ndarray, into: np.ndarray | None = None) -> np.ndarray:
    return cv2.filter2D(plane, cv2.CV_64F, kernel, into, borderType=cv2.BORDER_REFLECT_101)


def _convolve(plane: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return _correlate(plane, np.ascontiguousarray(kernel[::-1, ::-1]))
