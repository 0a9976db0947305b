"""Every merger and aligner: any bracket, however odd, gives a finite picture of the right shape."""

from __future__ import annotations

import numpy as np
import pytest

import openhdr
from openhdr.camera.response import analytic
from openhdr.core.image import Bracket, Frame, Image

STOPS = [-2.0, 0.0, 2.0]


def _flat(value: int, size: tuple[int, int]) -> list[Image]:
    return [Image(np.full((*size, 3), value, np.uint8), "srgb") for _ in STOPS]


def _check(result: Image, size: tuple[int, int]) -> None:
    assert result.pixels.shape == (*size, 3)
    assert result.pixels.dtype == np.float32
    assert np.isfinite(result.pixels).all()
    assert result.pixels.min() >= 0


def test_merges_a_small_bracket(merger, shoot, scene) -> None:
    result = openhdr.merge(shoot(scene, STOPS), ev=STOPS, method=merger.name, align="none")
    _check(result, (16, 16))
    if merger.output == "display":
        assert result.encoding == "srgb" and result.pixels.max() <= 1
        return
    assert result.encoding == "linear"
    within = scene < 3.5  # the short frame shows it
    stops_off = np.abs(np.log2(result.pixels[within] / scene[within]))
    assert np.median(stops_off) < 0.1
    assert result.pixels[5, 10].min() > 3  # the lamp clips everywhere; it stays bright


@pytest.mark.parametrize("value", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("size", [(16, 16), (1, 1)], ids=["16x16", "1x1"])
def test_merges_flat_brackets(merger, value, size) -> None:
    result = openhdr.merge(_flat(value, size), ev=STOPS, method=merger.name, align="none")
    _check(result, size)
    if value == 0:
        assert result.pixels.max() < 0.01
    else:
        assert result.pixels.min() > 0.5
        assert np.ptp(result.pixels) < 1e-5  # white stays white: no colour, no pattern


def test_merges_linear_frames(merger, scene) -> None:
    """RAW and EXR frames are light already; no curve is applied to them."""
    frames = [Image(np.minimum(scene * np.float32(2.0**ev), 1), "linear") for ev in STOPS]
    _check(openhdr.merge(frames, ev=STOPS, method=merger.name, align="none"), (16, 16))


def test_does_not_depend_on_the_order(merger, shoot, scene) -> None:
    frames = shoot(scene, STOPS)
    forwards = openhdr.merge(frames, ev=STOPS, method=merger.name, align="none", reference=2)
    backwards = openhdr.merge(frames[::-1], ev=STOPS[::-1], method=merger.name, align="none", reference=2)
    np.testing.assert_allclose(forwards.pixels, backwards.pixels, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["scene", "black", "white", "1x1"])
def test_places_every_frame(aligner, kind, shoot, scene) -> None:
    images = {
        "scene": lambda: shoot(np.tile(scene, (4, 4, 1)), STOPS),
        "black": lambda: _flat(0, (16, 16)),
        "white": lambda: _flat(255, (16, 16)),
        "1x1": lambda: _flat(128, (1, 1)),
    }[kind]()
    frames = tuple(Frame(image, ev, str(ev)) for image, ev in zip(images, STOPS, strict=True))
    registrations = aligner.load()(Bracket(frames, 1), analytic("srgb"))
    assert len(registrations) == 3
    assert registrations[1].status == "reference" and not registrations[1].moves
    for place in registrations:
        assert np.isfinite(place.homography).all()
        assert abs(np.linalg.det(place.homography)) > 1e-6
        assert place.shift_px < 1  # the camera did not move
