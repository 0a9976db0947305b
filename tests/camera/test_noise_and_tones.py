"""Noise measured on pictures with known noise; what brightness explains of a difference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.bracketing.tone_difference import densest, tone_difference
from openhdr.camera.noise import NoiseModel
from openhdr.camera.noise_estimation import estimate_noise


@pytest.mark.parametrize("noise", [NoiseModel(1e-3, 2e-3), NoiseModel(2e-4, 5e-3), NoiseModel(4e-3, 1e-3)])
def test_noise_of_a_smooth_scene(noise, rng):
    """Standard deviation right to 20 % at dark, middle and bright levels."""
    ramp = np.linspace(0.02, 0.9, 512)[None, :, None] * np.ones((384, 1, 3))
    noisy = np.maximum(noise.add(ramp, rng), 0).astype(np.float32)
    found = estimate_noise(noisy, np.ones(noisy.shape[:2], bool))
    levels = np.array([0.05, 0.3, 0.85])
    np.testing.assert_allclose(found.variance(levels) ** 0.5, noise.variance(levels) ** 0.5, rtol=0.2)


def test_texture_is_not_noise(room, rng):
    noise = NoiseModel(5e-4, 1e-3)
    light = np.minimum(cv2.GaussianBlur(room(288, 416), (0, 0), 1.2), 0.9).astype(np.float64)
    found = estimate_noise(noise.add(light, rng).astype(np.float32), np.ones(light.shape[:2], bool))
    ratio = (found.variance(np.array([0.1])) / noise.variance(np.array([0.1]))) ** 0.5
    assert 0.6 < ratio < 1.7


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8), (40, 7), (64, 64)])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_flat_and_tiny_pictures_give_a_usable_model(shape, value):
    found = estimate_noise(np.full((*shape, 3), value, np.float32), np.ones(shape, bool))
    assert np.isfinite([found.shot, found.read]).all() and found.variance(np.array([0.0, 1.0])).min() > 0


def test_nothing_unclipped():
    found = estimate_noise(np.ones((64, 64, 3), np.float32), np.zeros((64, 64), bool))
    assert found.variance(np.array([0.0])) > 0


def test_a_difference_by_brightness_is_found_below_many_outliers(rng):
    value = rng.normal(-2, 1.5, 60_000).astype(np.float32)
    truth = 0.1 * value + 0.3
    difference = truth + rng.normal(0, 0.02, value.size)
    moved = rng.random(value.size) < 0.45
    difference[moved] += rng.uniform(0.2, 3, moved.sum())
    found = tone_difference(value, difference)
    middle = (value > -4) & (value < 0)
    assert np.abs(found - truth)[middle].max() < 0.1


def test_densest_value_of_a_minority():
    values = np.concatenate([np.linspace(-3, 3, 6000), np.full(3000, 0.7)])
    assert densest(values) == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("count", [1, 2, 3, 49, 51])
def test_densest_of_few(count):
    assert densest(np.full(count, 0.25)) == pytest.approx(0.25)
