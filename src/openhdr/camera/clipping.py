"""At which code value the photos of a bracket clip: not always the highest.

Scans and some cameras top out below the highest code (251 of 255, say). All clipped pixels then pile up at one
code, with only a trickle of compression noise above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from openhdr.color.channels import brightest_channel
from openhdr.core.image import Image

LOWEST_SHARE = 0.9  # of full scale: below, a pile is a bright wall, not clipping
LEAST_PIXELS = 0.002  # share of a frame that has to pile up
PEAKEDNESS = 4.0  # how much the pile must exceed the mean of the eight codes below it


def clip_code(images: Sequence[Image]) -> float:
    """The code value (0..full scale) at which these photos clip; infinite for linear images that go beyond 1."""
    full_scale = images[0].full_scale
    if images[0].pixels.dtype == np.float32:
        beyond = images[0].encoding == "linear" and max(float(image.pixels.max()) for image in images) > 1
        return np.inf if beyond else full_scale
    fullest = max((_top_histogram(image) for image in images), key=lambda top: top.max())
    pile = int(fullest.argmax())
    below = fullest[max(pile - 8, 0) : pile]
    piled = fullest[pile] > LEAST_PIXELS and fullest[pile] > PEAKEDNESS * (below.mean() if len(below) else 0)
    above = fullest[pile + 1 :].sum()
    if not piled or above > 0.1 * fullest[pile]:
        return full_scale
    return _code_of_bin(pile, full_scale)


def _top_histogram(image: Image) -> np.ndarray:
    """Share of pixels whose brightest channel has each of the topmost 8-bit codes, on a million pixels."""
    step = max(int((image.height * image.width / 1e6) ** 0.5), 1)
    codes = brightest_channel(image.pixels[::step, ::step])
    if codes.dtype != np.uint8:
        codes = (codes.astype(np.uint32) * 255 // int(image.full_scale)).astype(np.uint8)
    histogram = cv2.calcHist([codes], [0], None, [256], [0, 256]).ravel()
    return histogram[int(LOWEST_SHARE * 255) :].astype(np.float64) / codes.size


def _code_of_bin(pile: int, full_scale: float) -> float:
    return (int(LOWEST_SHARE * 255) + pile) / 255 * full_scale
