"""Expanding an Image by a row of EXPANDERS, and telling what the result stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openhdr.camera.response import ASSUMED_RESPONSE, Response, analytic
from openhdr.core.image import Image
from openhdr.expansion import DEFAULT, EXPANDERS
from openhdr.expansion.claims import Claims, claims_of, honest_map, provenance
from openhdr.expansion.photo import Photo, photo_of


@dataclass(frozen=True)
class ExpandResult:
    """image: the HDR image, float32, linear, 1.0 = the photo clips. origin: (H, W) uint8, how many channels of
    a pixel clip in the photo: 0 = measured, 1 and 2 = recovered from the others, 3 = invented. claims: the
    statistics. photo: what the method was given.
    """

    image: Image
    origin: np.ndarray
    claims: Claims
    photo: Photo

    @property
    def clipped_share(self) -> float:
        """Share of pixels of which some channel clips."""
        return 1 - self.claims.measured

    def map(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB picture of `origin`, see `openhdr.expansion.claims.honest_map`."""
        return honest_map(self.photo, self.origin)


def expand_image(
    image: Image,
    method: str | None = None,
    response: Response | None = None,
    options: Any = None,
    name: str = "the image",
) -> ExpandResult:
    """Expand a photo by a classical operator.

    method: a name in EXPANDERS, None = DEFAULT. response: the camera's curve, None = sRGB (not used for a
    linear image). options: that operator's options, None = its defaults. name: of the photo, for errors.
    Raises RequestError for an unknown method or an image that is HDR already.
    """
    operator = EXPANDERS[method or DEFAULT].load()
    photo = photo_of(image, response or analytic(ASSUMED_RESPONSE), name)
    return result_of(image, photo, operator(photo) if options is None else operator(photo, options))


def result_of(image: Image, photo: Photo, linear: np.ndarray) -> ExpandResult:
    """The result for any method's (H, W, 3) float32 `linear` of `photo`; `image` lends its facts."""
    origin = provenance(photo)
    return ExpandResult(image.with_pixels(linear, "linear"), origin, claims_of(origin, linear), photo)
