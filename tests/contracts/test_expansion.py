"""Every expansion operator: any photo gives finite light; what the photo measured is kept where promised."""

from __future__ import annotations

import numpy as np
import pytest

import openhdr
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image


def _expand(expander, pixels: np.ndarray) -> np.ndarray:
    light = openhdr.expand(Image(pixels, "srgb"), method=expander.name)
    assert light.encoding == "linear"
    assert light.pixels.shape == pixels.shape and light.pixels.dtype == np.float32
    assert np.isfinite(light.pixels).all() and light.pixels.min() >= 0
    return light.pixels


def test_photo_becomes_light(expander, shoot, scene) -> None:
    (photo,) = shoot(np.tile(scene, (4, 4, 1)), [0.0])
    light = _expand(expander, photo.pixels)
    if expander.keeps_measured:
        measured = (photo.pixels < 250).all(axis=2)
        linear = srgb_decode(photo.pixels.astype(np.float32) / 255)
        np.testing.assert_allclose(light[measured], linear[measured], atol=0.02)


@pytest.mark.parametrize("value", [0, 128, 255], ids=["black", "grey", "white"])
@pytest.mark.parametrize("size", [(16, 16), (1, 1)], ids=["16x16", "1x1"])
def test_flat_photos(expander, value, size) -> None:
    light = _expand(expander, np.full((*size, 3), value, np.uint8))
    if value == 255:  # what is not recorded anywhere may be invented, but not darker than the clip
        assert light.min() > 0.9
        return
    assert np.ptp(light) < 1e-3
    assert value != 0 or light.max() < 1e-3


def test_hdr_image_is_refused(expander, scene) -> None:
    with pytest.raises(RequestError, match="HDR already"):
        openhdr.expand(Image(scene), method=expander.name)
