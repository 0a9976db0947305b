"""Edge-preserving smoothing on a coarse grid of place and brightness.

Paris and Durand, "A Fast Approximation of the Bilateral Filter using a Signal Processing Approach", ECCV
2006; Chen, Paris and Durand, "Real-time Edge-aware Image Processing with the Bilateral Grid", SIGGRAPH 2007.
Values are summed into the nearest cell, the grid is blurred by a Gaussian of one cell, and the quotient of
value and count is read back by trilinear interpolation at the guide's brightness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.core.threads import in_threads

PAD = 3  # empty cells around the grid; the blur reaches one cell, interpolation one more
BLUR = np.exp([-0.5, 0.0, -0.5])  # Gaussian of standard deviation one cell, three taps
SLICE_ROWS = 64  # rows a thread reads back at a time
SPLAT_PIXELS = 1_000_000  # rows are summed in blocks of about so many pixels


@dataclass(frozen=True)
class Cells:
    """spatial_px: width of a cell in pixels. tonal: its height in guide units. low: least guide value."""

    spatial_px: float
    tonal: float
    low: float
    shape: tuple[int, int, int]


def joint_bilateral(values: np.ndarray, guide: np.ndarray, spatial_px: float, tonal: float) -> np.ndarray:
    """Smooth `values` where `guide` is alike.

    values, guide: (H, W) float, one dtype, finite. spatial_px, tonal: standard deviations in pixels and in
    the guide's unit, > 0; also the cells' size. Returns (H, W) of the same dtype.
    """
    low, high = float(guide.min()), float(guide.max())
    lengths = ((guide.shape[0] - 1) / spatial_px, (guide.shape[1] - 1) / spatial_px, (high - low) / tonal)
    rows, columns, levels = (math.floor(length) + 1 + 2 * PAD for length in lengths)
    cells = Cells(spatial_px, tonal, low, (rows, columns, levels))
    total, count = _splat(values, guide, cells)
    count = _blur(count)
    return _slice(_blur(total) / np.where(count > 0, count, 1), guide, cells)


def _splat(values: np.ndarray, guide: np.ndarray, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    height, width = guide.shape
    _, across, up = cells.shape
    size = math.prod(cells.shape)
    total, count = np.zeros(size), np.zeros(size)
    rows = _nearest(np.arange(height) / cells.spatial_px) * (across * up)
    columns = _nearest(np.arange(width) / cells.spatial_px) * up
    step = max(SPLAT_PIXELS // width, 1)
    for top in range(0, height, step):
        block = slice(top, top + step)
        cell = _nearest((guide[block] - cells.low) / cells.tonal) + rows[block, None] + columns
        total += np.bincount(cell.ravel(), values[block].ravel(), size)
        count += np.bincount(cell.ravel(), minlength=size)
    return total.reshape(cells.shape), count.reshape(cells.shape)


def _nearest(position: np.ndarray) -> np.ndarray:
    """Index of the nearest cell, halves upwards."""
    return (position + (PAD + 0.5)).astype(np.int64)


def _blur(grid: np.ndarray) -> np.ndarray:
    for axis in range(3):
        source = np.moveaxis(grid, axis, 0)
        blurred = BLUR[1] * source
        blurred[1:] += BLUR[0] * source[:-1]
        blurred[:-1] += BLUR[2] * source[1:]
        grid = np.moveaxis(blurred, 0, axis)
    return grid


def _slice(grid: np.ndarray, guide: np.ndarray, cells: Cells) -> np.ndarray:
    """Trilinear interpolation: along the rows once for a row, then bilinear in column and brightness."""
    height, width = guide.shape
    up = grid.shape[2]
    grid = grid.astype(guide.dtype).reshape(grid.shape[0], -1)
    row, row_share = _position(np.arange(height) / cells.spatial_px, guide.dtype)
    column, column_share = _position(np.arange(width) / cells.spatial_px, guide.dtype)
    result = np.empty_like(guide)

    def work(top: int) -> None:
        for y in range(top, min(top + SLICE_ROWS, height)):
            level, share = _position((guide[y] - cells.low) / cells.tonal, guide.dtype)
            plane = grid[row[y]] + row_share[y] * (grid[row[y] + 1] - grid[row[y]])
            index = column * up + level
            left = plane[index] + share * (plane[index + 1] - plane[index])
            index += up
            right = plane[index] + share * (plane[index + 1] - plane[index])
            result[y] = left + column_share * (right - left)

    in_threads(work, range(0, height, SLICE_ROWS))
    return result


def _position(position: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Cell below a position and the share of the next one."""
    below = position.astype(np.int64)  # positions are >= 0
    return below + PAD, (position - below).astype(dtype)
