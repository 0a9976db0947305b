"""Debevec & Malik 1997, eq. 6: the weighted mean of log radiance, weights a hat over the code values.

As published, the hat is zero at both ends; here it acts on the light's sRGB code, so that it means the same for
8-bit, 16-bit and linear frames.
"""

from __future__ import annotations

import numpy as np

from openhdr.color.transfer import srgb_encode
from openhdr.merging.merger import StripMerger
from openhdr.merging.registered import Strip

DARKEST = 1e-6  # light below this has no logarithm worth having


def combine(strip: Strip) -> tuple[np.ndarray, np.ndarray]:
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen."""
    total = np.zeros_like(strip.light[0])
    weights = np.zeros_like(total)
    for light, room, consistency, ev in zip(
        strip.light, strip.saturation_weight, strip.consistency, strip.ev, strict=True
    ):
        code = np.minimum(srgb_encode(light), 1).astype(np.float32)
        weight = np.minimum(code, 1 - code) * (consistency * (room > 0))[..., None]
        total += weight * (np.log(np.maximum(light, DARKEST)) - np.float32(ev * np.log(2)))
        weights += weight
    np.divide(total, weights, out=total, where=weights > 0)
    return np.where(weights > 0, np.exp(total), 0), weights.min(axis=2)


MERGER = StripMerger(combine)
