"""Maximum-likelihood merging under photon and read noise (the default).

Each frame estimates the radiance X as light / 2^ev with variance (a X 2^ev + b + q) / 4^ev, where a is the photon
noise per unit of light, b the read noise and q the rounding to codes (Granados et al. 2010, eq. 9; Hanji, Zhong &
Mantiuk 2020, section 3). Weights are the inverse variances. X inside the weight is taken from one frame a pixel
(the longest that does not clip), the same for all: a weight computed from each sample's own noisy value would
favour the samples that happen to be low.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.noise import NoiseModel
from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.merging.samples import Samples

TINY = np.float32(1e-12)  # weight of nothing

# A resampled frame has lost some of its finest detail and may lie a little off: so many pixels of its slope.
RESAMPLING_PX = np.float32(0.1)

# Their ratio matters, and their size beside slopes. 5000 electrons at clipping, 2.2 of read noise (or 8-bit rounding).
TYPICAL = NoiseModel(shot=2e-4, read=4.5e-4)


def combine(samples: Samples, noise: NoiseModel = TYPICAL) -> tuple[np.ndarray, np.ndarray]:
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen."""
    guide, spread = guide_and_spread(samples)
    total = np.zeros_like(samples.light[0])
    weights = np.full(guide.shape, TINY, np.float32)
    for index, (light, headroom, trust) in enumerate(
        zip(samples.light, samples.headroom, samples.trust, strict=True)
    ):
        weight = variance(guide, spread, samples, index, noise)
        np.divide(headroom, weight, out=weight)
        weight *= trust
        weights += weight
        weight *= np.float32(2.0 ** -samples.ev[index])
        cv2.accumulateProduct(light, cv2.merge((weight, weight, weight)), total)
    scale = 1 / weights
    return cv2.multiply(total, cv2.merge((scale, scale, scale))), weights - TINY


def guide_and_spread(samples: Samples) -> tuple[np.ndarray, np.ndarray | None]:
    """(h, w) light inside the variance, and the variance (h, w) that resampling adds; None where nothing moved."""
    guide = _guide(samples)
    return guide, np.square(RESAMPLING_PX * _steepness(guide)) if any(samples.moved) else None


def variance(
    guide: np.ndarray, spread: np.ndarray | None, samples: Samples, index: int, noise: NoiseModel = TYPICAL
) -> np.ndarray:
    """(h, w) float32 variance of a frame's light on the reference's scale."""
    gain = np.float32(2.0 ** samples.ev[index])
    result = guide * np.float32(noise.shot / gain)
    result += np.float32((noise.read / gain) ** 2)
    if samples.moved[index]:
        result += spread
    return result


def _guide(samples: Samples) -> np.ndarray:
    """(h, W) float32 luminance on the reference's scale from the longest frame with headroom and trust."""
    order = np.argsort(samples.ev)
    guide = _luminance(samples, order[0])
    for index in order[1:]:
        seen = _luminance(samples, index)
        seen -= guide
        seen *= samples.usable[index]
        guide += seen
    return guide


def _steepness(guide: np.ndarray) -> np.ndarray:
    """(h, W): largest difference between neighbours within a pixel."""
    square = np.ones((3, 3), np.uint8)
    return cv2.dilate(guide, square) - cv2.erode(guide, square)


def _luminance(samples: Samples, index: int) -> np.ndarray:
    # OpenCV's matrix product: NumPy's is many times slower with three columns
    return cv2.transform(samples.light[index], REC709_LUMINANCE[None] * np.float32(2.0 ** -samples.ev[index]))
