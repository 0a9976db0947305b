"""Sensor values: levels by site, proxies without a filter array, demosaicing, white balance and matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openhdr.camera.demosaic import develop
from openhdr.camera.mosaic import ARRAYS, Mosaic, camera_to_rgb, pattern_of, proxy
from openhdr.color.primaries import to_xyz
from openhdr.core.errors import RequestError
from openhdr.core.image import REC709

COLOURS = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.25, 0.7]])
NEUTRAL = np.array([0.5, 1.0, 0.7])


def mosaic_of(rgb: np.ndarray, array: str) -> Mosaic:
    """Exact sensor light of (H, W, 3) Rec.709 light."""
    pattern = pattern_of(array)
    zeros = np.zeros(pattern.shape, np.float32)
    matrix = np.diag(NEUTRAL) @ COLOURS @ np.linalg.inv(to_xyz(REC709))
    empty = Mosaic(np.zeros(rgb.shape[:2], np.float32), pattern, zeros, zeros + 1, NEUTRAL, matrix)
    seen = rgb @ (np.diag(NEUTRAL) @ COLOURS).T
    colour = empty.tiled(pattern, slice(0, len(rgb))).astype(int)
    return replace(empty, values=np.take_along_axis(seen, colour[..., None], 2)[..., 0].astype(np.float32))


def test_black_and_white_levels_are_taken_by_site() -> None:
    black = np.array([[100, 110], [120, 130]], np.float32)
    white = black + np.array([[1000, 900], [800, 700]], np.float32)
    codes = np.tile((black + white) / 2, (4, 5)).astype(np.uint16)
    mosaic = Mosaic(codes, pattern_of("rggb"), black, white, np.ones(3))
    for rows in (slice(0, 8), slice(3, 6)):
        np.testing.assert_allclose(mosaic.light(rows), 0.5, atol=1e-6)


@pytest.mark.parametrize("array", [name for name in ARRAYS if name != "mono"])
def test_a_flat_colour_comes_back_through_filter_white_balance_and_matrix(array: str) -> None:
    colour = np.array([0.3, 0.2, 0.1])
    flat = np.broadcast_to(colour, (36, 48, 3))
    np.testing.assert_allclose(develop(mosaic_of(flat, array)), flat, rtol=2e-4)
    small, cell = proxy(mosaic_of(flat, array)), mosaic_of(flat, array).cell
    assert small.shape == (36 // cell, 48 // cell, 3)
    expected = np.broadcast_to(COLOURS @ colour * NEUTRAL, small.shape)
    np.testing.assert_allclose(small, expected, rtol=1e-5)


@pytest.mark.parametrize("array", ["rggb", "bggr", "grbg", "gbrg"])
def test_exponential_gradients_are_kept_exactly(array: str) -> None:
    """The filters reproduce planes, and logarithms of these pictures are planes; borders are mirrored."""
    y, x = np.mgrid[:40, :40]
    grey = np.exp2((x + 2 * y) / 40)[..., None] * np.array([1.0, 1.0, 1.0])
    inner = (slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(develop(mosaic_of(grey, array), floor=1e-9)[inner], grey[inner], rtol=1e-4)


def test_strips_of_any_height_give_the_same_picture(monkeypatch) -> None:
    rgb = np.random.default_rng(1).random((72, 60, 3))
    for array in ("grbg", "xtrans"):
        whole = develop(mosaic_of(rgb, array))
        monkeypatch.setattr("openhdr.camera.demosaic.STRIP_SITES", 60 * 12)
        np.testing.assert_allclose(develop(mosaic_of(rgb, array)), whole, rtol=1e-5)


def test_monochrome_sensors_give_grey_at_full_resolution() -> None:
    light = np.random.default_rng(2).random((30, 30)).astype(np.float32)
    picture = develop(replace(mosaic_of(np.zeros((30, 30, 3)), "mono"), values=light, neutral=np.ones(3)))
    np.testing.assert_array_equal(picture, np.repeat(light[..., None], 3, axis=2))


def test_camera_white_becomes_white_under_any_illuminant() -> None:
    """A neutral of tungsten light: the matrix is adapted, white stays white, and no channel is gained by itself."""
    matrix = COLOURS @ np.linalg.inv(to_xyz(REC709))
    for neutral in (NEUTRAL, np.array([1.0, 0.8, 0.3])):
        np.testing.assert_allclose(camera_to_rgb(neutral, matrix).sum(axis=1), 1, atol=1e-6)
    daylight = matrix @ to_xyz(REC709).sum(1)
    expected = np.linalg.inv(COLOURS) @ np.diag(daylight)
    np.testing.assert_allclose(camera_to_rgb(daylight, matrix), expected, atol=1e-5)


def test_impossible_sensors_are_refused() -> None:
    pattern, zeros = pattern_of("rggb"), np.zeros((2, 2), np.float32)
    values = np.zeros((8, 8), np.float32)
    with pytest.raises(RequestError, match="white balance"):
        Mosaic(values, pattern, zeros, zeros + 1, np.array([1.0, 0.0, 1.0]))
    with pytest.raises(RequestError, match="white level"):
        Mosaic(values, pattern, zeros, zeros, np.ones(3))
    with pytest.raises(RequestError, match="shape"):
        Mosaic(values[:2], pattern, zeros, zeros + 1, np.ones(3))
