"""Numbers that describe a picture's light."""

from __future__ import annotations

import numpy as np


def stops(linear: np.ndarray) -> float:
    """Dynamic range in stops between the 0.1st and the 99.9th percentile of the brightest channel; 0 if flat.

    linear: (H, W, 3) float32 >= 0. Pixels of exactly 0 are no measurement and do not count.
    """
    peak = linear.max(axis=2)
    peak = peak[peak > 0]
    if peak.size == 0:
        return 0.0
    low, high = np.percentile(peak, [0.1, 99.9])
    return float(np.log2(high / low))
