"""Numbers that describe an image's light."""

from __future__ import annotations

import math

import cv2
import numpy as np

from openhdr.color.channels import brightest_channel

AREA_PX = 9  # side of the areas whose mean is "dark": in them noise averages out to its own level
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
    peak = brightest_channel(np.asarray(linear, np.float32))
    seen = peak > 0
    if not seen.any():
        return 0.0
    step = math.ceil(math.sqrt(peak.size / SAMPLES))
    pick = (slice(None, None, step), slice(None, None, step))
    total, count = (cv2.blur(one.astype(np.float32), (AREA_PX, AREA_PX))[pick] for one in (peak, seen))
    measured = count > 0.5 / AREA_PX**2
    bright = peak[pick] if (peak[pick] > 0).any() else peak
    low, high = np.percentile(total[measured] / count[measured], LOW), np.percentile(bright[bright > 0], HIGH)
    low, high = (max(float(one), SMALLEST) for one in (low, high))
    return max(math.log2(high) - math.log2(low), 0.0)
