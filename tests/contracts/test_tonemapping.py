"""Every tone mapper: any finite picture gives display values 0..1, the input untouched."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.core.image import Image
from openhdr.tonemapping import tonemap

PICTURES = {
    "black": np.zeros((16, 16, 3)),
    "grey": np.full((16, 16, 3), 0.18),
    "one pixel": np.full((1, 1, 3), 3.0),
    "one row": np.linspace(0, 8, 24).reshape(1, 8, 3),
    "huge": np.full((8, 8, 3), 6e4),
    "one lamp": np.pad(np.full((1, 1, 3), 1e5), ((7, 8), (7, 8), (0, 0))),
    "tiny light": np.full((8, 8, 3), 1e-30),
}


def _check(display: np.ndarray, shape: tuple[int, ...]) -> None:
    assert display.shape == shape and display.dtype == np.float32
    assert np.isfinite(display).all()
    assert display.min() >= 0 and display.max() <= 1


@pytest.mark.parametrize("picture", list(PICTURES))
def test_any_light_becomes_display_values(operator, picture) -> None:
    light = PICTURES[picture].astype(np.float32)
    kept = light.copy()
    _check(operator.load()(light), light.shape)
    np.testing.assert_array_equal(light, kept)


def test_brighter_scene_parts_stay_brighter(operator) -> None:
    """A row of grey steps keeps its order, up to what a local operator lifts."""
    steps = np.repeat(np.repeat(2.0 ** np.arange(-6, 4), 12)[None, :], 24, axis=0)
    display = operator.load()(np.repeat(steps[..., None], 3, axis=2).astype(np.float32))
    _check(display, (24, 120, 3))
    middles = display[12, 6::12, 1].astype(np.float64)
    assert (np.diff(middles) >= -0.02).all()
    assert middles[-1] - middles[0] > 0.2
    np.testing.assert_allclose(display[..., 0], display[..., 2], atol=2e-3)  # grey stays grey


def test_scale_is_as_the_row_says(operator, scene) -> None:
    ours, dimmed = (operator.load()(scene * np.float32(gain)) for gain in (1, 2.0**-10))
    same = bool(np.abs(ours - dimmed).max() < 0.01)
    assert same == operator.scale_invariant


def test_reachable_by_name(operator, scene) -> None:
    shown = tonemap(Image(scene), operator.name, dtype="uint8")
    assert shown.pixels.dtype == np.uint8 and shown.encoding == "srgb"
    assert shown.pixels.max() > 100
