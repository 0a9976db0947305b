"""Registration against known movements, and what must not be moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.alignment import ALIGNERS
from openhdr.alignment.flow import align as align_flow
from openhdr.alignment.homography import align
from openhdr.alignment.registration import Level, _sample
from openhdr.camera.response import analytic
from openhdr.core.image import Bracket, Frame, Image
from openhdr.geometry import Registration, sampling_map

SRGB = analytic("srgb")
SHAPE = (144, 208)
MARGIN = 24  # the scene around the frames, so that a moved frame sees more of it


def _about_centre(matrix: np.ndarray) -> np.ndarray:
    centre = np.array([[1, 0, SHAPE[1] / 2], [0, 1, SHAPE[0] / 2], [0, 0, 1.0]])
    return centre @ matrix @ np.linalg.inv(centre)


def _turn(degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    return _about_centre(np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]))


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


MOVES = {
    "shift": _shift(5.3, -3.7),
    "far shift": _shift(-17.5, 11.25),
    "rotation": _turn(1.5) @ _shift(2, 1),
    "zoom": _about_centre(np.diag([1.01, 1.01, 1])) @ _shift(-1.5, 2.5),
    "perspective": _about_centre(np.array([[1.004, 0.006, 1.5], [-0.004, 0.997, -2], [8e-5, -6e-5, 1]])),
}


def _seen(scene: np.ndarray, move: np.ndarray) -> np.ndarray:
    """What a frame sees whose pixel `move @ p` shows what the reference has at p."""
    inner = _shift(MARGIN, MARGIN)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.maximum(cv2.warpPerspective(scene, inner @ np.linalg.inv(move), SHAPE[::-1], flags=flags), 0)


def _scene(room, seed: int = 0) -> np.ndarray:
    return cv2.GaussianBlur(room(SHAPE[0] + 2 * MARGIN, SHAPE[1] + 2 * MARGIN, seed), (0, 0), 0.6)


def _bracket(lights, stops, photo, reference, rng) -> Bracket:
    frames = [Frame(photo(light, ev, rng), ev, f"{ev:+g}") for light, ev in zip(lights, stops, strict=True)]
    return Bracket(tuple(frames), reference)


def _error_px(place: Registration, move: np.ndarray) -> float:
    """Largest distance over a grid of pixels between where they are and where they were found."""
    y, x = np.mgrid[0 : SHAPE[0] : 12, 0 : SHAPE[1] : 12]
    points = np.stack([x, y], axis=-1).reshape(-1, 1, 2).astype(np.float64)
    found, true = (cv2.perspectiveTransform(points, h) for h in (place.homography, move))
    return float(np.hypot(*(found - true).reshape(-1, 2).T).max())


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("ev", [-4, -2, 3])
def test_known_movement_is_found(room, photo, rng, name, ev):
    """Everywhere in the frame to a third of a pixel, at two to four stops' difference and with noise."""
    scene = _scene(room)
    bracket = _bracket([_seen(scene, MOVES[name]), _seen(scene, np.eye(3))], (ev, 0), photo, 1, rng)
    registrations = align(bracket, SRGB)
    assert [place.status for place in registrations] == ["aligned", "reference"]
    assert _error_px(registrations[0], MOVES[name]) < 0.35
    assert registrations[0].disagreement[1] < registrations[0].disagreement[0]


def test_moving_things_do_not_pull(room, photo, rng):
    """A quarter of the frame moves another way."""
    scene, thing = _scene(room), _scene(room, 9)
    reference, other = _seen(scene, np.eye(3)), _seen(scene, MOVES["rotation"])
    reference[30:110, 20:110] = thing[:80, :90]
    other[40:120, 80:170] = thing[:80, :90]
    registrations = align(_bracket([reference, other], (0, 2), photo, 0, rng), SRGB)
    assert _error_px(registrations[1], MOVES["rotation"]) < 0.5


def test_chains_reach_frames_that_share_nothing_with_the_reference(room, photo, rng):
    """A dim room beside a bright one: the longest frame shows only the dim one, the reference only the other."""
    stops = (0, 2, 4, 6)
    moves = [_shift(ev, -ev / 2) @ _turn(ev / 6) for ev in stops]
    scene = np.clip(_scene(room), 0.02, 0.4)
    scene[:, : scene.shape[1] // 2] *= 0.02
    lights = [_seen(scene, move) for move in moves]
    registrations = align(_bracket(lights, stops, photo, 0, rng), SRGB)
    dim = np.s_[12:-12, 12 : SHAPE[1] // 2 - 12]
    y, x = (axis[dim][::8, ::8].ravel() for axis in np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float64))
    points = np.stack([x, y], axis=-1)[:, None]
    for place, move, ev in zip(registrations[1:], moves[1:], stops[1:], strict=True):
        found, true = (cv2.perspectiveTransform(points, h) for h in (place.homography, move))
        assert place.status == "aligned"
        assert np.hypot(*(found - true).reshape(-1, 2).T).max() < 0.25 + 0.1 * ev, ev


@pytest.mark.parametrize("bits", [8, 16, 0])
def test_tripod_frames_are_left_alone(room, photo, rng, bits):
    light = _seen(_scene(room), np.eye(3))
    frames = tuple(Frame(photo(light, ev, rng, bits), ev) for ev in (-2.0, 0.0, 2.0))
    for place in align(Bracket(frames, 1), SRGB):
        assert _error_px(place, np.eye(3)) < 0.06
        assert place.status in ("kept", "reference", "aligned")


def test_an_exposure_that_is_wrong_does_not_move_the_frame(room, photo, rng):
    light = _seen(_scene(room), np.eye(3))
    frames = (Frame(photo(light, -2, rng), -2.6), Frame(photo(light, 0, rng), 0.0))
    assert _error_px(align(Bracket(frames, 1), SRGB)[0], np.eye(3)) < 0.06


@pytest.mark.parametrize("aligner", ["homography", "flow"])
@pytest.mark.parametrize("seed", [5, 6])
def test_another_scene_is_never_warped_wildly(room, photo, rng, aligner, seed):
    lights = [_seen(_scene(room), np.eye(3)), _seen(_scene(room, seed), np.eye(3))]
    place = ALIGNERS[aligner].load()(_bracket(lights, (0, 2), photo, 0, rng), SRGB)[1]
    assert place.shift_px < 0.1 * max(SHAPE)
    if place.flow is not None:
        assert np.hypot(*place.flow.transpose(2, 0, 1)).max() < 0.05 * max(SHAPE)


@pytest.mark.parametrize("aligner", ALIGNERS)
@pytest.mark.parametrize("value", [0.0, 0.2, 1.0])
def test_flat_frames_stay(aligner, value):
    frames = tuple(Frame(Image(np.full((50, 70, 3), value, np.float32)), ev) for ev in (-2.0, 0.0, 2.0))
    for place in ALIGNERS[aligner].load()(Bracket(frames, 1), SRGB):
        assert not place.moves and place.status in ("kept", "reference", "rejected")


@pytest.mark.parametrize("aligner", ALIGNERS)
def test_a_black_frame_stays(room, photo, rng, aligner):
    light = _seen(_scene(room), np.eye(3))
    frames = [Frame(photo(light, 0, rng), 0.0), Frame(Image(np.zeros((*SHAPE, 3), np.uint8), "srgb"), 2.0)]
    place = ALIGNERS[aligner].load()(Bracket(tuple(frames), 0), SRGB)[1]
    assert not place.moves and place.status in ("kept", "rejected")


@pytest.mark.parametrize("aligner", ALIGNERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 5), (5, 3), (1, 40), (40, 1), (17, 9)])
def test_tiny_frames(aligner, shape, rng):
    codes = rng.integers(0, 60, (*shape, 3))
    frames = tuple(Frame(Image((codes * k).astype(np.uint8), "srgb"), 2.0 * k) for k in (1, 2, 4))
    registrations = ALIGNERS[aligner].load()(Bracket(frames, 1), SRGB)
    assert registrations[1].status == "reference"
    for place in registrations:
        assert np.isfinite(place.homography).all() and place.shift_px <= max(shape)


def test_no_alignment_reports_frames_as_kept(photo, room):
    frames = tuple(Frame(photo(room(20, 30), ev), float(ev)) for ev in (-2, 0, 2))
    assert [place.status for place in ALIGNERS["none"].load()(Bracket(frames, 2), SRGB)] == [
        "kept",
        "kept",
        "reference",
    ]


def test_flow_follows_parallax_that_a_homography_cannot(room, photo, rng):
    """The near half of the scene moves three pixels, the far half does not."""
    scene = _scene(room, 3)
    far, near = _seen(scene, np.eye(3)), _seen(scene, _shift(3, 0))
    step = 1 / (1 + np.exp(-(np.arange(SHAPE[0]) - SHAPE[0] / 2) / 4))[:, None, None]
    other = (far * (1 - step) + near * step).astype(np.float32)
    bracket = _bracket([far, other], (0, -1), photo, 0, rng)
    place = align_flow(bracket, SRGB)[1]
    assert place.flow is not None
    where = sampling_map(place, slice(0, SHAPE[0]), SHAPE)[..., 0] - np.arange(SHAPE[1])
    near_shift, far_shift = (np.median(where[rows, 30:-30]) for rows in (slice(105, 135), slice(10, 40)))
    assert near_shift == pytest.approx(3, abs=0.6)
    assert far_shift == pytest.approx(0, abs=0.6)


def test_points_behind_the_viewer_show_nothing() -> None:
    """A diverging homography has a horizon in the picture: beyond it nothing is seen, and nothing is divided by 0."""
    level = Level(np.ones((40, 40), np.float32), np.ones((40, 40), np.float32))
    horizon_at_20 = np.array([[1, 0, 0], [0, 1, 0], [-1 / 20, 0, 1.0]])
    x, y = np.array([5, 20, 35], np.float32), np.array([5, 5, 5], np.float32)
    with np.errstate(all="raise"):
        _, known = _sample(level, horizon_at_20, x, y)
    assert known.tolist() == [1, 0, 0]
