"""Robertson, Borman & Stevenson 2003, eq. 7: sum of w t light over sum of w t^2, w a Gaussian over the codes."""

from __future__ import annotations

import numpy as np

from openhdr.color.transfer import srgb_encode
from openhdr.merging.merger import StripMerger
from openhdr.merging.registered import Strip

SHARPNESS = 16.0  # exp(-16 (code - 1/2)^2), eq. 25 with codes of 0..1


def combine(strip: Strip) -> tuple[np.ndarray, np.ndarray]:
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen."""
    total = np.zeros_like(strip.light[0])
    weights = np.zeros_like(total)
    for light, room, consistency, ev in zip(
        strip.light, strip.saturation_weight, strip.consistency, strip.ev, strict=True
    ):
        code = np.minimum(srgb_encode(light), 1).astype(np.float32)
        gain = np.float32(2.0**ev)
        weight = np.exp(-SHARPNESS * np.square(code - 0.5)) * (consistency * (room > 0))[..., None]
        total += weight * gain * light
        weights += weight * gain * gain
    np.divide(total, weights, out=total, where=weights > 0)
    return total, weights.min(axis=2)


MERGER = StripMerger(combine)
