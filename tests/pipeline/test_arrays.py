"""`write` takes arrays: floats are light, whole numbers are code values."""

from __future__ import annotations

import numpy as np
import pytest

import openhdr


def test_floats_are_light(tmp_path, rng) -> None:
    light = rng.random((5, 7, 3))
    openhdr.write(tmp_path / "a.hdr", light)
    np.testing.assert_allclose(openhdr.read(tmp_path / "a.hdr").pixels, light, atol=1 / 128)


def test_whole_numbers_are_codes(tmp_path, rng) -> None:
    codes = rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    openhdr.write(tmp_path / "a.png", codes)
    np.testing.assert_array_equal(openhdr.read(tmp_path / "a.png").pixels, codes)


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((4, 4, 3), bool), np.zeros((0, 4, 3))])
def test_what_is_no_image_is_refused(tmp_path, array) -> None:
    with pytest.raises(openhdr.RequestError, match="expected"):
        openhdr.write(tmp_path / "a.exr", array)
    assert list(tmp_path.iterdir()) == []
