"""Maximum-likelihood merging under photon and read noise (the default).

Each frame estimates the radiance X as light / 2^ev with variance (a X 2^ev + b + q) / 4^ev, where a is the photon
noise per unit of light, b the read noise and q the rounding to codes (Granados et al. 2010, eq. 9; Hanji, Zhong &
Mantiuk 2020, section 3). Weights are the inverse variances. X inside the weight is taken from one frame a pixel
(the longest that does not clip), the same for all: a weight computed from each sample's own noisy value would
favour the samples that happen to be low.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.merging.samples import Samples


@dataclass(frozen=True)
class NoiseLevels:
    """Variance of light in one frame, 1.0 = clipping: photon * light + read. Only their ratio matters here."""

    photon: float = 2e-4  # a sensor that holds 5000 electrons
    read: float = 2e-7  # and reads them with 2.2 electrons of noise, or 8-bit rounding in the dark


def combine(samples: Samples, noise: NoiseLevels = NoiseLevels()) -> tuple[np.ndarray, np.ndarray]:  # noqa: B008
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen."""
    guide = _guide(samples)
    total = np.zeros_like(samples.light[0])
    weights = np.zeros(guide.shape, np.float32)
    for light, headroom, trust, ev in zip(samples.light, samples.headroom, samples.trust, samples.ev, strict=True):
        gain = np.float32(2.0**ev)
        # the square of the gain in numerator and denominator of the mean: w light / 2^ev with w = 4^ev / variance
        weight = headroom * trust * gain / (np.float32(noise.photon) * gain * guide + np.float32(noise.read))
        total += light * weight[..., None]
        weights += weight * gain
    np.divide(total, weights[..., None], out=total, where=weights[..., None] > 0)
    return total, weights


def _guide(samples: Samples) -> np.ndarray:
    """(h, W) float32 luminance on the reference's scale from the longest frame with headroom and trust."""
    order = np.argsort(samples.ev)
    shortest = order[0]
    guide = luminance(samples.light[shortest]) / np.float32(2.0 ** samples.ev[shortest])
    for index in order[1:]:
        usable = samples.headroom[index] * samples.trust[index]
        seen = luminance(samples.light[index]) / np.float32(2.0 ** samples.ev[index])
        guide += usable * (seen - guide)
    return guide
