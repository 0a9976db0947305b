"""An expanded photo, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.core.image import Image
from openhdr.expansion.claims import Claims, claims_of, honest_map, provenance
from openhdr.expansion.photo import Photo


@dataclass(frozen=True)
class ExpandResult:
    """image: the HDR image, float32, linear, 1.0 = the photo clips. origin: (H, W) uint8, how many channels of
    a pixel are lost in the photo: 0 = measured, 1 and 2 = recovered from the others, 3 = invented. claims: the
    statistics. photo: what the method was given.
    """

    image: Image
    origin: np.ndarray
    claims: Claims
    photo: Photo

    @property
    def clipped_share(self) -> float:
        """Share of pixels of which some channel is lost."""
        return 1 - self.claims.measured

    def map(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB picture of `origin`, see `openhdr.expansion.claims.honest_map`."""
        return honest_map(self.photo, self.origin)


def result_of(image: Image, photo: Photo, linear: np.ndarray) -> ExpandResult:
    """The result for any method's (H, W, 3) float32 `linear` of `photo`; `image` lends its facts."""
    origin = provenance(photo)
    return ExpandResult(image.with_pixels(linear, "linear"), origin, claims_of(origin, linear), photo)
