"""What a sensor measured behind its colour filter array: one colour a site, linear, not yet a picture.

Colours are numbered 0 red, 1 green, 2 blue. Bayer arrays repeat every 2 x 2 sites, X-Trans every 6 x 6; a monochrome
sensor has one colour, green. White balance and camera matrix follow the DNG specification 1.7.1, chapter 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from openhdr.camera.noise import NoiseModel
from openhdr.color.primaries import adaptation, to_xyz
from openhdr.core.errors import RequestError
from openhdr.core.image import REC709, Chromaticities, Exposure
from openhdr.core.threads import in_threads

XTRANS = ("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG")
ARRAYS: Mapping[str, tuple[str, ...]] = {
    "rggb": ("RG", "GB"),
    "bggr": ("BG", "GR"),
    "grbg": ("GR", "BG"),
    "gbrg": ("GB", "RG"),
    "xtrans": XTRANS,
    "mono": ("GG", "GG"),
}
"""Colour filter arrays by name, row by row."""

STRIP_ROWS = 64  # of a proxy, made at a time


def pattern_of(array: str) -> np.ndarray:
    """(p, q) uint8 colours of an array in ARRAYS."""
    return np.array([["RGB".index(letter) for letter in row] for row in ARRAYS[array]], np.uint8)


@dataclass(frozen=True)
class Mosaic:
    """Sensor values of one shot, or of several merged.

    values: (H, W) uint16 codes, or float32. pattern: (p, q) uint8, the colour of each site, repeated from the top left.
    black, white: (p, q) float32, codes of no light and of clipping, by site.
    neutral: (3,) float64, what the camera shows of white, relative to its largest channel.
    matrix: (3, 3) float64, XYZ -> camera, or None where it is not known.
    noise: of the shot in units of the clipping level, or None. orientation: EXIF 1..8, of the picture; not applied.
    """

    values: np.ndarray
    pattern: np.ndarray
    black: np.ndarray
    white: np.ndarray
    neutral: np.ndarray
    matrix: np.ndarray | None = None
    noise: NoiseModel | None = None
    orientation: int = 1
    exposure: Exposure | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or min(self.values.shape) < 2 * max(self.pattern.shape):
            raise RequestError(f"sensor values have shape {self.values.shape}; expected (height, width)")
        if not (np.isfinite(self.neutral).all() and (self.neutral > 0).all()):
            raise RequestError(f"the white balance {self.neutral} is impossible; expected numbers above 0")
        if not (self.white > self.black).all():
            raise RequestError("the white level is not above the black level")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) sites."""
        height, width = self.values.shape
        return height, width

    @property
    def monochrome(self) -> bool:
        return bool((self.pattern == self.pattern[0, 0]).all())

    @property
    def cell(self) -> int:
        """Sites each way of the smallest square that holds every colour."""
        return 3 if len(self.pattern) % 3 == 0 else 2

    @cached_property
    def gains(self) -> np.ndarray:
        """(3,) float32 white-balance gains, the least of them 1."""
        return (self.neutral.max() / self.neutral).astype(np.float32)

    def cut(self, rows: slice, columns: slice) -> Mosaic:
        """A part that begins with the array."""
        return replace(self, values=np.ascontiguousarray(self.values[rows, columns]))

    def tiled(self, tile: np.ndarray, rows: slice) -> np.ndarray:
        """(h, W): a tile of the array's size (p, q), repeated over some rows."""
        across = np.tile(tile, -(-self.shape[1] // tile.shape[1]))[:, : self.shape[1]]
        return across[np.arange(rows.start, rows.stop) % len(tile)]

    def light(self, rows: slice) -> np.ndarray:
        """(h, W) float32 light of some rows, 1.0 = the site clips; noise may take it below 0."""
        codes = self.values[rows].astype(np.float32)
        if self.black.any():
            codes -= self.tiled(self.black.astype(np.float32), rows)
        scale = (1 / (self.white - self.black)).astype(np.float32)
        if (scale != 1).any():
            codes *= self.tiled(scale, rows)
        return codes


def camera_to_rgb(
    neutral: np.ndarray, matrix: np.ndarray | None, primaries: Chromaticities = REC709
) -> np.ndarray:
    """(3, 3) float32: white-balanced camera light -> linear RGB of `primaries`; white stays white.

    neutral, matrix: see `Mosaic`. The light's white is what the neutral shows through the matrix; it is adapted to that
    of the primaries by Bradford. Without a matrix the camera's colours are taken as those of the primaries.
    """
    if matrix is None:
        return np.eye(3, dtype=np.float32)
    to_light = np.linalg.inv(matrix)
    white = to_light @ neutral
    target = to_xyz(primaries)
    adapted = adaptation(white / white[1], target.sum(1)) @ to_light @ np.diag(neutral)
    full = np.linalg.inv(target) @ adapted
    return (full / full.sum(axis=1, keepdims=True)).astype(np.float32)


def proxy(mosaic: Mosaic) -> np.ndarray:
    """A picture without a colour filter array: (h, w, 3) float32 light, 1.0 = clips; one pixel a cell.

    Weights fall off beside the cell, so that all colours are centred on it.
    """
    cell = mosaic.cell
    height, width = (side // cell for side in mosaic.shape)
    out = np.empty((height, width, 3), np.float32)
    kernel = np.convolve(np.ones(cell), [1, 2, 1]).astype(np.float32)
    anchor = ((len(kernel) - 1) // 2,) * 2  # an even window is centred between two sites
    first = cell // 2 if cell % 2 else 0

    def work(rows: slice) -> None:
        top = max(rows.start - 2, 0)
        wide = slice(top * cell, min((rows.stop + 2) * cell, mosaic.shape[0]))
        light = np.clip(mosaic.light(wide), 0, 1)
        inner = slice((rows.start - top) * cell + first, (rows.stop - top) * cell, cell)
        for colour in range(3):
            tile = (mosaic.pattern == (1 if mosaic.monochrome else colour)).astype(np.float32)
            sites = mosaic.tiled(tile, wide)
            total, weight = (
                cv2.sepFilter2D(
                    one, cv2.CV_32F, kernel, kernel, anchor=anchor, borderType=cv2.BORDER_REFLECT_101
                )
                for one in (light * sites, sites)
            )
            columns = slice(first, width * cell, cell)
            out[rows, :, colour] = total[inner, columns] / weight[inner, columns]

    in_threads(work, [slice(top, min(top + STRIP_ROWS, height)) for top in range(0, height, STRIP_ROWS)])
    return out
