"""Strokes of a brush: what they cover, and what the merge makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.merging.retouch import Stroke, painted, strokes_of
from openhdr.pipeline.bracket_to_hdr import merge_bracket
from openhdr.pipeline.pipeline_options import MergeOptions

EV = [-2.0, 0.0, 2.0]
MIDDLE = (0.5, 0.375)  # of a picture of 160 x 120, in units of its width


def bracket(light: float = 0.05, moved: int | None = None) -> list[Image]:
    """A textured wall in three exposures; in frame `moved` something four times as bright stands in the middle."""
    texture = 1 + 0.3 * np.random.default_rng(3).random((120, 160, 1), np.float32)
    frames = []
    for index, ev in enumerate(EV):
        scene = np.repeat(light * texture, 3, axis=2)
        if index == moved:
            scene[40:80, 60:100] *= 4
        frames.append(Image(np.minimum(scene * 2.0**ev, 1).astype(np.float32), "linear"))
    return frames


def merged(frames: list[Image], trust: str, frame: int, method: str = "mle") -> np.ndarray:
    stroke = {"frame": frame, "trust": trust, "radius": 0.08, "points": [MIDDLE]}
    options = MergeOptions(EV, method=method, align="none", response="linear", deghost=True, retouch=[stroke])
    return merge_bracket(frames, options).image.pixels


def test_a_stroke_covers_a_disc_of_its_radius() -> None:
    area = painted(Stroke(1, "only", 0.1, (MIDDLE,)), (120, 160))
    assert area[60, 80] == pytest.approx(1, abs=1e-3) and area[0, 0] == 0
    assert area.sum() == pytest.approx(np.pi * 16**2, rel=0.06)


def test_a_stroke_follows_its_points_at_any_size() -> None:
    stroke = Stroke(1, "only", 0.05, ((0.2, 0.3), (0.8, 0.3)))
    small, large = painted(stroke, (120, 160)), painted(stroke, (480, 640))
    assert small[48, 32:128].min() > 0.9
    assert large.mean() == pytest.approx(small.mean(), rel=0.05)


@pytest.mark.parametrize("method", ["mle", "trustnet"])
def test_only_takes_what_that_frame_shows(method: str) -> None:
    frames = bracket(moved=0)
    pixels = merged(frames, "only", 1, method)
    np.testing.assert_allclose(pixels[58:62, 78:82], frames[0].pixels[58:62, 78:82] * 4, rtol=0.06)
    np.testing.assert_allclose(pixels[5:20, 5:20], frames[1].pixels[5:20, 5:20], rtol=0.05)


def test_only_shows_a_clipped_frame_as_clipped() -> None:
    """Nothing of the other frames is filled in, though they could measure it."""
    pixels = merged(bracket(light=0.6), "only", 3)
    np.testing.assert_allclose(pixels[60, 80], 0.25, rtol=1e-3)


def test_never_leaves_a_frame_out_and_always_keeps_it() -> None:
    frames = bracket()
    frames[2] = frames[2].with_pixels(frames[2].pixels * np.float32(1.02))  # too little to be called a ghost
    plain = merged(frames, "found", 1)[60, 80, 0]
    without = merged(frames, "never", 3)[60, 80, 0]
    assert plain > without * 1.005
    ghost = bracket(moved=2)
    assert merged(ghost, "always", 3)[60, 80, 0] > 1.5 * merged(ghost, "found", 3)[60, 80, 0]


@pytest.mark.parametrize(
    "stroke",
    [
        {"frame": 1},
        {"frame": 1, "trust": "maybe", "radius": 0.1, "points": [[0, 0]]},
        {"frame": 1, "trust": "only", "radius": 0.1, "points": []},
        {"frame": 1, "trust": "only", "radius": float("nan"), "points": [[0, 0]]},
        {"frame": 1, "trust": "only", "radius": 0.1, "points": [[0, 0, 0]]},
        {"frame": 1, "trust": "only", "radius": -1, "points": [[0, 0]]},
        "stroke",
    ],
)
def test_what_is_no_stroke_is_refused(stroke: object) -> None:
    with pytest.raises(RequestError):
        strokes_of([stroke])


def test_a_frame_that_is_not_there_and_a_method_that_cannot_are_refused() -> None:
    with pytest.raises(RequestError, match="frame 4; there are 3"):
        merged(bracket(), "only", 4)
    with pytest.raises(RequestError, match="decides itself"):
        merged(bracket(), "only", 1, "ahdrnet")
