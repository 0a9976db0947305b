"""Structural similarity (Wang et al. 2004, equation 13), and the metrics that take it of encoded images.

Gaussian window of sigma 1.5 over 11x11 pixels, population covariance, K1 = 0.01, K2 = 0.03; only windows that
lie inside the image count. Unit: none, at most 1, higher is better.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from openhdr.color.transfer import mu_law
from openhdr.core.errors import RequestError
from openhdr.core.threads import in_threads
from openhdr.metrics.pair import Pair
from openhdr.metrics.pu21 import PEAK, luminance, pu21

SIGMA, RADIUS = 1.5, 5
K1, K2 = 0.01, 0.03
_STRIP = 48  # rows at a time: the window sums of a strip stay in the processor's cache
_OFFSETS = np.arange(-RADIUS, RADIUS + 1)
_WINDOW = np.exp(-0.5 * (_OFFSETS / SIGMA) ** 2) / np.exp(-0.5 * (_OFFSETS / SIGMA) ** 2).sum()


def ssim(
    test: np.ndarray,
    ref: np.ndarray,
    data_range: float,
    encode: Callable[[np.ndarray], np.ndarray] | None = None,
) -> float:
    """Mean SSIM over windows and channels: (H, W) or (H, W, C) float -> at most 1, 1 for equal images.

    encode: applied first to float64 rows of both, (n, W, ...) -> (n, W) or (n, W, C). Raises RequestError
    below 11 pixels.
    """
    height, width = test.shape[:2]
    if min(height, width) <= 2 * RADIUS:
        raise RequestError(f"the image is {width}x{height}; SSIM needs at least 11 pixels each way")

    def strip(first: int) -> tuple[float, int]:
        rows = slice(first, min(first + _STRIP + 2 * RADIUS, height))
        ours, theirs = (x[rows].astype(np.float64) for x in (test, ref))
        if encode:
            with np.errstate(
                invalid="ignore"
            ):  # a value without an encoding gives NaN, which is then refused
                ours, theirs = encode(ours), encode(theirs)
        windows = _similarity(ours, theirs, data_range)
        return float(windows.sum()), windows.size

    strips = in_threads(strip, range(0, height - 2 * RADIUS, _STRIP))
    return sum(total for total, _ in strips) / sum(count for _, count in strips)


def ssim_mu(pair: Pair) -> float:
    """SSIM after the mu-law, range 1: mean over windows and channels.

        T(x) = log(1 + 5000 x) / log(5001)

    Of linear light as given, no clipping, no normalisation.
    """
    return ssim(pair.test, pair.ref, 1.0, mu_law)


def pu21_ssim(pair: Pair) -> float:
    """SSIM of perceptually uniform Rec.709 luminance in cd/m2, range 256 (Mantiuk and Azimi 2021).

    Of absolute display light, so a protocol has to be declared. Encoding: `openhdr.metrics.pu21`.
    """
    return ssim(*pair.luminance, PEAK, lambda rgb: pu21(luminance(rgb)))


def tm_ssim(pair: Pair) -> float:
    """SSIM of display values 0..1 after Liang's tone mapper (Liang et al. 2018), mean over windows and channels.

    The tone mapper adapts to each image.
    """
    return ssim(*pair.tone_mapped, 1.0)


def _similarity(x: np.ndarray, y: np.ndarray, data_range: float) -> np.ndarray:
    """SSIM of every window that lies inside: (h, w, ...) -> (h - 10, w - 10, ...)."""
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    cross, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance = _window_mean(x * y) - cross
    variances = _window_mean(x * x + y * y) - squares  # their sum is all that is needed
    return (2 * cross + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))


def _window_mean(x: np.ndarray) -> np.ndarray:
    blurred = cv2.sepFilter2D(x, cv2.CV_64F, _WINDOW, _WINDOW)
    return blurred[RADIUS:-RADIUS, RADIUS:-RADIUS]
