"""tmqi, tmqi-naturalness: quality of a tone-mapped picture, the test, beside the light it shows, the reference.

Yeganeh and Wang, "Objective Quality Assessment of Tone-Mapped Images", TIP 2013:

    tmqi = a S^alpha + (1 - a) N^beta                                    (eq. 11)

S, structural fidelity, 0..1: over five scales, the mean of

    (2 s1 s2 + C1) / (s1^2 + s2^2 + C1) * (sigma12 + C2) / (sigma1 sigma2 + C2)        (eq. 2)

with sigma local standard deviations of luminance and s how likely the eye sees them. N, naturalness, 0..1: how usual
mean and contrast of the picture are among photos. Luminance of light is stretched to 0..2^32 - 1, of the picture it
is that of its sRGB codes, 0..255. S below 0, where structures are reversed, counts as 0.

Domain: sRGB codes of clip(test, 0, 1) beside linear ref. No unit, higher is better, at most 1.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from openhdr.color.luminance import luminance
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.metrics.pair import Pair

FIDELITY_SHARE, FIDELITY_POWER, NATURALNESS_POWER = 0.8012, 0.3046, 0.7088  # a, alpha, beta
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
C1, C2 = 0.01, 10.0
WINDOW, WINDOW_SIGMA = 11, 1.5  # pixels
FINEST_FREQUENCY = 16.0  # cycles per degree of the finest scale
HIGHEST = 2.0**32 - 1
MEAN, MEAN_SPREAD = 115.94, 27.99  # of codes of photos
CONTRAST_UNIT, CONTRAST_SHAPE = (
    64.29,
    (4.4, 10.1),
)  # of the beta distribution of standard deviations in 11x11 px
SMALLEST_SIDE = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)  # px: one window fits the coarsest scale


def tmqi(pair: Pair) -> float:
    """0..1. Raises RequestError for pictures with a side under 176 px."""
    codes = _codes(pair)
    fidelity = structural_fidelity(luminance(pair.ref.astype(np.float64)), codes)
    return (
        FIDELITY_SHARE * fidelity**FIDELITY_POWER
        + (1 - FIDELITY_SHARE) * naturalness(codes) ** NATURALNESS_POWER
    )


def tmqi_naturalness(pair: Pair) -> float:
    """0..1, of the test alone."""
    return naturalness(_codes(pair))


def _codes(pair: Pair) -> np.ndarray:
    """(H, W) float64 0..255."""
    return luminance(srgb_encode(np.clip(pair.test.astype(np.float64), 0, 1))) * 255


def structural_fidelity(light: np.ndarray, codes: np.ndarray) -> float:
    """S of (H, W) float64 luminances: light on any scale, codes 0..255."""
    if min(light.shape) < SMALLEST_SIDE:
        raise RequestError(
            f"tmqi needs pictures of at least {SMALLEST_SIDE} px a side; got {light.shape[::-1]}"
        )
    low, high = light.min(), light.max()
    light = (light - low) * (HIGHEST / max(high - low, 1e-300))
    product = 1.0
    for scale, weight in enumerate(SCALE_WEIGHTS):
        product *= max(_fidelity(light, codes, FINEST_FREQUENCY / 2**scale), 0) ** weight
        light, codes = _halved(light), _halved(codes)
    return product


def _fidelity(light: np.ndarray, codes: np.ndarray, frequency: float) -> float:
    """The mean of eq. 2 over all whole windows."""
    mean_light, mean_codes = _windowed(light), _windowed(codes)
    sigma_light = np.sqrt(np.maximum(_windowed(light * light) - mean_light**2, 0))
    sigma_codes = np.sqrt(np.maximum(_windowed(codes * codes) - mean_codes**2, 0))
    together = _windowed(light * codes) - mean_light * mean_codes
    sensitivity = 260 * (0.0192 + 0.114 * frequency) * math.exp(-((0.114 * frequency) ** 1.1))
    threshold = 128 / (1.4 * sensitivity)  # contrast of half detection, mean grey 128 (eq. 4 and 5)
    seen_light, seen_codes = (_detected(sigma, threshold) for sigma in (sigma_light, sigma_codes))
    strength = (2 * seen_light * seen_codes + C1) / (seen_light**2 + seen_codes**2 + C1)
    return float((strength * (together + C2) / (sigma_light * sigma_codes + C2)).mean())


def _windowed(plane: np.ndarray) -> np.ndarray:
    """Gaussian means of all whole windows."""
    kernel = cv2.getGaussianKernel(WINDOW, WINDOW_SIGMA, cv2.CV_64F)
    edge = WINDOW // 2
    return cv2.sepFilter2D(plane, cv2.CV_64F, kernel, kernel)[edge:-edge, edge:-edge]


_STEPS = np.linspace(-6, 6, 4801)
_NORMAL = np.array([0.5 * (1 + math.erf(step / math.sqrt(2))) for step in _STEPS])


def _detected(sigma: np.ndarray, threshold: float) -> np.ndarray:
    """Probability that a contrast is seen: normal, with a third of the threshold as its spread (eq. 3)."""
    return np.interp((sigma - threshold) * (3 / threshold), _STEPS, _NORMAL)


def _halved(plane: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd row or column at the end is left out."""
    height, width = (side // 2 * 2 for side in plane.shape)
    return plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def naturalness(codes: np.ndarray) -> float:
    """N of (H, W) codes 0..255: likelihoods of mean and contrast over those of the most usual ones (eq. 10)."""
    height, width = codes.shape
    padded = np.pad(codes, ((0, -height % WINDOW), (0, -width % WINDOW)))
    blocks = padded.reshape(padded.shape[0] // WINDOW, WINDOW, padded.shape[1] // WINDOW, WINDOW)
    contrast = min(float(blocks.std(axis=(1, 3)).mean()) / CONTRAST_UNIT, 1.0)
    rise, fall = (shape - 1 for shape in CONTRAST_SHAPE)
    mode = rise / (rise + fall)
    usual = (contrast / mode) ** rise * ((1 - contrast) / (1 - mode)) ** fall
    return usual * math.exp(-0.5 * ((float(codes.mean()) - MEAN) / MEAN_SPREAD) ** 2)
