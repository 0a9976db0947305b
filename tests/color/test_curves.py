"""Transfer curves and luminance against numbers that do not come from this code."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color

from openhdr.color.luminance import luminance
from openhdr.color.transfer import mu_law, srgb_decode, srgb_encode


@pytest.mark.parametrize(
    ("code", "light"),  # by hand from IEC 61966-2-1
    [(0, 0), (10, 0.0030352698), (11, 0.0033465358), (128, 0.2158605001), (188, 0.5028864580), (255, 1)],
)
def test_srgb_by_hand(code, light):
    assert srgb_decode(code / 255) == pytest.approx(light, abs=1e-9)
    assert srgb_encode(light) * 255 == pytest.approx(code, abs=1e-4)


def test_srgb_against_scikit_image(rng):
    codes = rng.random((40, 40, 3))
    yours = color.rgb2xyz(codes) @ np.linalg.inv(color.colorconv.xyz_from_rgb.T)
    np.testing.assert_allclose(srgb_decode(codes), yours, atol=1e-9)


def test_srgb_round_trip_and_beyond_one():
    light = np.concatenate([np.linspace(-0.1, 0.01, 200), np.logspace(-1.9, 3, 200)])
    np.testing.assert_allclose(srgb_decode(srgb_encode(light)), light, atol=2e-8, rtol=1e-7)
    assert (np.diff(srgb_encode(light)) > 0).all()


def test_float32_stays_float32_enough():
    codes = np.linspace(0, 1, 256, dtype=np.float32)
    np.testing.assert_allclose(srgb_decode(codes), srgb_decode(codes.astype(np.float64)), rtol=2e-6)


def test_mu_law_by_hand():
    assert mu_law(0) == 0 and mu_law(1) == pytest.approx(1)
    assert mu_law(0.01) == pytest.approx(np.log(51) / np.log(5001))
    assert mu_law(3) > 1


def test_luminance_of_primaries_and_white():
    assert luminance(np.eye(3)) == pytest.approx([0.2126, 0.7152, 0.0722])
    assert luminance(np.full((2, 2, 3), 0.5, np.float32)) == pytest.approx(0.5)
    assert luminance(np.ones((1, 3), np.float32)).dtype == np.float32
