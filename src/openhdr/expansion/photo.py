"""One photo, ready to be expanded: codes, light, and where it clips."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.clipping import clip_code
from openhdr.camera.response import Response
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image

PIT_LEVEL = 0.965  # code above which a pixel amid clipped ones is taken for compression noise
PIT_SURROUND = 0.6  # share of its 5x5 neighbourhood that clips


@dataclass(frozen=True)
class Photo:
    """code: (H, W, 3) float32 0..1, sRGB codes, 1.0 = the photo clips. linear: (H, W, 3) float32 0..1, light.
    clipped: (H, W, 3) bool, channels that say only "at least 1".
    """

    code: np.ndarray
    linear: np.ndarray
    clipped: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.code.shape[:2]

    @property
    def diagonal(self) -> float:
        """Pixels."""
        return float(np.hypot(*self.shape))


def photo_of(image: Image, response: Response) -> Photo:
    """A photo that clips at the code found in its pixels, decoded by `response`.

    Raises RequestError for an image that holds light above 1: it is HDR already.
    """
    clip = clip_code([image]) / image.full_scale
    if not np.isfinite(image.pixels).all() or image.pixels.min() < 0:
        raise RequestError("the photo holds values below 0 or that are not finite; mend it first")
    if not np.isfinite(clip):
        raise RequestError(
            f"the image is HDR already: it holds light up to {image.pixels.max():g}; expected 0..1"
        )
    light = response.decode(image)
    top = float(response.decode(_grey(image, clip)).min())
    linear = np.clip(light / np.float32(top), 0, 1) if top != 1 else np.clip(light, 0, 1)
    return Photo(srgb_encode(linear).astype(np.float32), linear, _clipped(linear))


def _grey(image: Image, level: float) -> Image:
    """One pixel of a code that is `level` of full scale."""
    code = np.full((1, 1, 3), level * image.full_scale)
    return image.with_pixels(code.astype(image.pixels.dtype))


def _clipped(linear: np.ndarray) -> np.ndarray:
    """(H, W, 3) bool. Compression leaves pits in clipped areas: they count as clipped, too."""
    clipped = linear >= 1
    if not clipped.any():
        return clipped
    around = cv2.blur(clipped.astype(np.float32), (5, 5))
    level = np.float32(PIT_LEVEL**2.2)
    return clipped | ((around > PIT_SURROUND) & (linear > level))
