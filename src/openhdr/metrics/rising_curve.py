"""The best rising curve between light and what is to be explained by it: codes of a photo, true light."""

from __future__ import annotations

import numpy as np

from openhdr.camera.calibration import non_decreasing

BINS = 512  # of equal counts of pixels, over whose means a curve is fitted


def rising_curve(light: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The knots (light, values), each (K,) float64, of the best rising curve; linear between, level beyond.

    light, values: (P,). Isotonic regression over the means of bins of equal counts; K <= BINS.
    """
    order = np.argsort(light, kind="stable")
    starts = np.unique(np.linspace(0, len(order), BINS, endpoint=False).astype(int))
    counts = np.diff(starts, append=len(order))
    x = np.add.reduceat(light[order].astype(np.float64), starts) / counts
    y = np.add.reduceat(values[order].astype(np.float64), starts) / counts
    return x, non_decreasing(y, counts)
