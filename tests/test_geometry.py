"""Sampling positions and warps against OpenCV's own projective functions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.core.errors import RequestError
from openhdr.geometry import (
    Registration,
    common_area,
    identity,
    mean_shift,
    sampling_map,
    shrink,
    shrunk,
    warp,
)

TILT = np.array([[1.01, 0.02, 3.5], [-0.015, 0.99, -2.25], [1e-4, -2e-4, 1.0]])


def _grid(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return np.stack([x, y], axis=-1).reshape(-1, 1, 2)


def test_sampling_map_is_the_projection_of_every_pixel():
    where = sampling_map(Registration("aligned", TILT), slice(0, 40), (40, 60))
    expected = cv2.perspectiveTransform(_grid(40, 60), TILT).reshape(40, 60, 2)
    np.testing.assert_allclose(where, expected, atol=1e-4)


def test_strips_of_the_map_are_rows_of_the_whole(rng):
    flow = rng.normal(size=(10, 15, 2)).astype(np.float32)
    place = Registration("aligned", TILT, flow)
    whole = sampling_map(place, slice(0, 40), (40, 60))
    for top in range(0, 40, 7):
        rows = slice(top, min(top + 7, 40))
        np.testing.assert_allclose(sampling_map(place, rows, (40, 60)), whole[rows], atol=1e-5)


def test_flow_is_added_in_frame_pixels():
    flow = np.full((8, 12, 2), (1.5, -0.5), np.float32)
    plain = sampling_map(Registration("aligned", TILT), slice(0, 40), (40, 60))
    moved = sampling_map(Registration("aligned", TILT, flow), slice(0, 40), (40, 60))
    np.testing.assert_allclose(moved - plain, np.broadcast_to((1.5, -0.5), (40, 60, 2)), atol=1e-4)


def test_mean_shift_of_a_pure_shift_and_a_rotation():
    shift = np.array([[1, 0, 3.0], [0, 1, 4.0], [0, 0, 1]])
    assert mean_shift(shift, 30, 50) == pytest.approx(5)
    angle = np.radians(1)
    centre = np.array([[1, 0, 50], [0, 1, 30], [0, 0, 1.0]])
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    about = centre @ turn @ np.linalg.inv(centre)
    chord = 2 * np.sin(angle / 2) * np.hypot(50, 30)  # of each of the four corners; the centre stays
    assert mean_shift(about, 60, 100) == pytest.approx(chord * 4 / 5)


def test_warp_agrees_with_opencv_and_marks_the_outside(room):
    pixels = room(64, 96)[..., 1]
    warped, inside = warp(pixels, Registration("aligned", TILT))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    other = cv2.warpPerspective(pixels, TILT, (96, 64), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    assert np.median(np.abs(warped - other)) < 1e-3 and np.abs(warped - other).mean() < 2e-3
    x, y = cv2.perspectiveTransform(_grid(64, 96), TILT).reshape(64, 96, 2).transpose(2, 0, 1)
    expected = (x >= 0) & (x <= 95) & (y >= 0) & (y <= 63)
    assert (inside != expected).mean() < 1e-3
    assert 0.02 < (~inside).mean() < 0.5


def test_a_frame_at_rest_is_not_resampled(room):
    pixels = room(20, 30)
    same, inside = warp(pixels, identity("kept"))
    assert same is pixels and inside.all() and not identity("kept").moves


def test_shrunk_placement_points_to_the_shrunk_pixel(rng):
    """Pixel centres: x of the picture is (x + 1/2) s - 1/2 of the picture shrunk by s."""
    scale = (0.25, 0.5)
    small = shrink(Registration("aligned", TILT), scale).homography
    points = rng.random((20, 1, 2)) * (60, 40)
    zoom = np.array(scale)
    expected = (cv2.perspectiveTransform(points, TILT) + 0.5) * zoom - 0.5
    found = cv2.perspectiveTransform((points + 0.5) * zoom - 0.5, small)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_common_area_lies_inside_every_frame_and_is_nearly_as_large_as_it_can_be() -> None:
    """Two frames moved by 30 px right and 20 px up: what is left of 400 x 600 is 380 x 570."""
    moves = [np.array([[1.0, 0, dx], [0, 1, dy], [0, 0, 1]]) for dx, dy in ((0, 0), (30, 0), (0, -20))]
    places = [Registration("aligned", move) for move in moves]
    rows, columns = common_area(places, (400, 600), 2)
    assert (rows.start % 2, columns.start % 2) == (0, 0)
    assert rows.start >= 20
    assert columns.stop <= 570
    assert (rows.stop - rows.start) * (columns.stop - columns.start) > 0.96 * 380 * 570


def test_common_area_passes_over_rejected_frames_and_refuses_what_has_none() -> None:
    far = np.array([[1.0, 0, 700], [0, 1, 0], [0, 0, 1]])
    assert common_area([Registration("rejected", far)], (400, 600)) == (slice(0, 400), slice(0, 600))
    with pytest.raises(RequestError, match="no area in common"):
        common_area([Registration("aligned", far)], (400, 600))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (63, 96), (64, 97)])  # odd sizes are not halved
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_overviews_are_area_means(height, width, dtype, rng) -> None:
    smooth = cv2.resize(rng.uniform(0, 200, (5, 7, 3)), (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = smooth.astype(dtype)
    expected = cv2.resize(pixels.astype(np.float64), (19, 13), interpolation=cv2.INTER_AREA)
    found = shrunk(pixels, (19, 13))
    assert found.dtype == dtype and np.abs(found - expected).max() < 2
    assert abs(found.mean() - expected.mean()) < 0.2
