"""Sensor values to a picture: the two colours that each site lacks, from its neighbours.

Bayer arrays: green along rows and along columns by the filter of Hamilton and Adams (US patent 5,629,734, 1997), both
weighed by how smooth the difference to the other colour is in either direction (Menon, Andriani and Calvagno 2007,
Demosaicing with directional filtering and a posteriori decision, choose one of the two); red and blue by linear
differences to green. Other arrays in the same way from the sites that they have. All work on logarithms of
white-balanced light: there colours differ by what edges of light and shadow leave alike, so that highlights do not
ring.
"""

from __future__ import annotations

from collections.abc import Callable

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
_BESIDE = np.array([[0.1, 1, 0, 1, 0.1]], np.float32)
_SLOPE = np.array([[-1, 0, 1]], np.float32)


def demosaic(light: np.ndarray, mosaic: Mosaic, rows: slice, floor: float) -> np.ndarray:
    """(h, W, 3) float32 white-balanced camera light of some rows of a mosaic.

    light: (h, W) float32 white-balanced light of these rows. floor: light that is added before logarithms are taken,
    of the size of the noise in the dark.
    """
    if mosaic.monochrome:
        return np.repeat(np.maximum(light, 0)[..., None], 3, axis=2)
    log = np.log2(np.maximum(light, 0) + np.float32(floor))
    colour = mosaic.tiled(mosaic.pattern, rows)
    colours = by_directions(log, colour) if mosaic.pattern.shape == (2, 2) else by_neighbours(log, colour)
    np.exp2(colours, out=colours)
    colours -= np.float32(floor)
    return np.maximum(colours, 0, out=colours)


def by_directions(log: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(h, w, 3) of a Bayer array: green by Hamilton and Adams, smooth where its difference to the other colour is."""
    is_green = colour == 1
    greens, costs = [], []
    for turn in (np.asarray, np.transpose):  # along rows, along columns
        green = np.where(is_green, log, _filtered(log, turn(_GREEN)))
        difference = np.where(is_green, 0, log - green)
        costs.append(sum(np.abs(_filtered(difference, turn(kernel))) for kernel in _CHANGE))
        greens.append(green)
    return _combined(log, colour, greens, costs, lambda values, mask: _filtered(values * mask, _TENT))


def by_neighbours(log: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(h, w, 3) of any array: green from the green sites of a row or column, smooth where green itself is."""
    mask = (colour == 1).astype(np.float32)
    dense = _spread(log, mask, 2, 0.8)
    greens, costs = [], []
    for turn in (np.asarray, np.transpose):
        kernel = turn(_BESIDE)
        beside = _filtered(log * mask, kernel) / np.maximum(_filtered(mask, kernel), TINY)
        greens.append(np.where(mask > 0, log, beside))
        costs.append(np.abs(_filtered(dense, turn(_SLOPE))))
    return _combined(log, colour, greens, costs, lambda values, mask: _spread(values, mask, 3, 1.0))


def _combined(
    log: np.ndarray,
    colour: np.ndarray,
    greens: list[np.ndarray],
    costs: list[np.ndarray],
    interpolated: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """(h, w, 3) from greens along rows and along columns and how rough each direction is.

    interpolated: values (h, w) that are known where a mask is 1 -> everywhere.
    """
    rough = [
        np.square(cv2.GaussianBlur(one, _WINDOW, 1.0, borderType=cv2.BORDER_REFLECT_101)) for one in costs
    ]
    along = (rough[1] + TINY) / (rough[0] + rough[1] + 2 * TINY)
    green = along * greens[0] + (1 - along) * greens[1]
    masks = {other: (colour == other).astype(np.float32) for other in (0, 2)}
    out = np.empty((*log.shape, 3), np.float32)
    for repeated in (False, True):
        if (
            repeated
        ):  # green of red and blue sites once more, from differences smoothed in the better direction
            for other, mask in masks.items():
                difference = out[..., other] - out[..., 1]
                smooth = along * _filtered(difference, _MEAN) + (1 - along) * _filtered(difference, _MEAN.T)
                green = np.where(mask > 0, log - smooth, green)
        out[..., 1] = green
        for other, mask in masks.items():
            out[..., other] = green + interpolated(log - green, mask)
    return out


def _filtered(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.filter2D(values, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101)


def _spread(values: np.ndarray, mask: np.ndarray, radius: int, sigma: float) -> np.ndarray:
    """Values known where the mask is 1, everywhere: the weighted mean of the known ones around."""
    size = (2 * radius + 1, 2 * radius + 1)
    total, weight = (
        cv2.GaussianBlur(one, size, sigma, borderType=cv2.BORDER_REFLECT_101) for one in (values * mask, mask)
    )
    return np.where(mask > 0, values, total / np.maximum(weight, TINY))


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
