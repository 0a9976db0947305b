"""Sensor values to a picture: the two colours that each site lacks, from its neighbours.

Bayer arrays by the five 5 x 5 filters of Malvar, He and Cutler 2004 (High-quality linear interpolation for demosaicing
of Bayer-patterned color images, figure 2). Any other array by smooth differences to green. Both work on logarithms of
white-balanced light: there colours differ from each other by what edges of light and shadow leave alike, so that
highlights do not ring.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.mosaic import Mosaic, camera_to_rgb
from openhdr.core.image import REC709, Chromaticities
from openhdr.core.threads import in_threads

HALO = 6  # rows that a site depends on, above and below
STRIP_SITES = 400_000  # worked on at a time
_RADIUS = {"green": 2, "difference": 3}

_CROSS = (
    np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
)
_ALONG = (
    np.array([[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]])
    / 8
)
_DIAGONAL = (
    np.array(
        [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
    )
    / 8
)


def demosaic(light: np.ndarray, mosaic: Mosaic, rows: slice, floor: float) -> np.ndarray:
    """(h, W, 3) float32 white-balanced camera light of some rows of a mosaic.

    light: (h, W) float32 white-balanced light of these rows. floor: light that is added before logarithms are taken,
    of the size of the noise in the dark.
    """
    pattern = np.roll(mosaic.pattern, -(rows.start % mosaic.pattern.shape[0]), axis=0)
    if mosaic.monochrome:
        return np.repeat(np.maximum(light, 0)[..., None], 3, axis=2)
    log = np.log2(np.maximum(light, 0) + np.float32(floor))
    colours = _malvar(log, pattern) if pattern.shape == (2, 2) else _by_differences(log, mosaic, rows)
    np.exp2(colours, out=colours)
    colours -= np.float32(floor)
    return np.maximum(colours, 0, out=colours)


def _malvar(log: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    filtered = {
        name: cv2.filter2D(log, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101)
        for name, kernel in (
            ("cross", _CROSS),
            ("along", _ALONG),
            ("across", _ALONG.T),
            ("diagonal", _DIAGONAL),
        )
    }
    out = np.empty((*log.shape, 3), np.float32)
    for row in (0, 1):
        beside = pattern[row][pattern[row] != 1][0]  # the other colour of this row
        for column in (0, 1):
            site = (slice(row, None, 2), slice(column, None, 2))
            own = pattern[row, column]
            out[*site, own] = log[site]
            if own == 1:
                out[*site, beside] = filtered["along"][site]
                out[*site, 2 - beside] = filtered["across"][site]
            else:
                out[*site, 1] = filtered["cross"][site]
                out[*site, 2 - own] = filtered["diagonal"][site]
    return out


def _by_differences(log: np.ndarray, mosaic: Mosaic, rows: slice) -> np.ndarray:
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


def develop(mosaic: Mosaic, floor: float = 1e-4, primaries: Chromaticities = REC709) -> np.ndarray:
    """(H, W, 3) float32 linear light in `primaries`, 1.0 = a white-balanced site clips first; not turned upright."""
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
