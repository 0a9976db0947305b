"""Sensor values to a picture: the two colours that each site lacks, from its neighbours.

Bayer arrays: green along rows and along columns by the filter of Hamilton and Adams (US patent 5,629,734, 1997), both
weighed by how smooth the difference to the other colour is in either direction (Menon, Andriani and Calvagno 2007,
Demosaicing with directional filtering and a posteriori decision, choose one of the two); red and blue by linear
differences to green. Any other array by smooth differences to green. All work on logarithms of white-balanced light:
there colours differ by what edges of light and shadow leave alike, so that highlights do not ring.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.mosaic import Mosaic, camera_to_rgb
from openhdr.core.image import REC709, Chromaticities
from openhdr.core.threads import in_threads

HALO = 12  # rows that a site depends on, above and below, or more
FLOORS = 2.0  # of the read noise, that make the floor of logarithms
STRIP_SITES = 400_000  # worked on at a time
_GREEN = np.array([[-1, 2, 2, 2, -1]], np.float32) / 4
_CHANGE = (np.array([[-1, 0, 1, 0, 0]], np.float32), np.array([[0, 0, -1, 0, 1]], np.float32))
TINY = np.float32(1e-6)
_WINDOW = (5, 5)  # sites over which the smoothness of a direction is judged
_MEAN = np.full((1, 3), 1 / 3, np.float32)
_TENT = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 4  # linear between sites two apart
_RADIUS = {"green": 2, "difference": 3}


def demosaic(light: np.ndarray, mosaic: Mosaic, rows: slice, floor: float) -> np.ndarray:
    """(h, W, 3) float32 white-balanced camera light of some rows of a mosaic.

    light: (h, W) float32 white-balanced light of these rows. floor: light that is added before logarithms are taken,
    of the size of the noise in the dark.
    """
    pattern = np.roll(mosaic.pattern, -(rows.start % mosaic.pattern.shape[0]), axis=0)
    if mosaic.monochrome:
        return np.repeat(np.maximum(light, 0)[..., None], 3, axis=2)
    log = np.log2(np.maximum(light, 0) + np.float32(floor))
    colours = by_directions(log, pattern) if pattern.shape == (2, 2) else by_differences(log, mosaic, rows)
    np.exp2(colours, out=colours)
    colours -= np.float32(floor)
    return np.maximum(colours, 0, out=colours)


def by_directions(log: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    down, across = -(-log.shape[0] // 2), -(-log.shape[1] // 2)
    colour = np.tile(pattern, (down, across))[: log.shape[0], : log.shape[1]]
    is_green = colour == 1
    greens, costs = [], []
    for turn in (np.asarray, np.transpose):  # along rows, along columns
        green = np.where(is_green, log, _filtered(log, turn(_GREEN)))
        difference = np.where(is_green, 0, log - green)
        change = sum(np.abs(_filtered(difference, turn(kernel))) for kernel in _CHANGE)
        costs.append(np.square(cv2.GaussianBlur(change, _WINDOW, 1.0, borderType=cv2.BORDER_REFLECT_101)))
        greens.append(green)
    along = (costs[1] + TINY) / (costs[0] + costs[1] + 2 * TINY)
    green = along * greens[0] + (1 - along) * greens[1]
    out = _with_differences(log, green, colour)
    # green of red and blue sites once more, from differences that are smoothed in the better direction
    for other in (0, 2):
        difference = out[..., other] - out[..., 1]
        smooth = along * _filtered(difference, _MEAN) + (1 - along) * _filtered(difference, _MEAN.T)
        green = np.where(colour == other, log - smooth, green)
    return _with_differences(log, green, colour)


def _with_differences(log: np.ndarray, green: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(h, w, 3): red and blue as green plus linearly interpolated differences."""
    out = np.empty((*log.shape, 3), np.float32)
    out[..., 1] = green
    for other in (0, 2):
        out[..., other] = green + _filtered(np.where(colour == other, log - green, 0), _TENT)
    return out


def _filtered(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.filter2D(values, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101)


def by_differences(log: np.ndarray, mosaic: Mosaic, rows: slice) -> np.ndarray:
    masks = [mosaic.tiled((mosaic.pattern == colour).astype(np.float32), rows) for colour in range(3)]
    green = _spread(log, masks[1], _RADIUS["green"])
    out = np.empty((*log.shape, 3), np.float32)
    out[..., 1] = green
    for colour in (0, 2):
        out[..., colour] = green + _spread(log - green, masks[colour], _RADIUS["difference"])
    return out


def _spread(values: np.ndarray, mask: np.ndarray, radius: int) -> np.ndarray:
    """Values known where the mask is 1, everywhere: the weighted mean of the known ones around."""
    size, sigma = 2 * radius + 1, radius / 2
    total = cv2.GaussianBlur(values * mask, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    weight = cv2.GaussianBlur(mask, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.where(mask > 0, values, total / np.maximum(weight, np.float32(1e-6)))


def develop(mosaic: Mosaic, floor: float | None = None, primaries: Chromaticities = REC709) -> np.ndarray:
    """(H, W, 3) float32 linear light in `primaries`, 1.0 = a white-balanced site clips first; not turned upright.

    floor: see `demosaic`; by default from what the mosaic says of its noise.
    """
    if floor is None:
        floor = FLOORS * max(mosaic.noise.read, 1e-6) if mosaic.noise else 1e-3
    height, width = mosaic.shape
    out = np.empty((height, width, 3), np.float32)
    matrix = camera_to_rgb(mosaic.neutral, None if mosaic.monochrome else mosaic.matrix, primaries)
    gains = mosaic.gains[mosaic.pattern]

    def work(rows: slice) -> None:
        wide = slice(max(rows.start - HALO, 0), min(rows.stop + HALO, height))
        light = mosaic.light(wide) * mosaic.tiled(gains, wide)
        colours = demosaic(light, mosaic, wide, floor)[rows.start - wide.start :][: rows.stop - rows.start]
        out[rows] = np.maximum(cv2.transform(colours, matrix), 0)

    step = max(STRIP_SITES // width // HALO * HALO, HALO)
    in_threads(work, [slice(top, min(top + step, height)) for top in range(0, height, step)])
    return out
