"""Expansion from a photo to light: the exposures that a network predicts, merged by a classical merger."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Frame, Image
from openhdr.merging import CLASSICAL
from openhdr.pipeline.photo_to_hdr import expand, expand_photo
from openhdr.pipeline.pipeline_options import ExpandOptions
from openhdr.pipeline.predicted_stack import PHOTO, merged_stack


def _exposures(light: np.ndarray, stops: dict[str, float]) -> tuple[Frame, ...]:
    """Exposures of `light` as a perfect network would predict them."""
    return tuple(
        Frame(Image(srgb_encode(np.clip(light * 2.0**ev, 0, 1)).astype(np.float32), "srgb"), ev, name)
        for name, ev in stops.items()
    )


@pytest.fixture
def light(rng: np.random.Generator) -> np.ndarray:
    return (2.0 ** rng.uniform(-3, 1.8, (24, 30, 1)) * np.ones(3)).astype(np.float32)


@pytest.mark.parametrize("merger", CLASSICAL)
def test_perfect_exposures_give_the_light(light: np.ndarray, merger: str) -> None:
    stack = _exposures(light, {"up": 2.0, PHOTO: 0.0, "down": -2.0})
    merged, notes = merged_stack(stack, merger)
    np.testing.assert_allclose(merged, light, rtol=2e-3)
    assert notes == ()


def test_an_exposure_like_the_photo_takes_no_part(light: np.ndarray) -> None:
    """Wrong codes in an exposure of 0.04 stops change nothing, and one line says so."""
    good = _exposures(light, {PHOTO: 0.0, "down": -2.0})
    wrong = Frame(good[0].image.with_pixels(np.full_like(good[0].image.pixels, 0.5)), 0.04, "up")
    merged, notes = merged_stack((wrong, *good), "mle")
    np.testing.assert_allclose(merged, light, rtol=2e-3)
    assert notes == ("left out of the merge, within 0.1 EV of the photo: up (+0.04 EV)",)


def test_the_photo_alone_is_its_light(light: np.ndarray) -> None:
    stack = _exposures(light, {"up": 0.05, PHOTO: 0.0, "down": -0.09})
    merged, notes = merged_stack(stack, "debevec")
    np.testing.assert_allclose(merged, np.minimum(light, 1), atol=1e-5)
    assert len(notes) == 1 and "up (+0.05 EV) and down (-0.09 EV)" in notes[0]


def test_bad_requests_are_refused_before_the_work(light: np.ndarray) -> None:
    photo = Image(np.minimum(light, 1))
    with pytest.raises(RequestError, match="merger=mertens`: gives a picture for display"):
        expand_photo(photo, ExpandOptions("stack-itm", merger="mertens"))
    with pytest.raises(
        RequestError, match=r"merger=trustnet`: looks for ghosts, .+; choose one of mle, debevec"
    ):
        expand_photo(photo, ExpandOptions("stack-itm", merger="trustnet"))
    with pytest.raises(RequestError, match="did you mean 'debevec'"):
        expand_photo(photo, ExpandOptions("stack-itm", merger="debevek"))
    for method in ("landis", "two-stage"):
        with pytest.raises(RequestError, match=f"'{method}' predicts no exposures; .* `method=stack-itm`"):
            expand_photo("no-such.jpg", ExpandOptions(method, merger="mle"))
        with pytest.raises(RequestError, match=f"'{method}' predicts no exposures"):
            expand_photo("no-such.jpg", ExpandOptions(method, keep_stack=True))
    with pytest.raises(RequestError, match="did you mean 'rempel'"):
        expand(photo, "remple")
