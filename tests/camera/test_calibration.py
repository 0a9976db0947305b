"""Calibration recovers curves that were used to take the pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.camera.calibration import CalibrationOptions, calibrate_frames
from openhdr.core.errors import RequestError

STOPS = np.array([-4.0, -2, 0, 2, 4])


def _sigmoid(light: np.ndarray) -> np.ndarray:
    """The curve of HDRCNN's virtual cameras (n = 0.9, a = 0.6)."""
    return 1.6 * light**0.9 / (light**0.9 + 0.6)


CURVES = {
    "gamma 1.6": lambda x: x ** (1 / 1.6),
    "gamma 2.4": lambda x: x ** (1 / 2.4),
    "sigmoid": _sigmoid,
}


def _frames(room, encode, stops=STOPS, top=255.0):
    light = cv2.GaussianBlur(room(), (0, 0), 2)
    return [np.rint(encode(np.clip(light * 2.0**ev, 0, 1)) * top).astype(np.uint8) for ev in stops]


UNEVEN = np.array([-4, -2.3, 0, 1.1, 3.4])


def _worst_error(response, encode) -> float:
    """Of the light of codes 30 to 250, a span of about five stops; a curve is known up to a factor."""
    light = np.linspace(0, 1, 20001)
    ratio = response.curve[30:251] / np.interp(np.arange(30, 251) / 255, encode(light), light)[:, None]
    return float(np.abs(ratio / np.exp(np.log(ratio).mean(axis=0)) - 1).max())


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("stops", [STOPS, UNEVEN])
def test_debevec_gives_a_known_curve_back(room, name, stops):
    encode = CURVES[name]
    assert _worst_error(calibrate_frames(_frames(room, encode, stops), stops), encode) < 0.02


@pytest.mark.parametrize("name", CURVES)
def test_robertson_gives_a_known_curve_back(room, name):
    """Steps that are not all alike: even ones leave ripples of that step undetermined."""
    encode = CURVES[name]
    response = calibrate_frames(
        _frames(room, encode, UNEVEN), UNEVEN, options=CalibrationOptions("robertson")
    )
    assert _worst_error(response, encode) < 0.06
    assert response.name == "calibrated:robertson"


def test_robertson_with_even_steps_stays_near_a_photographic_curve(room):
    """The ripples that even steps leave open are those of the start, which is sRGB."""
    encode = CURVES["gamma 2.4"]
    response = calibrate_frames(_frames(room, encode), STOPS, options=CalibrationOptions("robertson"))
    assert _worst_error(response, encode) < 0.07


def test_sixteen_bit_frames_give_the_same_curve(room):
    frames = _frames(room, CURVES["gamma 2.4"])
    eight = calibrate_frames(frames, STOPS)
    sixteen = calibrate_frames([frame.astype(np.uint16) * 257 for frame in frames], STOPS)
    np.testing.assert_array_equal(eight.curve, sixteen.curve)


def test_only_differences_of_exposure_count(room):
    frames = _frames(room, CURVES["gamma 1.6"])
    np.testing.assert_allclose(
        calibrate_frames(frames, STOPS).curve, calibrate_frames(frames, STOPS + 7).curve, rtol=1e-4, atol=1e-7
    )


def test_pixels_that_are_no_part_of_the_photo_do_not_speak(room):
    frames = _frames(room, CURVES["gamma 2.4"])
    spoilt = [frame.copy() for frame in frames]
    valid = np.ones(frames[0].shape[:2], bool)
    valid[:, :60] = False
    for frame in spoilt:
        frame[:, :60] = (0, 0, 255)
    with_mask = calibrate_frames(spoilt, STOPS, [valid] * 5).curve
    without_them = calibrate_frames([np.ascontiguousarray(frame[:, 60:]) for frame in frames], STOPS).curve
    assert np.abs(with_mask - without_them)[30:250].max() < 0.02


def test_scans_that_top_out_early(room):
    """Codes end at 251: the curve is flat from there and its top is the clipping level."""
    response = calibrate_frames(_frames(room, CURVES["gamma 2.4"], top=251.0), STOPS, clip=251 / 255)
    np.testing.assert_array_equal(response.curve[251:], np.repeat(response.curve[251:252], 5, axis=0))
    truth = (np.arange(30, 245) / 251) ** 2.4
    ratio = response.curve[30:245, 1] / truth
    assert np.abs(ratio / np.exp(np.log(ratio).mean()) - 1).max() < 0.05


def test_frames_that_cannot_tell(room):
    flat = [np.full((40, 40, 3), code, np.uint8) for code in (100, 110)]
    with pytest.raises(RequestError, match=r"too few code values .*`response='srgb'`"):
        calibrate_frames(flat, np.array([0.0, 1]))
    with pytest.raises(RequestError, match=r"too few pixels .*`response='srgb'`"):
        calibrate_frames([np.zeros((3, 3, 3), np.uint8)] * 2, np.array([0.0, 1]))
    nothing = np.zeros(flat[0].shape[:2], bool)
    with pytest.raises(RequestError, match=r"too few pixels"):
        calibrate_frames(flat, np.array([0.0, 1]), [nothing, nothing])


def test_unknown_method(room):
    with pytest.raises(RequestError, match="did you mean 'debevec'"):
        calibrate_frames(_frames(room, CURVES["sigmoid"]), STOPS, options=CalibrationOptions("debvec"))
