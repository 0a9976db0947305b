"""How far light may rise inside clipped areas."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera.response import analytic
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.expansion.overview import overview_of
from openhdr.expansion.photo import Photo, photo_of
from openhdr.expansion.rise import LEAST_STOPS, border_slope, held_together, rise_limit
from openhdr.expansion.trustnet_single import trustnet_single

SRGB = analytic("srgb")


def test_light_may_rise_faster_behind_a_steep_border() -> None:
    x = np.linspace(0, 1, 200, dtype=np.float32)
    ramp = np.where(x < 0.5, 0.5 + x, 1.0)  # reaches 1 in the middle, gently
    step = np.where(x < 0.5, 0.02, 1.0)
    bounds = []
    for profile in (ramp, step):
        linear = np.repeat(np.repeat(profile[None, :, None], 120, axis=0), 3, axis=2).astype(np.float32)
        clipped = linear >= 1
        photo = Photo(srgb_encode(linear).astype(np.float32), linear, clipped, clipped)
        view = overview_of(photo)
        bounds.append(rise_limit(view, border_slope(view))[60, :, 0])
    for bound in bounds:
        assert (np.diff(np.minimum(bound[100:], 7)) >= -1e-4).all()  # grows inwards, as far as it matters
        assert bound[:99] == pytest.approx(LEAST_STOPS)
    assert bounds[1][105] > 5 * bounds[0][105]


def test_light_goes_on_where_the_last_channel_clips() -> None:
    """A warm wall between dark ones, whose blue reaches the top in the middle: no step there, though edges are near."""
    light = np.full((240, 360, 3), 0.04, np.float32)
    light[60:90] = [1.3, 1.2, 0]
    light[60:90, :, 2] = np.linspace(0.85, 1.15, 360)
    code = np.rint(255 * srgb_encode(np.minimum(light, 1))).astype(np.uint8)
    stops = np.log2(trustnet_single(photo_of(Image(code, "srgb"), SRGB)))[62:88]
    assert np.abs(np.diff(stops, axis=1)).max() < 0.4
    assert stops[13, 300].mean() > 1


def test_a_twig_in_a_clipped_sky_has_no_grey_patch_round_it() -> None:
    """Light just beside a measured dot is within 0.3 stops of that four per cent of the picture further off."""
    pixels = np.full((360, 480, 3), 255, np.uint8)
    pixels[240:] = np.linspace(120, 40, 120)[:, None, None]
    pixels[100:104, 240:244] = 250
    stops = np.log2(trustnet_single(photo_of(Image(pixels, "srgb"), SRGB)))[102, :, 1]
    assert stops[246] > stops[265] - 0.3 > 1


def test_a_narrow_frame_leaves_no_dark_rim() -> None:
    """Light just inside a bright frame of a pixel is within half a stop of that forty pixels further in."""
    pixels = np.full((360, 480, 3), 255, np.uint8)
    pixels[240:] = np.linspace(120, 40, 120)[:, None, None]
    pixels[[0, -1]] = pixels[:, [0, -1]] = 245
    light = trustnet_single(photo_of(Image(pixels, "srgb"), SRGB))
    assert np.log2(light[43, 60:420] / light[3, 60:420]).max() < 0.5


def test_channels_are_held_together() -> None:
    """By hand: 0.2 stops beside a measured channel at the top, 2 more for each stop it lies below."""
    limit = np.full((4, 3), 6, np.float32)
    limit[3] = (0.02, 3, 6)
    linear = np.array([[1, 1, 0.999], [1, 0.5, 0.25], [0.25, 0.2, 1], [1, 1, 1]], np.float32)
    bound = held_together(limit, linear, linear == 1)
    np.testing.assert_allclose(bound[:, 1], [0.2, 2.2, 4.2, 0.22], atol=0.01)
    np.testing.assert_allclose(bound[3], [0.02, 0.22, 0.22], atol=1e-6)


def test_near_white_blocks_of_a_jpeg_are_not_tinted() -> None:
    """Neighbours of 251 and 255 in one channel may not differ by a colour that the eye sees."""
    pixels = np.full((64, 96, 3), 255, np.uint8)
    pixels[:, 48:, 0] = 251
    pixels[:8] = 200
    out = trustnet_single(photo_of(Image(pixels, "srgb"), SRGB))
    assert np.ptp(np.log2(out[32, 60])) < 0.4  # 0.05 of them are in the photo


def test_gentle_sky_has_no_step_at_the_clipping_level() -> None:
    """Along a smooth ramp through the clipping level, neighbours differ by little on either side."""
    y = np.linspace(0.6, 1.5, 240, dtype=np.float32)[:, None, None] * np.array([0.9, 1.0, 1.1], np.float32)
    code = np.rint(255 * srgb_encode(np.minimum(np.repeat(y, 320, axis=1), 1))).astype(np.uint8)
    out = trustnet_single(photo_of(Image(code, "srgb"), SRGB))
    assert np.abs(np.diff(np.log2(out), axis=0)).max() < 0.13
