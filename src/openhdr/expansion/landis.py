"""Landis, Production-ready global illumination, SIGGRAPH 2002 course 16: bright pixels are raised.

    L = (1 - k) x + k peak x,   k = ((x - start) / (1 - start))^power  above `start`, else 0

x: light of the pixel, 1.0 = the photo clips. The curve acts on luminance and all channels are scaled alike,
so that hues stay; the course scales channels on their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.expansion.photo import Photo


@dataclass(frozen=True)
class LandisOptions:
    start: float = 0.5  # light from which pixels are raised, 0..1; the course's value
    peak: float = 4.0  # what white becomes; the course leaves it to the display
    power: float = 2.0


def landis(photo: Photo, options: LandisOptions = LandisOptions()) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    above = np.maximum(luminance(photo.linear) - options.start, 0) / (1 - options.start)
    share = np.minimum(above, 1) ** options.power
    return photo.linear * (1 + share * np.float32(options.peak - 1))[..., None]
