"""OpenCV's own way from a bracket to light, to compare with: AlignMTB, then MergeDebevec (Debevec and Malik 1997)."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.bench.case import BenchScene
from openhdr.camera import response as responses
from openhdr.core.errors import RequestError

_CODES = np.arange(256, dtype=np.uint8)


def opencv(scene: BenchScene) -> np.ndarray:
    """(H, W, 3) float32 light, 1.0 = the reference clips.

    It is told the exposures and the response, as the methods of openhdr are. AlignMTB shifts all frames onto the
    middle one of the list. Raises RequestError for frames deeper than 8 bits, which it does not take.
    """
    frames = [np.ascontiguousarray(frame.pixels) for frame in scene.frames]
    if any(frame.dtype != np.uint8 for frame in frames):
        raise RequestError("OpenCV's MergeDebevec takes 8-bit photos only")
    levels = min(
        6, int(np.log2(min(scene.truth.shape[:2]))) - 3
    )  # 6 is its default; small pictures have fewer
    cv2.createAlignMTB(max_bits=max(1, levels)).process(frames, frames)
    seconds = np.float32(2) ** np.asarray(scene.stated_ev, np.float32)
    merged = cv2.createMergeDebevec().process(frames, seconds, _curve(scene))
    return np.maximum(np.nan_to_num(merged, posinf=scene.top), 0).astype(np.float32)


def _curve(scene: BenchScene) -> np.ndarray:
    """(256, 1, 3) float32: the light of each code. Code 0 would be the logarithm of nothing."""
    response = scene.stated_response
    known = responses.parse(response) if isinstance(response, str) else response
    codes = np.repeat(_CODES[:, None, None], 3, axis=2)
    light = known.decode(scene.frames[0].with_pixels(codes, "srgb"))
    return np.maximum(light, light[1] / 2).astype(np.float32)
