"""psnr-mu-curve: blind to any rising curve, not to noise and colour."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera.calibration import non_decreasing
from openhdr.metrics import evaluate
from openhdr.metrics.psnr import rising_curve

NAMES = ["psnr-mu", "psnr-mu-curve"]


@pytest.fixture
def light(rng) -> np.ndarray:
    stops = rng.uniform(-9, 0, (80, 100, 1)) + rng.normal(0, 0.3, (80, 100, 3))
    return np.clip(2.0**stops, 0, 1).astype(np.float32)


def test_any_rising_curve_is_forgiven(light: np.ndarray) -> None:
    bent = evaluate(light**1.7 * 0.6, light, NAMES)
    assert bent["psnr-mu"] < 20 and bent["psnr-mu-curve"] > 48


def test_noise_and_colour_are_not(light: np.ndarray, rng) -> None:
    noisy = np.maximum(light + rng.normal(0, 0.02, light.shape), 0).astype(np.float32)
    assert evaluate(noisy, light, NAMES)["psnr-mu-curve"] < 25
    tinted = light * np.float32([1.0, 0.7, 1.0])
    assert evaluate(tinted, light, NAMES)["psnr-mu-curve"] < 40


def test_never_below_what_no_curve_gives(light: np.ndarray, rng) -> None:
    noisy = (light * np.exp(rng.normal(0, 0.3, light.shape))).astype(np.float32)
    found = evaluate(noisy, light, NAMES)
    assert found["psnr-mu-curve"] > found["psnr-mu"] - 0.05


def test_isotonic_against_its_definition() -> None:
    """Projection onto the cone of rising sequences: min over later of max over earlier means (Barlow et al. 1972)."""
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=12), rng.uniform(0.5, 2, 12)

    def mean(a: int, b: int) -> float:
        return np.average(values[a : b + 1], weights=weights[a : b + 1])

    expected = [min(max(mean(a, b) for a in range(k + 1)) for b in range(k, 12)) for k in range(12)]
    assert non_decreasing(values, weights) == pytest.approx(expected)
    x, y = rising_curve(np.arange(10.0), np.arange(10.0) ** 2)
    assert y == pytest.approx(x**2)
