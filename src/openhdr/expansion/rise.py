"""How far light may have risen above the clipping level at a place: a bound that keeps skies smooth.

Light that met the border of a clipped area with a gentle slope cannot stand high just inside; at the edge of
a lamp it can. The bound on the stops of a channel is

    distance to the channel's border x max(steepness x slope at the border, least slope)

Slopes are the largest gradients of log2 light just outside clipped areas, averaged over the border near a
place, so that the bound has no seams. Without it a sky in which channel after channel clips falls into bands
of different hue, most of all along the blocks of a JPEG.

Channels of one pixel are held together for the same reason: where one is measured close to the top, the others
cannot be far above it; where the last one has just clipped, none can be far ahead of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.expansion.overview import Overview
from openhdr.filters.gaussian import blur

NEAR, FAR = 0.006, 0.04  # sigmas over which slopes at borders are averaged, shares of the diagonal
FAR_WEIGHT = 0.01  # of the wide average: decides only where no border is near
WHOLE_WEIGHT = 1e-5  # of the average over the picture: decides where none is far and wide
RING = np.ones((5, 5), np.uint8)  # how far outside slopes are looked for
WIDE = np.ones((7, 7), np.uint8)  # an area in which some channels clip is wide; the rim of an object is not
SPECK = 24  # cells: a measured place so small, a twig or a gull amid a sky, does not bound the light round it
FRAME = 2  # cells at the photo's border, where a narrow frame does not bound light either
DARKEST = 1e-3  # light below has no slope worth measuring
LEAST_STOPS = 0.02  # bound at the border itself, so that nothing divides by zero


@dataclass(frozen=True)
class RiseOptions:
    steepness: float = 4.0  # times the slope at the border
    least_slope: float = 20.0  # stops per diagonal of the picture
    apart: float = 0.2  # stops by which a clipped channel may exceed the others of a grey pixel
    colourful: float = 2.0  # ... and for every stop that the brightest measured channel lies below the top


def rise_limit(view: Overview, slope: np.ndarray, options: RiseOptions = RiseOptions()) -> np.ndarray:
    """(h, w, 3) float32 stops, >= LEAST_STOPS. slope: `border_slope` of the same view."""
    steepest = np.maximum(options.steepness * slope, options.least_slope)
    depth = [view.depth(without_specks(view.mostly_lost[..., c])) for c in range(3)]
    limit = (np.dstack(depth) * steepest[..., None] + LEAST_STOPS).astype(np.float32)
    return np.minimum(limit, _continued(view, options)[..., None])


def _continued(view: Overview, options: RiseOptions) -> np.ndarray:
    """(h, w) float32 stops: the bound where all channels clip next to a wide area in which one is measured.

    There the slope of the measured channels goes on, whatever edges stand near.
    """
    some, every = view.mostly_lost.max(axis=2), view.mostly_lost.min(axis=2)
    wide = cv2.morphologyEx(some - every, cv2.MORPH_OPEN, WIDE)
    if not wide.any():
        return np.full(some.shape, np.inf, np.float32)
    measured = np.where(view.mostly_lost > 0, 1, view.linear)
    amid = cv2.erode(wide, RING).astype(np.float32)  # where no edge is seen
    slope = _mean_nearby(view, np.dstack((_slope(measured) * amid, amid)))
    bound = view.depth(1 - wide) * np.maximum(options.steepness * slope, options.least_slope) + options.apart
    return np.where(every > 0, bound, np.float32(np.inf))


def without_specks(lost: np.ndarray) -> np.ndarray:
    """(h, w) uint8 mask with its holes of at most SPECK cells filled, and continued to the border over FRAME cells."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(1 - lost)
    small = facts[:, cv2.CC_STAT_AREA] <= SPECK
    small[0] = False  # the mask itself
    filled = lost | small[labels].astype(np.uint8)
    if min(filled.shape) > 2 * FRAME:
        filled = np.pad(filled[FRAME:-FRAME, FRAME:-FRAME], FRAME, mode="edge")
    return filled


def held_together(
    limit: np.ndarray, linear: np.ndarray, lost: np.ndarray, options: RiseOptions = RiseOptions()
) -> np.ndarray:
    """(N, 3) float32 bound on stops of N pixels. limit: `rise_limit` there. linear: light 0..1. lost: bool."""
    measured = np.where(lost, 0, linear)
    brightest = np.maximum(np.maximum(measured[:, 0], measured[:, 1]), measured[:, 2])
    below = -np.log2(np.maximum(brightest, np.float32(DARKEST)))
    last = np.minimum(np.minimum(limit[:, 0], limit[:, 1]), limit[:, 2])
    alone = np.where(brightest > 0, np.float32(options.colourful) * below, last)
    return np.minimum(limit, np.float32(options.apart) + alone[:, None])


def border_slope(view: Overview) -> np.ndarray:
    """(h, w) float32: the mean gradient of log2 light at the borders near each place, stops per diagonal."""
    ring = (cv2.dilate(view.mostly_lost, RING) - view.mostly_lost).astype(np.float32)
    steep = cv2.dilate(_slope(view.linear), RING)[..., None] * ring
    both = cv2.merge([plane[..., 0] + plane[..., 1] + plane[..., 2] for plane in (steep, ring)])
    return _mean_nearby(view, both, np.float32(WHOLE_WEIGHT) * np.array(cv2.mean(both)[:2], np.float32))


def _mean_nearby(view: Overview, weighted: np.ndarray, everywhere: np.ndarray | None = None) -> np.ndarray:
    """(h, w) float32: the mean slope near each place, stops per diagonal.

    weighted: (h, w, 2), slopes (stops per pixel) times their weights, and the weights. everywhere: (2,), added to both.
    """
    total = blur(weighted, NEAR) + np.float32(FAR_WEIGHT) * blur(weighted, FAR)
    if everywhere is not None:
        total += everywhere
    return np.float32(view.diagonal) * total[..., 0] / np.maximum(total[..., 1], np.float32(1e-12))


def _slope(linear: np.ndarray) -> np.ndarray:
    """(h, w) float32 gradient of log2 light over all channels, stops per pixel."""
    stops = np.log2(np.maximum(cv2.GaussianBlur(linear, (0, 0), 1.0), np.float32(DARKEST)))
    square = np.zeros(stops.shape[:2], np.float32)
    for channel in range(3):
        plane = np.ascontiguousarray(stops[..., channel])
        for across, down in ((1, 0), (0, 1)):
            square += cv2.Scharr(plane, cv2.CV_32F, across, down) ** 2
    return np.sqrt(square) / 32  # the kernel's weights on one side
