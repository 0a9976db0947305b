"""What the operators need to know of a scene before they choose a curve: its key and its range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.color.luminance import luminance

SAMPLE_PIXELS = 500_000  # percentiles of that many pixels are good to 0.1 %
LOW_PERCENTILE = 1.0
HIGH_PERCENTILE = 99.0
MIDDLE_GREY = 0.18  # reflectance that a picture's log-average luminance is mapped to (Reinhard 2002, eq. 2)
FLOAT32_MAX = float(np.finfo(np.float32).max)
SCALED_LIMIT = 1e12  # largest scaled luminance; its square still fits float32


@dataclass(frozen=True)
class Statistics:
    """Luminances of a scene, all in its own unit, > 0.

    log_average: geometric mean, computed after everything outside low..high is set to low or high, so that
        neither the sun nor a dead black corner moves it. low, high: 1st and 99th percentile. peak: the
        largest.
    """

    log_average: float = 1.0
    low: float = 1.0
    high: float = 1.0
    peak: float = 1.0

    @property
    def stops(self) -> float:
        """log2(high / low)."""
        return math.log2(self.high / self.low)

    def scale(self, key: float = MIDDLE_GREY) -> float:
        """The factor that brings the log-average to `key`; smaller where the peak would not fit float32."""
        return min(key / self.log_average, SCALED_LIMIT / self.peak, FLOAT32_MAX)


def sample(linear: np.ndarray) -> np.ndarray:
    """Luminances of at most SAMPLE_PIXELS pixels on a regular grid: (N,) float64, zeros left out."""
    step = math.ceil(math.sqrt(linear.shape[0] * linear.shape[1] / SAMPLE_PIXELS))
    values = luminance(linear[::step, ::step].astype(np.float64)).ravel()
    return values[values > 0]


def measure(linear: np.ndarray) -> Statistics:
    """Statistics of a picture: (H, W, 3) float32, linear, >= 0. A black picture gives ones.

    Black pixels are left out: they have no logarithm, and any floor would break scale invariance.
    """
    values = sample(linear)
    if values.size == 0:
        return Statistics()
    low, high = np.percentile(values, [LOW_PERCENTILE, HIGH_PERCENTILE])
    average = math.exp(np.log(np.clip(values, low, high)).mean())
    return Statistics(average, float(low), float(high), max(float(linear.max()), float(values.max())))
