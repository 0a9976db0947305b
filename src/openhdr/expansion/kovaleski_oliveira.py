"""Kovaleski and Oliveira, High-quality reverse tone mapping for a wide range of exposures, SIBGRAPI 2014.

The boost is a cross-bilateral filter: the share of clipped pixels among neighbours that are near and of like
brightness. It is smooth, stops at edges, and boosts bright areas of over-exposed photos without a threshold
at their border. Computed on a bilateral grid (Chen, Paris and Durand, SIGGRAPH 2007), as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.color.luminance import luminance
from openhdr.expansion.photo import Photo


@dataclass(frozen=True)
class KovaleskiOliveiraOptions:
    threshold: float = 0.98  # code of the brightest channel from which a pixel counts as clipped
    peak: float = 4.0  # greatest boost
    spatial: float = 0.068  # sigma over the diagonal: the paper's 150 pixels at 1920 x 1080
    tonal: float = 0.1  # sigma in codes: the paper's 25 of 255


def kovaleski_oliveira(
    photo: Photo,
    options: KovaleskiOliveiraOptions = KovaleskiOliveiraOptions(),
) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    mask = (photo.code >= options.threshold).any(axis=2)
    tone = luminance(photo.code)
    enhance = bilateral_share(mask, tone, options.spatial * photo.diagonal, options.tonal)
    return photo.linear * (1 + np.float32(options.peak - 1) * enhance)[..., None]


def bilateral_share(mask: np.ndarray, tone: np.ndarray, spatial: float, tonal: float) -> np.ndarray:
    """(H, W) float32 0..1: the mean of `mask` over pixels near in place and tone.

    mask: (H, W) bool. tone: (H, W) float32 0..1. spatial: pixels. tonal: sigma in units of tone.
    """
    step = max(spatial / 2, 1.0)  # pixels a cell: two cells a sigma
    layers = int(np.ceil(1 / (tonal / 2))) + 1
    sums, counts = _splat(mask, tone, step, layers)
    sums, counts = (_blur(grid, spatial / step, tonal * (layers - 1)) for grid in (sums, counts))
    return _slice(sums / np.maximum(counts, 1e-6), tone, step)


def _splat(mask: np.ndarray, tone: np.ndarray, step: float, layers: int) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, layers) sums of the mask and counts of pixels per cell."""
    height, width = tone.shape
    shape = (int(height / step) + 2, int(width / step) + 2, layers)
    y = ((np.arange(height) / step + 0.5).astype(np.int32) * shape[1])[:, None]
    x = (np.arange(width) / step + 0.5).astype(np.int32)
    cell = ((y + x) * layers + np.rint(tone * (layers - 1)).astype(np.int32)).ravel()
    counts = np.bincount(cell, minlength=np.prod(shape))
    sums = np.bincount(cell[mask.ravel()], minlength=np.prod(shape))
    return sums.reshape(shape).astype(np.float32), counts.reshape(shape).astype(np.float32)


def _blur(grid: np.ndarray, spatial: float, tonal: float) -> np.ndarray:
    """Gaussian over all three axes, sigmas in cells."""
    grid = cv2.GaussianBlur(grid, (0, 0), spatial, borderType=cv2.BORDER_CONSTANT)
    flat = grid.reshape(-1, grid.shape[2])
    kernel = cv2.getGaussianKernel(2 * int(3 * tonal) + 1, tonal, cv2.CV_32F).T
    return cv2.filter2D(flat, -1, kernel, borderType=cv2.BORDER_CONSTANT).reshape(grid.shape)


def _slice(grid: np.ndarray, tone: np.ndarray, step: float) -> np.ndarray:
    """The grid read at every pixel: linear in place and tone, (H, W) float32."""
    height, width = tone.shape
    layers = grid.shape[2]
    level = tone * np.float32(layers - 1)
    x = np.broadcast_to(np.arange(width, dtype=np.float32) / np.float32(step), tone.shape)
    y = np.broadcast_to((np.arange(height, dtype=np.float32) / np.float32(step))[:, None], tone.shape)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    result = np.zeros(tone.shape, np.float32)
    for layer in range(layers):
        share = np.maximum(1 - np.abs(level - layer), 0)
        plane = np.ascontiguousarray(grid[..., layer])
        result += share * cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return result
