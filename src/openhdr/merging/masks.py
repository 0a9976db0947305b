"""Pictures of what deghosting left out."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.core.image import Bracket, Image


def ghost_sheet(bracket: Bracket, trust: list[np.ndarray]) -> Image:
    """The masks of all frames side by side, in the reference's geometry: white = used, black = left out."""
    height, width = bracket.frames[0].image.pixels.shape[:2]
    masks = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in trust]
    grey = np.round(np.hstack(masks) * 255).astype(np.uint8)
    return Image(np.repeat(grey[..., None], 3, axis=2), "srgb")
