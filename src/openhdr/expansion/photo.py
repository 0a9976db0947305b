"""One photo, ready to be expanded: codes, light, and where it clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from openhdr.camera.clipping import clip_code
from openhdr.camera.response import Response
from openhdr.color.channels import look_up
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image

PIT_LEVEL = np.float32(0.96**2.2)  # light above which a pixel amid clipped ones is taken for noise
AMID = 0.6  # share of its 5x5 neighbourhood that clips around such a pit
COMPRESSED = 0.02  # share of pits amid clipped pixels; a sensor's noise leaves fewer, a JPEG more
EVERY = 5  # rows and columns that are searched for blocks
SMALL_STEP = 0.02  # of the root of light: larger ones are edges
BLOCKY = (
    1.04  # mean step from block to block of a JPEG over that within blocks; other pictures stay under 1.02
)
BESIDE = {
    9: 0.08,
    17: 0.25,
}  # in a JPEG: a neighbourhood's side, the clipped share that suffices; colour has 16 pixels
TOP_LEVEL = np.float32(0.986**2.2)  # light that counts as clipped in a JPEG where another channel clips


@dataclass(frozen=True)
class Photo:
    """code: (H, W, 3) float32 0..1, sRGB codes, 1.0 = the photo clips. linear: (H, W, 3) float32 0..1, light.
    clipped: (H, W, 3) bool, channels that say only "at least 1". lost: (H, W, 3) bool, channels that operators
    replace: clipped ones, and others near the top amid them, which compression or noise made.
    """

    code: np.ndarray
    linear: np.ndarray
    clipped: np.ndarray
    lost: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.code.shape[:2]

    @cached_property
    def lost_anywhere(self) -> np.ndarray:
        """(H, W) bool: some channel is lost."""
        red, green, blue = np.moveaxis(self.lost, 2, 0)
        return red | green | blue

    @cached_property
    def lost_everywhere(self) -> np.ndarray:
        """(H, W) bool: all channels are lost."""
        red, green, blue = np.moveaxis(self.lost, 2, 0)
        return red & green & blue

    @property
    def diagonal(self) -> float:
        """Pixels."""
        return float(np.hypot(*self.shape))


def photo_of(image: Image, response: Response, name: str = "the image") -> Photo:
    """A photo that clips at the code found in its pixels, decoded by `response`. name: for errors.

    Raises RequestError for an image that holds light above 1: it is HDR already.
    """
    clip = clip_code([image]) / image.full_scale
    if not np.isfinite(image.pixels).all() or image.pixels.min() < 0:
        raise RequestError(f"{name}: holds values below 0 or that are not finite; mend it first")
    if not np.isfinite(clip):
        raise RequestError(
            f"{name}: is HDR already, with light up to {image.pixels.max():g}; expected a photo, 0..1"
        )
    top = float(response.decode(_grey(image, clip)).min())
    linear, code = _light_and_code(image, response, np.float32(top))
    clipped = linear >= 1
    return Photo(code, linear, clipped, _lost(linear, clipped))


def _grey(image: Image, level: float) -> Image:
    """One pixel of a code that is `level` of full scale."""
    code = np.full((1, 1, 3), level * image.full_scale)
    return image.with_pixels(code.astype(image.pixels.dtype))


def _light_and_code(image: Image, response: Response, top: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Light 0..1 in units of `top` and its sRGB codes, (H, W, 3) float32 each; by table where codes are integers."""
    pixels = image.pixels
    if pixels.dtype == np.float32:
        linear = np.clip(response.decode(image) / top, 0, 1)
        return linear, srgb_encode(linear).astype(np.float32, copy=False)
    levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype)
    ladder = image.with_pixels(np.repeat(levels[:, None, None], 3, axis=2))
    linear = np.clip(response.decode(ladder) / top, 0, 1)
    return _looked_up(linear, pixels), _looked_up(srgb_encode(linear).astype(np.float32), pixels)


def _looked_up(table: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """table: (levels, 1, 3) float32. Its values at (H, W, 3) codes."""
    if pixels.dtype == np.uint8:
        return look_up(np.ascontiguousarray(pixels), table[:, 0])
    return np.dstack([np.take(table[:, 0, channel], pixels[..., channel]) for channel in range(3)])


def _lost(linear: np.ndarray, clipped: np.ndarray) -> np.ndarray:
    """(H, W, 3) bool: clipped channels and the pits that noise leaves amid them.

    The share of pits, or steps between its blocks, tell a JPEG, which speckles clipped areas, from a picture stored as
    it was taken. In a JPEG all bright pixels close to clipped ones count; elsewhere only those that clipped ones
    surround. Where a channel clips in a JPEG, others just below the top count, too, as long as one is measured.
    """
    if not clipped.any():
        return clipped
    share = clipped.view(np.uint8) * np.uint8(
        255
    )  # of 255: bytes are blurred several times as fast as floats
    amid = cv2.blur(share, (5, 5)) > 255 * AMID
    lost = clipped
    if np.count_nonzero(amid & ~clipped) > COMPRESSED * np.count_nonzero(amid) or _has_blocks(linear):
        for side, enough in BESIDE.items():
            amid |= cv2.blur(share, (side, side)) > 255 * enough
        top = linear > TOP_LEVEL
        (r, g, b), (red, green, blue) = np.moveaxis(clipped, 2, 0), np.moveaxis(top, 2, 0)
        partly = (r | g | b) & ~(red & green & blue)
        lost = clipped | (partly[..., None] & top)
    return lost | (amid & (linear > PIT_LEVEL))


def _has_blocks(linear: np.ndarray) -> bool:
    """Whether green, (H, W, 3) light, steps more between blocks of 8 x 8 pixels than within them."""
    if min(linear.shape[:2]) < 16:
        return False
    ratios = []
    for lines in (linear[::EVERY, :, 1], linear[:, ::EVERY, 1].T):
        steps = np.minimum(np.abs(np.diff(np.sqrt(lines), axis=1)), np.float32(SMALL_STEP))
        means = [float(steps[:, first::8].mean()) for first in range(8)]
        ratios.append(means[7] / max(float(np.median(means)), 1e-9))
    return sum(ratios) / len(ratios) > BLOCKY
