"""Maximum-likelihood merging under the camera's noise.

Each frame estimates the radiance X as light / 2^ev with variance V(light) / 4^ev, where

    V(l) = shot l + read^2 + (codes dl/dcode)^2

is photon noise, read noise, and what happens to a photo's codes after the sensor (Granados et al. 2010, eq. 9;
Hanji, Zhong & Mantiuk 2020, section 3; the last term is ours: it takes weight from codes near black and from the
shoulder of a camera's curve, where a code means much light). Weights are the inverse of the relative variances
V / l^2, mean of the three channels. The light inside is the frame's own, smoothed: a weight computed from each
sample's own noisy value would favour the samples that happen to be high, and one computed from another frame's
light is wrong wherever the two are not exactly registered.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.merging.samples import Samples

TINY = np.float32(1e-12)  # weight of nothing
DARKEST = np.float32(1e-6)  # light below which relative errors mean nothing

# A resampled frame has lost some of its finest detail and may lie a little off: so many pixels of its slope.
RESAMPLING_PX = np.float32(0.1)

_MEAN = np.full((1, 3), 1 / 3, np.float32)


def combine(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen.

    The weight is the inverse of the variance of the mean light.
    """
    total = np.zeros_like(samples.light[0])
    weights = np.full(total.shape[:2], TINY, np.float32)
    for index, (light, usable) in enumerate(zip(samples.light, samples.usable, strict=True)):
        weight = usable / relative_variance(samples, index)
        weights += weight
        weight *= np.float32(2.0 ** -samples.ev[index])
        cv2.accumulateProduct(light, cv2.merge((weight, weight, weight)), total)
    scale = 1 / weights
    radiance = cv2.multiply(total, cv2.merge((scale, scale, scale)))
    return radiance, (weights - TINY) / np.square(level_of(radiance))


def relative_variance(samples: Samples, index: int) -> np.ndarray:
    """(h, w) float32 variance of a frame's light, relative to the square of the light; mean of the channels."""
    light = cv2.blur(samples.light[index], (3, 3))
    level = level_of(light)
    result = samples.sensor[index].variance(light)
    if samples.moved[index]:
        result += np.square(RESAMPLING_PX * _steepness(level))
    result /= level * level
    return result


def level_of(light: np.ndarray) -> np.ndarray:
    """(h, w) float32 mean of the channels of light (h, w, 3), at least DARKEST."""
    return np.maximum(cv2.transform(light, _MEAN), DARKEST)


def _steepness(level: np.ndarray) -> np.ndarray:
    """(h, W): largest difference between neighbours within a pixel."""
    square = np.ones((3, 3), np.uint8)
    return cv2.dilate(level, square) - cv2.erode(level, square)
