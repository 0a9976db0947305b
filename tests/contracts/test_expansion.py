"""Every inverse_tone_mapper: any photo gives finite light, the photo untouched, 1.0 where it clips."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera.response import analytic
from openhdr.core.image import Image
from openhdr.expansion.photo import photo_of
from openhdr.pipeline.photo_to_hdr import expand_photo
from openhdr.pipeline.pipeline_options import ExpandOptions

PHOTOS = {
    "black": np.zeros((16, 16, 3)),
    "white": np.full((16, 16, 3), 255),
    "one pixel": np.full((1, 1, 3), 255),
    "one row": np.linspace(0, 255, 24).reshape(1, 8, 3),
    "one lamp": np.pad(np.full((3, 3, 3), 255), ((9, 12), (5, 20), (0, 0))),
}


@pytest.mark.parametrize("photo", list(PHOTOS))
def test_any_photo_becomes_light(inverse_tone_mapper, photo) -> None:
    codes = PHOTOS[photo].astype(np.uint8)
    kept = codes.copy()
    result = expand_photo(Image(codes, "srgb"), ExpandOptions(inverse_tone_mapper.name))
    light = result.image.pixels
    assert light.shape == codes.shape and light.dtype == np.float32
    assert np.isfinite(light).all() and light.min() >= 0
    np.testing.assert_array_equal(codes, kept)


def test_brighter_stays_brighter(inverse_tone_mapper) -> None:
    """Grey steps keep their order, and grey stays grey; the topmost step counts as clipped."""
    steps = np.repeat(np.linspace(10, 250, 12).astype(np.uint8), 8)
    photo = Image(np.tile(steps[None, :, None], (32, 1, 3)), "srgb")
    light = expand_photo(photo, ExpandOptions(inverse_tone_mapper.name)).image.pixels
    middles = light[16, 4::8]
    assert (np.diff(middles, axis=0) > 0).all()
    np.testing.assert_allclose(middles[:, 0], middles[:, 2], rtol=0.05)


def test_measured_light_is_kept_where_the_row_says_so(inverse_tone_mapper, scene, shoot) -> None:
    photo = photo_of(shoot(np.tile(scene, (3, 3, 1)), [0.0])[0], analytic("srgb"))
    light = inverse_tone_mapper.load()(photo)
    same = np.array_equal(light[~photo.lost], photo.linear[~photo.lost])
    assert same == inverse_tone_mapper.keeps_measured
