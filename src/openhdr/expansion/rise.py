"""How far light may have risen above the clipping level at a place: a bound that keeps skies smooth.

Light that met the border of a clipped area with a gentle slope cannot stand high just inside; at the edge of
a lamp it can. The bound on the stops of a channel is

    distance to the channel's border x max(steepness x slope at the border, least slope)

Slopes are the largest gradients of log2 light just outside clipped areas, averaged over the border near a
place, so that the bound has no seams. Without it a sky in which channel after channel clips falls into bands
of different hue, most of all along the blocks of a JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.expansion.photo import Photo

NEAR, FAR = 0.006, 0.04  # sigmas over which slopes at borders are averaged, shares of the diagonal
FAR_WEIGHT = 0.01  # of the wide average: decides only where no border is near
WHOLE_WEIGHT = 1e-5  # of the average over the picture: decides where none is far and wide
RING = np.ones((5, 5), np.uint8)  # how far outside slopes are looked for
DARKEST = 1e-3  # light below has no slope worth measuring
LEAST_STOPS = 0.02  # bound at the border itself, so that nothing divides by zero


@dataclass(frozen=True)
class RiseOptions:
    steepness: float = 4.0  # times the slope at the border
    least_slope: float = 20.0  # stops per diagonal of the picture


def rise_limit(photo: Photo, size: tuple[int, int], options: RiseOptions = RiseOptions()) -> np.ndarray:
    """(h, w, 3) float32 stops, >= LEAST_STOPS, on a reduced picture of `size` = (w, h)."""
    clipped = cv2.resize(photo.lost.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 127
    inside = clipped.astype(np.uint8)
    diagonal = float(np.hypot(*size))
    ring = (cv2.dilate(inside, RING) - inside).astype(np.float32)
    slope = _average(cv2.dilate(_slope(photo, size), RING)[..., None] * ring, ring, diagonal)
    slope = np.maximum(options.steepness * slope, options.least_slope / diagonal)
    depth = [_depth(np.ascontiguousarray(inside[..., c]), diagonal) for c in range(3)]
    return (np.dstack(depth) * slope[..., None] + LEAST_STOPS).astype(np.float32)


def _depth(inside: np.ndarray, diagonal: float) -> np.ndarray:
    """(h, w) float32 pixels to the border; the diagonal where there is none."""
    if inside.all():
        return np.full(inside.shape, diagonal, np.float32)
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5)


def _slope(photo: Photo, size: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 gradient of log2 light over all channels, stops per reduced pixel."""
    light = cv2.GaussianBlur(cv2.resize(photo.linear, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    stops = np.log2(np.maximum(light, np.float32(DARKEST)))
    square = np.zeros(stops.shape[:2], np.float32)
    for channel in range(3):
        plane = np.ascontiguousarray(stops[..., channel])
        for across, down in ((1, 0), (0, 1)):
            square += cv2.Scharr(plane, cv2.CV_32F, across, down) ** 2
    return np.sqrt(square) / 32  # the kernel's weights on one side


def _average(slope: np.ndarray, ring: np.ndarray, diagonal: float) -> np.ndarray:
    """(h, w): the mean slope of the border near each place."""
    both = np.dstack((slope.sum(axis=2), ring.sum(axis=2)))
    near = cv2.GaussianBlur(both, (0, 0), NEAR * diagonal)
    far = cv2.GaussianBlur(both, (0, 0), FAR * diagonal)
    whole = both.mean(axis=(0, 1))
    total = near + np.float32(FAR_WEIGHT) * far + np.float32(WHOLE_WEIGHT) * whole
    return total[..., 0] / np.maximum(total[..., 1], np.float32(1e-12))
