"""The colour of what surrounds clipped areas: where red clips and another channel is measured, it tells what red is.

Sunlit walls and skin clip red first; an estimate of the channel alone leaves them green. Skies, whose blue clips first,
are left to the estimate: their colour changes from place to place.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.expansion.overview import Overview
from openhdr.filters.gaussian import blur

RING = np.ones((5, 5), np.uint8)  # how far outside clipped areas their border is looked at
NEAR, FAR, FAR_WEIGHT = 0.012, 0.09, 0.02  # sigmas of the means over borders, shares of the diagonal
DARKEST = np.float32(1 / 16)  # light of a channel that still tells of a colour
NONE_NEAR = np.float32(1e-6)  # weight of grey: decides where there is no border


def border_colour(view: Overview) -> np.ndarray:
    """(h, w, 3) float32: log2 light of every channel at the borders near each place, less the mean of all three.

    Bright borders count most: a roof says nothing of the sky behind it.
    """
    inside = (view.anywhere > 0.5).astype(np.uint8)
    ring = (cv2.dilate(inside, RING) - inside) * view.code.max(axis=2) ** 4
    stops = np.log2(np.maximum(view.linear, DARKEST))
    stops -= stops.mean(axis=2, keepdims=True)
    both = np.dstack((stops * ring[..., None], ring))
    total = blur(both, NEAR) + np.float32(FAR_WEIGHT) * blur(both, FAR)
    return total[..., :3] / (total[..., 3:] + NONE_NEAR)


def stops_by_colour(colour: np.ndarray, linear: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """(N, 3) float32 stops of N pixels that have `colour` at the level of their brightest measured channel.

    -inf where red is measured or nothing is. colour: `border_colour` there. linear: light 0..1. lost: bool.
    """
    measured = np.where(lost, np.float32(-np.inf), np.log2(np.maximum(linear, DARKEST)))
    brightest = measured.argmax(axis=1)[:, None]
    level = np.take_along_axis(measured - colour, brightest, axis=1)
    return np.where(lost[:, :1], colour + level, np.float32(-np.inf))
