"""Separable resampling as MATLAB's `imresize` does it, because published metrics and operators rely on it.

Cubic kernel with a = -0.5 (Keys 1981, eq. 4) or a triangle; the kernel is widened by the reduction when
shrinking (antialiasing); borders mirror with the border pixel repeated; weights sum to one. Common Python
resizers differ in at least one of these.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Kernel = Literal["linear", "cubic"]
_ROWS = 32  # output rows at a time
_SINGLE_THREAD = 1 << 18  # multiplications: OpenBLAS uses one thread up to here
_RADIUS = {"linear": 1.0, "cubic": 2.0}


def resize(
    plane: np.ndarray, shape: tuple[int, int], kernel: Kernel, scale: float | None = None
) -> np.ndarray:
    """Resample a plane: (H, W) float64 -> `shape` float64.

    scale: output pixels per input pixel; None = the ratio of the sizes, for each direction its own.
    """
    if plane.shape == tuple(shape):
        return plane
    down, across = (
        _weights(size, wanted, kernel, scale or wanted / size)
        for size, wanted in zip(plane.shape, shape, strict=True)
    )
    return _resampled(_resampled(plane, down, 0), across, 1)


def _resampled(plane: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """(h, w) -> (n, w) along axis 0: weights @ plane; or (h, n) along axis 1: plane @ weights.T. weights: (n, h or w).

    Leaves out the zeros beside the diagonal, and stays below the size at which BLAS starts threads of its own:
    waiting for them costs more than the work, above all beside other work.
    """
    across = plane.shape[1 - axis]
    result = np.empty((across, len(weights)) if axis else (len(weights), across))
    for start in range(0, len(weights), _ROWS):
        here = slice(start, start + _ROWS)
        used = np.flatnonzero(weights[here].any(axis=0))
        near = slice(used[0], used[-1] + 1)
        block = np.ascontiguousarray(weights[here, near])
        step = max(1, _SINGLE_THREAD // block.size)
        for part in (slice(first, first + step) for first in range(0, across, step)):
            if axis:
                result[part, here] = plane[part, near] @ block.T
            else:
                result[here, part] = block @ plane[near, part]
    return result


def _weights(size: int, wanted: int, kernel: Kernel, scale: float) -> np.ndarray:
    """(wanted, size) float64: row i holds the weights of the input samples in output sample i."""
    width = min(scale, 1.0)
    radius = _RADIUS[kernel] / width
    centre = (np.arange(wanted) + 0.5) / scale - 0.5
    first = np.floor(centre - radius).astype(int)
    samples = first[:, None] + np.arange(int(np.ceil(2 * radius)) + 2)
    weights = _kernel(np.abs(centre[:, None] - samples) * width, kernel)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.concatenate([np.arange(size), np.arange(size)[::-1]])[samples % (2 * size)]
    matrix = np.zeros((wanted, size))
    np.add.at(matrix, (np.arange(wanted)[:, None], mirrored), weights)
    return matrix


def _kernel(distance: np.ndarray, kernel: Kernel) -> np.ndarray:
    """Kernel value at a distance >= 0 in (widened) pixels."""
    if kernel == "linear":
        return np.maximum(1 - distance, 0)
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance <= 1, near, np.where(distance <= 2, far, 0))
