"""Defective sites that were put in: found where they stand alone, left where light made them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from openhdr.camera.defects import without_defects
from openhdr.camera.mosaic import Mosaic, pattern_of
from openhdr.camera.noise import NoiseModel

NOISE = NoiseModel(2e-4, 1e-3)
HEIGHT, WIDTH = 240, 360
STARS = [(60, 60), (61, 120), (120, 61), (121, 121), (180, 300)]  # on sites of every colour


def frames(array: str, rng: np.random.Generator) -> list[Mosaic]:
    """Three shots, two stops apart, of soft colours with stars as sharp as a lens draws them."""
    scene = 0.1 + 0.05 * cv2.GaussianBlur(
        rng.standard_normal((HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 4
    )
    points = np.zeros((HEIGHT, WIDTH), np.float32)
    for place in STARS:
        points[place] = 1.0
    scene += cv2.GaussianBlur(points, (0, 0), 0.6)[..., None]
    pattern = pattern_of(array)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    colour = pattern[y % len(pattern), x % len(pattern)].astype(int)[..., None]
    sites = np.take_along_axis(scene, colour, 2)[..., 0]
    black, white = np.full(pattern.shape, 200, np.float32), np.full(pattern.shape, 16200, np.float32)
    shots = [np.clip(NOISE.add(sites * 4.0**stops, rng), -0.01, 1) for stops in (-2, -1, 0)]
    return [
        Mosaic(np.rint(200 + shot * 16000).astype(np.uint16), pattern, black, white, np.ones(3), noise=NOISE)
        for shot in shots
    ]


@pytest.mark.parametrize("array", ["rggb", "xtrans", "mono"])
def test_hot_and_dead_sites_are_replaced_and_stars_are_not(array: str, rng) -> None:
    shots = frames(array, rng)
    clean = without_defects(shots)
    for shot, same in zip(shots, clean, strict=True):
        np.testing.assert_array_equal(shot.values, same.values)
    y, x = rng.integers(10, HEIGHT - 10, 30), rng.integers(10, WIDTH - 10, 30)
    y[:5] += 1 - y[:5] % 2  # none on a star
    spoilt = []
    for stops, shot in zip((-2, -1, 0), shots, strict=True):
        values = shot.values.copy()
        values[y[:20], x[:20]] = np.minimum(values[y[:20], x[:20]] + 9000 * 4.0**stops, 16200)
        values[y[20:], x[20:]] = 200
        spoilt.append(replace(shot, values=values))
    mended = without_defects(spoilt)
    changed = mended[2].values != spoilt[2].values
    assert changed[y, x].mean() > 0.9
    assert changed.sum() <= 31
    found = changed[y, x]
    error = np.abs(mended[2].values[y, x].astype(int) - shots[2].values[y, x])[found]
    assert np.median(error) < 300
    assert "defective sites" in mended[2].notes[-1]


def test_what_one_frame_shows_alone_stays(rng) -> None:
    shots = frames("rggb", rng)
    values = shots[2].values.copy()
    values[100, 100] = 12000  # a cosmic ray; deghosting's business
    shots[2] = replace(shots[2], values=values)
    assert without_defects(shots)[2].values[100, 100] == 12000
