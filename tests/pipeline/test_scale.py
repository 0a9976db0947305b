"""What 1.0 means."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.pipeline.scale import anchored


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(np.float32)[None, :, None], 3, axis=2)


def test_grey_anchor_brings_the_logarithmic_mean_to_18_percent(rng):
    values = _grey(np.exp(rng.normal(size=400)))
    shown = anchored(Image(values), "grey").pixels
    assert np.exp(np.log(shown.astype(np.float64)).mean()) == pytest.approx(0.18, rel=1e-4)
    np.testing.assert_allclose(shown / shown[0, 0, 0], values / values[0, 0, 0], rtol=1e-4)


@pytest.mark.parametrize("anchor", ["grey", "absolute"])
def test_luminance_of_one_follows_the_scale(anchor, rng):
    image = Image(_grey(1 + rng.random(50)), metadata={"white_luminance": 2500.0})
    result = anchored(image, anchor)
    before, after = image.pixels * 2500.0, result.pixels * np.float32(result.metadata["white_luminance"])
    np.testing.assert_allclose(after, before, rtol=1e-5)
    if anchor == "absolute":
        assert result.metadata["white_luminance"] == 1


def test_black_picture_stays_black_on_the_grey_scale():
    assert anchored(Image(np.zeros((3, 3, 3), np.float32)), "grey").pixels.max() == 0


def test_anchor_refusals():
    image = Image(np.ones((3, 3, 3), np.float32))
    with pytest.raises(RequestError, match="did you mean 'grey'"):
        anchored(image, "gray")
    with pytest.raises(RequestError, match="`anchor='absolute'` needs"):
        anchored(image, "absolute")
    assert anchored(image, "reference") is image
