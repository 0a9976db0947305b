"""The noise model against its own line, by counting."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera.noise import NoiseModel, Sensor


def test_variance_is_the_stated_line(rng: np.random.Generator) -> None:
    model = NoiseModel(shot=1 / 2500, read=0.003)
    levels = np.linspace(0, 0.9, 10)
    samples = np.stack([model.add(np.full(200_000, level), rng) for level in levels])
    # the standard error of a variance from n samples is sqrt(2 / n) of it: 0.32 % here, so 5 sigma is 1.6 %
    assert samples.var(axis=1) == pytest.approx(model.shot * levels + model.read**2, rel=0.016)
    assert samples.mean(axis=1) == pytest.approx(levels, abs=5 * np.sqrt(0.9 / 2500 / 200_000) + 1e-9)
    slope, offset = np.polyfit(levels, samples.var(axis=1), 1)
    assert slope == pytest.approx(model.shot, rel=0.01)
    assert offset == pytest.approx(model.read**2, rel=0.15)
    assert model.variance(levels) == pytest.approx(model.shot * levels + model.read**2)


def test_iso_trades_electrons_for_gain() -> None:
    sensor = Sensor(full_well_e=10000, read_front_e=3, read_back_e=8)
    base, high = sensor.noise(100), sensor.noise(1600)
    assert base.shot == pytest.approx(1e-4)
    assert high.shot == pytest.approx(16e-4)
    assert base.read == pytest.approx(np.hypot(3, 8) / 10000)
    assert high.read == pytest.approx(np.hypot(3, 8 / 16) / 625)


def test_dark_and_far_above_clipping_stay_finite(rng: np.random.Generator) -> None:
    noisy = Sensor().noise(800).add(np.array([-1.0, 0.0, 1e6, 1e30]), rng)
    assert np.isfinite(noisy).all()
    assert noisy[:2] == pytest.approx(0, abs=0.02)
    assert (noisy[2:] > 1).all()
