"""Numbers that describe an image's light."""

from __future__ import annotations

import math

import cv2
import numpy as np

from openhdr.color.channels import brightest_channel
from openhdr.core.threads import in_threads

AREA_PX = 9  # side of the areas whose mean is "dark": in them noise averages out to its own level
BAND_STEPS = 16  # samples one below another that are taken at a time
SAMPLES = 500_000  # percentiles of that many areas are good to 0.1 %
LOW, HIGH = 0.1, 99.9  # percentiles
SMALLEST = float(np.finfo(np.float32).tiny)  # a mean of smaller values may be rounded to 0


def stops(linear: np.ndarray) -> float:
    """Dynamic range in stops, from the darkest areas to the brightest pixels; 0 if flat.

    The bright end is the 99.9th percentile of the pixels, each as its brightest channel. The dark end is the 0.1st
    percentile of the means of such pixels over 9x9 px: single pixels of a noisy black come out near 0 by chance and
    would count as range without end, their mean is the level of the noise, below which nothing is measured.

    linear: (H, W, 3) float32 >= 0. Pixels of exactly 0 are no measurement and do not count.
    """
    linear = np.asarray(linear, np.float32)
    step = math.ceil(math.sqrt(linear[..., 0].size / SAMPLES))
    margin = AREA_PX // 2

    def levels(top: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a band of rows: means of the areas around the samples, and the samples, those above 0."""
        first, last = max(top - margin, 0), min(top + step * BAND_STEPS, len(linear))
        peak = brightest_channel(linear[first : last + margin])
        total, count = (cv2.blur(one.astype(np.float32), (AREA_PX, AREA_PX)) for one in (peak, peak > 0))
        pick = (slice(top - first, last - first, step), slice(None, None, step))
        total, count, peak = total[pick], count[pick], peak[pick]
        measured = count > 0.5 / AREA_PX**2
        return total[measured] / count[measured], peak[peak > 0]

    bands = range(0, len(linear), step * BAND_STEPS)
    areas, pixels = zip(*in_threads(levels, bands), strict=True)
    dark, bright = np.concatenate(areas), np.concatenate(pixels)
    if not len(bright):  # what is lit lies between the samples
        bright = brightest_channel(linear)
        bright = bright[bright > 0]
    if not len(dark) or not len(bright):
        return 0.0
    low, high = np.percentile(dark, LOW), np.percentile(bright, HIGH)
    low, high = (max(float(one), SMALLEST) for one in (low, high))
    return max(math.log2(high) - math.log2(low), 0.0)
