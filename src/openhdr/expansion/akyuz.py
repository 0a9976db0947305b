"""Akyuz et al., Do HDR displays support LDR content?, SIGGRAPH 2007: one curve over the whole range.

    L = ((x - min) / (max - min))^gamma

Their viewers liked gamma 1 best: a photo needs only to be shown brighter. With the scale anchored where the
photo clips, that leaves its light as it is, so this operator is the "nothing is done" baseline. min and max
are taken as 0 and 1, the ends of what a photo can hold, so that a dull photo stays dull. The curve acts on
luminance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.expansion.photo import Photo


@dataclass(frozen=True)
class AkyuzOptions:
    gamma: float = 1.0  # above 1 darkens midtones, below 1 lifts them


def akyuz(photo: Photo, options: AkyuzOptions = AkyuzOptions()) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    if options.gamma == 1:
        return photo.linear
    y = np.maximum(luminance(photo.linear), np.float32(1e-6))
    return photo.linear * (y ** np.float32(options.gamma - 1))[..., None]
