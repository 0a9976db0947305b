"""The response recovered from a bracket, against curves that are known."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera import recovery
from openhdr.camera.calibration import non_decreasing
from openhdr.camera.recovery import recover

EV = np.array([-4.0, -2.0, 0.0, 2.0])


def _camera(contrast: float) -> np.ndarray:
    """(256,) light of the codes: a gamma of 2.2 with an S on top, as picture styles have it."""
    code = np.arange(256) / 255
    return (code + contrast * 0.15 * np.sin(2 * np.pi * code)) ** 2.2


def _codes(curve: np.ndarray, rng: np.random.Generator, places: int = 4000, noise: float = 1.0) -> np.ndarray:
    """(P, 4, 3) codes of random light through a curve (256,) or one a channel (256, 3)."""
    curve = curve if curve.ndim == 2 else np.repeat(curve[:, None], 3, axis=1)
    light = 2.0 ** rng.uniform(-9, 3, (places, 1, 3)) * 2.0 ** EV[None, :, None]
    codes = np.stack([np.interp(light[..., c], curve[:, c], np.arange(256)) for c in range(3)], axis=2)
    return np.clip(np.round(codes + rng.normal(0, noise, codes.shape)), 0, 255).astype(np.float32)


@pytest.mark.parametrize("contrast", [-0.8, 0.8])
def test_a_camera_curve_is_found(rng, contrast):
    truth = _camera(contrast)
    found = recover(_codes(truth, rng), EV)
    stops = np.log2(found.response.curve[16:240, 1] / truth[16:240])
    assert np.ptp(stops) < 0.25  # over nine stops of light
    assert found.error < 3 and found.error < 0.5 * found.assumed_error


def test_srgb_photos_are_predicted_as_well_by_srgb(rng):
    code = np.arange(256) / 255
    srgb = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    found = recover(_codes(srgb, rng), EV)
    assert found.error > 0.95 * found.assumed_error


def test_places_that_changed_do_not_bend_the_curve(rng):
    truth = _camera(0.8)
    codes = _codes(truth, rng)
    codes[:600, 2] = rng.uniform(0, 255, (600, 3))  # something moved in a seventh of the places
    stops = np.log2(recover(codes, EV).response.curve[16:240, 1] / truth[16:240])
    assert np.ptp(stops) < 0.2


def test_a_night_with_a_curve_far_from_srgb(rng):
    """Three frames, nearly all places dark: started from sRGB, the search takes the lamps for things that changed."""
    code = np.arange(256) / 255
    truth = (0.6 * code / (1.6 - code)) ** (1 / 0.9)  # a sigmoid of light: 1.6 x^0.9 / (x^0.9 + 0.6)
    lit = rng.uniform(size=4000) < 0.12
    light = 2.0 ** np.where(lit, rng.uniform(-4, 1, 4000), rng.normal(-6.5, 0.8, 4000))
    exposed = light[:, None, None] * 2.0 ** np.array([-2.0, 0.0, 2.0])[None, :, None] * np.ones(3)
    codes = np.interp(exposed, truth, np.arange(256)) + rng.normal(0, 1.0, exposed.shape)
    found = recover(np.clip(np.round(codes), 0, 255).astype(np.float32), np.array([-2.0, 0.0, 2.0]))
    stops = np.log2(found.response.curve[20:236, 1] / truth[20:236])
    assert np.ptp(stops) < 0.35


def test_film_gets_a_curve_for_each_channel(rng):
    truth = np.stack([_camera(-0.8), _camera(0.0), _camera(0.9)], axis=1)
    found = recover(_codes(truth, rng), EV)
    for channel in range(3):
        assert np.ptp(np.log2(found.response.curve[24:230, channel] / truth[24:230, channel])) < 0.25


def test_half_way_to_one_curve_where_that_is_as_good(rng, monkeypatch):
    codes = _codes(np.stack([_camera(-0.8), _camera(0.0), _camera(0.9)], axis=1), rng)

    def stops(own_curves: float, half_way: float) -> np.ndarray:
        """(214, 3) differences of log2 light from code to code."""
        monkeypatch.setattr(recovery, "OWN_CURVES", own_curves)
        monkeypatch.setattr(recovery, "HALF_WAY", half_way)
        return np.diff(np.log2(recover(codes, EV).response.curve[16:231]), axis=0)

    own, half, common = stops(0.9, 0.0), stops(0.9, 99.0), stops(0.0, 1.03)
    assert np.ptp(common, axis=1).max() < 1e-9 < 0.01 < np.ptp(own, axis=1).max()
    assert half == pytest.approx((own + common) / 2, abs=2e-6)


def test_too_little_to_tell(rng):
    assert recover(_codes(_camera(0.5), rng, places=50), EV) is None
    assert recover(np.zeros((4000, 4, 3), np.float32), EV) is None


def test_isotonic_regression_by_hand():
    np.testing.assert_allclose(non_decreasing(np.array([1.0, 3, 2, 4])), [1, 2.5, 2.5, 4])
    np.testing.assert_allclose(non_decreasing(np.array([3.0, 1]), np.array([1, 3])), [1.5, 1.5])
    np.testing.assert_allclose(non_decreasing(np.array([5.0, 4, 3])), [4, 4, 4])


def test_nearly_black_places_tell_no_contrast(rng):
    codes = rng.integers(4, 7, (1000, 2, 3)).astype(np.float32)
    assert recover(codes, np.array([0.0, 2.0])) is None
