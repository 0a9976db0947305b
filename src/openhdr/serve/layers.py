"""Pictures on disk as pyramids of tiles: arrays that are mapped, never loaded whole.

A layer is a folder with files 0.npy, 1.npy ...: the picture, and copies of half the size each. Light is float32,
linear; code values and masks are uint8. A browser gets tiles as it gives them to the graphics card: RGBA, half floats
or bytes.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TILE = 512  # pixels, each side
COARSEST = 1024  # pixels of the longer side of the smallest copy, at most
LOW_STOPS, HIGH_STOPS, BINS = -16, 16, 256  # of histograms
HALF_MAX = float(np.finfo(np.float16).max)


def write_layer(folder: Path, pixels: np.ndarray) -> list[list[int]]:
    """Write a picture, (H, W) or (H, W, C), and its smaller copies; [width, height] of each."""
    folder.mkdir(parents=True)
    sizes: list[list[int]] = []
    while True:
        np.save(folder / f"{len(sizes)}.npy", pixels)
        height, width = pixels.shape[:2]
        sizes.append([width, height])
        if max(height, width) <= COARSEST:
            return sizes
        half = (math.ceil(width / 2), math.ceil(height / 2))
        pixels = cv2.resize(pixels, half, interpolation=cv2.INTER_AREA)


def mapped(folder: Path, level: int) -> np.ndarray:
    """A picture of a layer; pixels are read from the file when they are used."""
    return np.load(folder / f"{level}.npy", mmap_mode="r", allow_pickle=False)


def tile(folder: Path, level: int, column: int, row: int) -> bytes | None:
    """RGBA of a tile, row by row: float16, little-endian, or bytes. None where there is none."""
    if not (folder / f"{level}.npy").is_file():
        return None
    rows, columns = (slice(place * TILE, (place + 1) * TILE) for place in (row, column))
    part = mapped(folder, level)[rows, columns]
    if 0 in part.shape:
        return None
    light = part.dtype == np.float32
    result = np.empty((*part.shape[:2], 4), np.dtype("<f2") if light else np.uint8)
    part = part if part.ndim == 3 else part[..., None]
    result[..., :3] = np.minimum(part, HALF_MAX) if light else part
    result[..., 3] = 1 if light else 255
    return result.tobytes()


def probe(folder: Path, x: float, y: float) -> list[float]:
    """The values of the pixel at a place in 0..1 of width and height."""
    pixels = mapped(folder, 0)
    height, width = pixels.shape[:2]
    column, row = (min(max(int(place * side), 0), side - 1) for place, side in ((x, width), (y, height)))
    return [float(value) for value in np.atleast_1d(pixels[row, column])]


def histogram(light: np.ndarray) -> dict[str, Any]:
    """Counts of each channel over log2 of the light, LOW_STOPS to HIGH_STOPS; what is beyond counts at the ends."""
    step = max(math.isqrt(light.shape[0] * light.shape[1] // 2_000_000), 1)
    stops = np.log2(np.maximum(light[::step, ::step], 2.0**LOW_STOPS))
    bins = ((stops - LOW_STOPS) * (BINS / (HIGH_STOPS - LOW_STOPS))).astype(np.int32)
    bins = np.clip(bins, 0, BINS - 1)
    counts = [np.bincount(bins[..., channel].ravel(), minlength=BINS).tolist() for channel in range(3)]
    return {"low": LOW_STOPS, "high": HIGH_STOPS, "counts": counts}
