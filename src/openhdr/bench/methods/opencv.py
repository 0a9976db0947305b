"""OpenCV's own way from a bracket to light, to compare with: CalibrateDebevec, AlignMTB, MergeDebevec.

Debevec and Malik 1997; Ward 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.bench.methods.photos import Photos, on_scale
from openhdr.camera import response as responses
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import Image

_CODES = np.arange(256, dtype=np.uint8)


@dataclass(frozen=True)
class OpenCVOptions:
    """align: `mtb` shifts all frames onto the middle one of the list; `none` leaves them where they are."""

    align: str = "mtb"

    def __post_init__(self) -> None:
        if self.align not in ("mtb", "none"):
            raise unknown_name("align of opencv", self.align, ("mtb", "none"))


def opencv(photos: Photos, options: OpenCVOptions = OpenCVOptions()) -> np.ndarray:
    """(H, W, 3) float32 light, 1.0 = the reference clips.

    It is given the exposures as the methods of openhdr are, and the response where they are; otherwise it calibrates
    one from the frames, with its own defaults. Raises RequestError for frames deeper than 8 bits, which it does not
    take.
    """
    frames = [np.ascontiguousarray(frame.pixels) for frame in photos.frames]
    if any(frame.dtype != np.uint8 for frame in frames):
        raise RequestError("OpenCV's MergeDebevec takes 8-bit photos only")
    if options.align == "mtb":
        levels = int(np.log2(min(frames[0].shape[:2]))) - 3  # 6 is its default; small images have fewer
        cv2.createAlignMTB(max_bits=max(1, min(6, levels))).process(frames, frames)
    ev = np.asarray(photos.ev) - photos.ev[photos.anchor]
    seconds = (2.0**ev).astype(np.float32)
    merged = cv2.createMergeDebevec().process(frames, seconds, _curve(photos, frames, seconds))
    light = np.maximum(np.nan_to_num(merged, posinf=2.0 ** -ev.min()), 0).astype(np.float32)
    return on_scale(light, photos) if photos.response is None else light


def _curve(photos: Photos, frames: list[np.ndarray], seconds: np.ndarray) -> np.ndarray:
    """(256, 1, 3) float32: the light of each code. Code 0 would be the logarithm of nothing."""
    if photos.response is None:
        return cv2.createCalibrateDebevec().process(frames, seconds)
    codes = np.repeat(_CODES[:, None, None], 3, axis=2)
    light = responses.parse(photos.response).decode(Image(codes, "srgb"))
    return np.maximum(light, light[1] / 2).astype(np.float32)
