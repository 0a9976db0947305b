"""Dynamic range in stops."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.color.dynamic_range import stops


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(np.float32)[None, :, None], 3, axis=2)


def test_stops_of_two_levels():
    assert stops(_grey(np.repeat([0.25, 16.0], 500))) == pytest.approx(6)


def test_stops_leave_black_and_lone_pixels_out():
    values = np.concatenate([np.repeat([0.25, 16.0], 5000), np.zeros(3000), [1e6]])
    assert stops(_grey(values)) == pytest.approx(6)


@pytest.mark.parametrize("black", [0.0, 1e-5])
def test_stops_end_at_the_noise(rng, black):
    """From a noise of 1/1000 to 8 there are 13 stops, however near to 0 single pixels of the black come out."""
    light = np.full((200, 300, 3), 0.5)
    light[:60], light[60:90] = black, 8
    noisy = np.maximum(light + rng.normal(0, 1e-3, light.shape), 0).astype(np.float32)
    assert noisy[noisy > 0].min() < 1e-7
    assert stops(noisy) == pytest.approx(np.log2(8 / 1e-3), abs=0.5)
    assert stops(noisy * np.float32(1e4)) == pytest.approx(stops(noisy), abs=1e-3)


def test_stops_do_not_depend_on_the_number_of_pixels(rng):
    coarse = np.exp2(rng.uniform(-8, 4, (20, 30, 1))) * np.ones(3)
    sizes = [coarse.repeat(by, axis=0).repeat(by, axis=1).astype(np.float32) for by in (20, 60)]
    assert stops(sizes[0]) == pytest.approx(stops(sizes[1]), abs=0.1)
    assert stops(sizes[1]) == pytest.approx(12, abs=0.3)


def test_stops_of_the_smallest_and_largest_floats_are_finite():
    light = np.zeros((60, 60, 3), np.float32)
    light[5, 5], light[30:, 30:] = 1e-45, 3e38
    assert stops(light) == pytest.approx(128 + 126, abs=1)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_stops_of_a_flat_picture(value):
    assert stops(_grey(np.full(9, value))) == 0
