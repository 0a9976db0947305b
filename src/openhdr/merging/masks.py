"""Pictures of what a merge did: what it trusted of each frame, and how far it moved them."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.core.image import Bracket, Image
from openhdr.core.placement import Placement, sampling_map


def ghost_sheet(bracket: Bracket, trust: list[np.ndarray]) -> Image:
    """The masks of all frames side by side, in the reference's geometry: white = used, black = left out."""
    height, width = bracket.frames[0].image.pixels.shape[:2]
    masks = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in trust]
    grey = np.round(np.hstack(masks) * 255).astype(np.uint8)
    return Image(np.repeat(grey[..., None], 3, axis=2), "srgb")


def motion_sheet(placements: list[Placement], shape: tuple[int, int]) -> Image:
    """How far each pixel of every frame was moved, side by side: hue = direction, brightness = distance.

    shape: (H, W) of a frame. The largest distance of all frames is the brightest; no motion is black.
    """
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    moves = [sampling_map(place, slice(0, shape[0]), shape) - np.dstack((x, y)) for place in placements]
    longest = max(max(float(np.hypot(*np.moveaxis(move, 2, 0)).max()) for move in moves), 1e-6)
    return Image(np.hstack([_coloured(move, longest) for move in moves]), "srgb")


def _coloured(move: np.ndarray, longest: float) -> np.ndarray:
    distance, degrees = cv2.cartToPolar(move[..., 0], move[..., 1], angleInDegrees=True)
    hsv = np.dstack((degrees, np.full_like(distance, 0.8), np.minimum(distance / longest, 1)))
    return np.round(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)
