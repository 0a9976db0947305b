"""What cameras did to brackets from a tripod: real ones and simulated ones side by side.

    python benchmarks/camera_facts.py FOLDER...      photos with exposures as for `openhdr bench heldout`, or brackets
                                                     of `openhdr simulate`

contrast   stops that a true step of one stop shows when decoded by sRGB, medians by the mean code of a pair
noise      rms of fine detail in 8-bit codes, 20 % quietest blocks, by level (Immerkaer, Fast noise variance
           estimation, CVIU 64(2), 1996), over all photos
black      share of code 0 in the shortest photo
c, s, o    how well a plain merge explains its own photos (bench/without_truth/scores.py), in dB
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from openhdr.bench.without_truth.brackets import Size, photo_sets
from openhdr.bench.without_truth.scores import Photo, one_curve, per_channel, shared, usable_photos
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import FileError
from openhdr.data.readers import open_dataset

LIGHT = np.maximum(srgb_decode(np.arange(256) / 255), 1e-5)
CODES = ((12, 40), (38, 80), (80, 130), (130, 180), (180, 230), (225, 252))
STEP = (0.4, 2.6)  # stops between photos that are compared
REACH = 25  # codes that a pair may lie outside of its range
LEAST = 500  # pixels, or a tenth as many blocks
BLOCK = 8
DETAIL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def brackets(folder: Path) -> Iterator[tuple[str, list[Photo]]]:
    """Names and photos, shortest first."""
    try:
        for sample in open_dataset("simulated", folder):
            yield sample.name, [Photo(f, ev) for f, ev in zip(sample.frames, sample.ev, strict=True)]
    except FileError:
        for one in photo_sets(folder):
            photos, _ = one.load(Size())
            yield one.name, [Photo(f.pixels, ev) for f, ev in zip(photos.frames, photos.ev, strict=True)]


def contrast(photos: list[Photo]) -> list[float | None]:
    """Medians for each range of CODES."""
    found: list[list[float]] = [[] for _ in CODES]
    for short, long in pairwise(photos):
        step = long.ev - short.ev
        if not STEP[0] < step < STEP[1]:
            continue
        a, b = short.codes.astype(float), long.codes.astype(float)
        shown = np.log2(LIGHT[long.codes] / LIGHT[short.codes]) / step
        for values, (low, high) in zip(found, CODES, strict=True):
            near = (np.minimum(a, b) >= max(5, low - REACH)) & (np.maximum(a, b) <= min(252, high + REACH))
            chosen = near & (a + b >= 2 * low) & (a + b < 2 * high)
            if chosen.sum() > LEAST:
                values.append(float(np.median(shown[chosen])))
    return [float(np.median(values)) if values else None for values in found]


def noise(photos: list[Photo]) -> list[float | None]:
    """Medians over the photos for each range of CODES, of green."""
    found: list[list[float]] = [[] for _ in CODES]
    for photo in photos:
        green = photo.codes[..., 1].astype(np.float32)
        height, width = (side // BLOCK * BLOCK for side in green.shape)
        blocks = (height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        fine = cv2.filter2D(green, -1, DETAIL)[:height, :width]
        rms = np.sqrt((fine**2).reshape(blocks).mean((1, 3)))
        level = green[:height, :width].reshape(blocks).mean((1, 3))
        for values, (low, high) in zip(found, CODES, strict=True):
            chosen = rms[(level >= low) & (level < high)]
            if len(chosen) > LEAST // 10:
                values.append(float(np.quantile(chosen, 0.2)))
    return [float(np.median(values)) if values else None for values in found]


def plain_merge(photos: list[Photo]) -> np.ndarray:
    """(H, W, 3) light: decoded by sRGB, weighted by exp(-((code - 127.5) / 60)^2), nothing else."""
    total = weights = 0
    for photo in photos:
        weight = np.exp(-(((photo.codes - 127.5) / 60) ** 2))
        total, weights = total + weight * LIGHT[photo.codes] * 2.0**-photo.ev, weights + weight
    return total / weights


def main() -> None:
    print("bracket photos | contrast | noise | black | c s o")
    for folder in map(Path, sys.argv[1:]):
        for name, photos in brackets(folder):
            black = float((photos[0].codes == 0).mean())
            light, usable = plain_merge(photos), usable_photos(photos)
            scores = [f"{score(light, usable):.1f}" for score in (per_channel, shared, one_curve)]
            facts = (_line(contrast(photos)), _line(noise(photos)), f"{black:.2f}", " ".join(scores))
            print(f"{name} {len(photos)}", *facts, sep=" | ", flush=True)


def _line(values: list[float | None]) -> str:
    return " ".join("-" if value is None else f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
