"""Exposures measured in the pixels of brackets whose true ones are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openhdr.bracketing.exposure_estimation import (
    contradiction,
    estimate_ev,
    likely_response,
    measure_pairs,
)
from openhdr.camera.response import analytic
from openhdr.core.errors import ExposureError
from openhdr.core.image import Image
from openhdr.simulation.config import SimulationConfig, ViewConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import make_scene

SRGB = analytic("srgb")


def _relative(ev: np.ndarray) -> np.ndarray:
    return np.asarray(ev) - np.mean(ev)


def _photos(light, stops, photo, seed=3, bits=8):
    rng = np.random.default_rng(seed)
    return [photo(light, ev, rng, bits) for ev in stops]


@pytest.mark.parametrize("stops", [(-2, 0, 2), (2, -2, 0), (-1, 0), (-3, 0, 3), (-4, -3, -2, -1, 0, 1, 2)])
@pytest.mark.parametrize("bits", [8, 16, 0])
def test_tripod(room, photo, stops, bits):
    found = estimate_ev(_photos(room(), stops, photo, bits=bits), SRGB, [f"{n}" for n in range(len(stops))])
    assert _relative(found) == pytest.approx(_relative(stops), abs=0.12)


@pytest.mark.parametrize("seed", range(4))
def test_hand_shake_and_moving_objects(room, seed):
    """Simulated hand-held brackets with up to four moving things, noise at up to ISO 1600."""
    scenes = [make_scene(f"{k}", room(240, 360, seed=10 + k)) for k in range(2)]
    config = SimulationConfig(size=(216, 144), view=ViewConfig(tries=1))
    plan = draw_plan(scenes[seed % 2], scenes, config, seed, ev=[-2, 0, 2])
    frames, _ = photograph(plan, scenes)
    images = [Image(frame, "srgb") for frame in frames]
    assert _relative(estimate_ev(images, SRGB, list("abc"))) == pytest.approx([-2, 0, 2], abs=0.25)
    assert likely_response(images).name == "srgb"


def test_known_gamma(room):
    """With the camera's own curve the estimate is as good as with sRGB photos."""
    light = room()
    images = [
        Image(np.rint(np.clip(light * 2.0**ev, 0, 1) ** (1 / 1.8) * 255).astype(np.uint8), "srgb")
        for ev in (-2, 0, 2)
    ]
    assert _relative(estimate_ev(images, analytic("gamma:1.8"), list("abc"))) == pytest.approx(
        [-2, 0, 2], abs=0.1
    )


@pytest.mark.parametrize("style", [[1.6, 0.6, 0.9], [1.5, 0.5, 1.0], [1.4, 0.4, 0.8]])
def test_a_camera_s_curve_is_told_from_srgb(room, photo, style):
    """Cameras' curves are steeper in the middle; decoded by sRGB two true stops measure as nearly three."""
    top, bend, power = style
    raised = [np.clip(room() * 2.0**ev, 0, 1) ** power for ev in (-2, 0, 2)]
    images = [Image(np.rint(255 * top * one / (one + bend)).astype(np.uint8), "srgb") for one in raised]
    likely = likely_response(images)
    assert likely.name == "typical"
    assert _relative(estimate_ev(images, likely, list("abc"))) == pytest.approx([-2, 0, 2], abs=0.35)
    assert estimate_ev(images, SRGB, list("abc"))[2] > 2.4
    assert likely_response(_photos(room(), (-2, 0, 2), photo)).name == "srgb"
    assert likely_response(images[1:2] * 3).name == "srgb"  # a burst shows no curve


def test_frames_without_common_pixels_are_refused_by_name(room, photo):
    light = np.clip(room(), 0, 1)
    images = [photo(light, 0), photo(light, 1), Image(np.zeros((*light.shape[:2], 3), np.uint8), "srgb")]
    with pytest.raises(ExposureError, match=r"dark.png: shares too few .*`ev` or `times`"):
        estimate_ev(images, SRGB, ["a.png", "b.png", "dark.png"])


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_tiny_frames_are_refused_not_guessed(size):
    images = [Image(np.full((*size, 3), code, np.uint8), "srgb") for code in (60, 120)]
    with pytest.raises(ExposureError, match=r"b: shares too few"):
        estimate_ev(images, SRGB, ["a", "b"])


def test_true_exposures_contradict_nothing(room, photo):
    images = _photos(room(), (-2, 0, 2), photo)
    pairs = measure_pairs(images, SRGB)
    assert contradiction(np.array([-2.0, 0, 2]), pairs) is None
    assert contradiction(np.array([-1.0, 0, 3]), pairs) is None  # wrong in size only: matching's business
    assert contradiction(np.array([2.0, 0, -2]), pairs) is not None


def test_a_far_moved_bracket_contradicts_nothing(photo):
    """What the long frame shows unclipped is a dark picture on the wall; there, the middle one shows the wall."""
    light = np.full((192, 256, 3), 0.7, np.float32)
    light[60:120, 60:100] = 0.02
    rng = np.random.default_rng(5)
    images = [photo(np.roll(light, -60 * (ev == 2), axis=1), ev, rng, 8) for ev in (-2, 0, 2)]
    pairs = measure_pairs(images, SRGB)
    assert pairs.stops[1, 2] < -0.3 and pairs.weight[1, 2] > 500
    assert contradiction(np.array([-2.0, 0, 2]), pairs) is None
    assert contradiction(np.array([2.0, 0, -2]), pairs) is not None


def test_pairs_are_antisymmetric(room, photo):
    pairs = measure_pairs(_photos(room(), (-2, 0, 2), photo), SRGB)
    np.testing.assert_array_equal(pairs.stops, -pairs.stops.T)
    np.testing.assert_array_equal(pairs.weight, pairs.weight.T)
    assert replace(pairs).weight.diagonal().sum() == 0
