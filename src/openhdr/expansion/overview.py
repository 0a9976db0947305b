"""A photo reduced to half a thousand pixels: enough to see how large a clipped area is and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from openhdr.expansion.photo import Photo

SIDE = 512  # longest side in pixels; smaller photos stay as they are


@dataclass(frozen=True)
class Overview:
    """Means over the pixels of each cell, float32. code, linear, lost: (h, w, 3). everywhere, anywhere: (h, w),
    share of pixels of which all channels are lost, or some.
    """

    code: np.ndarray
    linear: np.ndarray
    lost: np.ndarray
    everywhere: np.ndarray
    anywhere: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.everywhere.shape[1], self.everywhere.shape[0]

    @property
    def diagonal(self) -> float:
        """Pixels."""
        return float(np.hypot(*self.size))

    @cached_property
    def mostly_lost(self) -> np.ndarray:
        """(h, w, 3) uint8: 1 where most of a cell is lost."""
        return (self.lost > 0.5).astype(np.uint8)

    def depth(self, inside: np.ndarray) -> np.ndarray:
        """(h, w) uint8 mask -> float32 distance to its border, share of the diagonal; 1 where there is none."""
        if inside.all():
            return np.ones(inside.shape, np.float32)
        return cv2.distanceTransform(inside, cv2.DIST_L2, 5) / np.float32(self.diagonal)


def overview_of(photo: Photo) -> Overview:
    """The photo at SIDE."""
    height, width = photo.shape
    shrink = min(1.0, SIDE / max(height, width))
    size = max(round(width * shrink), 1), max(round(height * shrink), 1)

    def small(plane: np.ndarray) -> np.ndarray:
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)

    def share(mask: np.ndarray) -> np.ndarray:
        return small(mask.view(np.uint8) * np.uint8(255)).astype(np.float32) / 255

    return Overview(
        small(photo.code),
        small(photo.linear),
        share(photo.lost),
        share(photo.lost_everywhere),
        share(photo.lost_anywhere),
    )
