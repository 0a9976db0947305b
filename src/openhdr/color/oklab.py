"""Oklab (Ottosson, "A perceptual color space for image processing", 2020): lightness, and a hue that stays.

L, a, b of linear Rec.709 RGB; white is (1, 0, 0). Hue is the angle of (a, b), chroma its length.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

LIGHTNESSES, HUES = 192, 480  # entries of the table of chromas that a display has

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OPPONENTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def from_linear(linear: np.ndarray) -> np.ndarray:
    """(..., 3) linear Rec.709 RGB, >= 0 -> (..., 3) Oklab, float64."""
    return np.cbrt(np.asarray(linear, np.float64) @ _CONES.T) @ _OPPONENTS.T


def to_linear(lab: np.ndarray) -> np.ndarray:
    """(..., 3) Oklab -> (..., 3) linear Rec.709 RGB, float64; outside of the gamut below 0 or above 1."""
    return (np.asarray(lab, np.float64) @ np.linalg.inv(_OPPONENTS).T) ** 3 @ np.linalg.inv(_CONES).T


def fit_gamut(linear: np.ndarray) -> None:
    """Bring colours with a channel above 1 into 0..1, in place: lightness and hue are kept, chroma is reduced.

    linear: (H, W, 3) float32, >= 0. Lightness above white becomes white.
    """
    outside = np.maximum(np.maximum(linear[..., 0], linear[..., 1]), linear[..., 2]) > 1
    if not outside.any():
        return
    bright = linear[outside][None]
    roots = cv2.pow(cv2.transform(bright, _CONES), 1 / 3).reshape(bright.shape)
    lightness, a, b = cv2.split(cv2.transform(roots, _OPPONENTS))
    np.minimum(lightness, 1, out=lightness)
    chroma, hue = cv2.cartToPolar(a, b)
    largest = _read(_largest_chroma(), lightness * (LIGHTNESSES - 1), hue * np.float32(HUES / (2 * np.pi)))
    share = np.minimum(largest / np.maximum(chroma, np.float32(1e-9)), 1)
    roots = cv2.transform(cv2.merge((lightness, a * share, b * share)), np.linalg.inv(_OPPONENTS))
    linear[outside] = np.clip(cv2.transform(roots * roots * roots, np.linalg.inv(_CONES))[0], 0, 1)


def _read(table: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Bilinear, at positions from 0 to one before the last."""
    up, left = np.floor(row).astype(np.int32), np.floor(column).astype(np.int32)
    np.minimum(up, len(table) - 2, out=up)
    np.minimum(left, table.shape[1] - 2, out=left)
    down, right = (row - up).astype(np.float32), (column - left).astype(np.float32)
    start = up * table.shape[1] + left
    upper = table.take(start) * (1 - right) + table.take(start + 1) * right
    start += table.shape[1]
    lower = table.take(start) * (1 - right) + table.take(start + 1) * right
    return upper + (lower - upper) * down


@cache
def _largest_chroma() -> np.ndarray:
    """(LIGHTNESSES, HUES + 1) float32: the largest chroma with which Rec.709 shows a lightness and hue."""
    lightness, hue = np.meshgrid(
        np.linspace(0, 1, LIGHTNESSES), np.linspace(0, 2 * np.pi, HUES + 1), indexing="ij"
    )
    low, high = np.zeros_like(hue), np.full_like(hue, 0.4)  # the chroma of the most colourful primary is 0.32
    for _ in range(12):
        middle = (low + high) / 2
        shown = to_linear(np.dstack((lightness, middle * np.cos(hue), middle * np.sin(hue))))
        inside = (shown.min(axis=2) >= -1e-6) & (shown.max(axis=2) <= 1 + 1e-6)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low.astype(np.float32)
