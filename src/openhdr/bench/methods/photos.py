"""What a method is given: a bracket of photos, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.camera import response as responses
from openhdr.camera.response import ASSUMED_RESPONSE, Response
from openhdr.core.image import Image, middle_exposure

WELL_EXPOSED = (0.05, 0.8)  # light, 1.0 = the photo clips


@dataclass(frozen=True)
class Photos:
    """What a method is given: a bracket, and what is known of it.

    frames: the photos, of one size. ev: (N,) stops; only differences matter. reference: index, from 0; None = the
    method chooses. response: how codes stand for light; None = the method finds out or assumes.
    """

    frames: tuple[Image, ...]
    ev: tuple[float, ...]
    reference: int | None = None
    response: Response | str | None = None

    @property
    def anchor(self) -> int:
        """Index of the frame that clips at 1.0: the reference, or the middle exposure."""
        return middle_exposure(np.asarray(self.ev)) if self.reference is None else self.reference


def reference_light(photos: Photos) -> np.ndarray:
    """(H, W, 3) float32: the reference frame linearised, 1.0 = it clips."""
    response = responses.parse(photos.response or ASSUMED_RESPONSE)
    return response.decode(photos.frames[photos.anchor])


def on_scale(light: np.ndarray, photos: Photos) -> np.ndarray:
    """Light of a method with a scale of its own, made 1.0 = the reference clips by its well exposed pixels."""
    reference = reference_light(photos)
    low, high = WELL_EXPOSED
    known = ((reference > low) & (reference < high) & (light > 0)).all(axis=2)
    return light * np.float32(np.median(reference[known] / light[known])) if known.any() else light
