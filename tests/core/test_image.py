"""The containers refuse what the rest of the code relies on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from openhdr.core.errors import RequestError
from openhdr.core.image import Bracket, Exposure, Frame, Image, middle_exposure


def _image(shape: tuple[int, ...] = (4, 5, 3), dtype: type = np.uint8, encoding: str = "srgb") -> Image:
    return Image(np.zeros(shape, dtype), encoding)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 4), (0, 5, 3), (4, 0, 3)])
def test_only_rgb_pictures_with_pixels(shape):
    with pytest.raises(RequestError, match="expected \\(height, width, 3\\)"):
        _image(shape)


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.float16, bool])
def test_only_three_kinds_of_samples(dtype):
    with pytest.raises(RequestError, match="uint8, uint16 or float32"):
        _image(dtype=dtype)


def test_unknown_encoding():
    with pytest.raises(RequestError, match="pq"):
        _image(encoding="pq")


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_full_scale(dtype, full):
    assert _image(dtype=dtype).full_scale == full


@pytest.mark.parametrize("name", ["time_s", "iso", "f_number"])
@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_impossible_exposures(name, value):
    with pytest.raises(RequestError, match=name):
        Exposure(**{name: value})


def test_metadata_cannot_be_changed_from_outside():
    facts = {"make": "A"}
    image = Image(np.zeros((1, 1, 3), np.uint8), "srgb", metadata=facts)
    facts["make"] = "B"
    assert image.metadata["make"] == "A"
    with pytest.raises(TypeError):
        image.metadata["make"] = "C"


def test_notes_and_pixels_are_replaced_in_copies():
    image = _image()
    noted = image.with_notes("one", "two").with_pixels(np.ones((2, 2, 3), np.float32), "linear")
    assert (
        noted.notes == ("one", "two") and noted.encoding == "linear" and (noted.height, noted.width) == (2, 2)
    )
    assert image.notes == () and image.height == 4


def test_bracket_counts_and_sizes():
    with pytest.raises(RequestError, match="at least two"):
        Bracket((Frame(_image(), 0),), 0)
    with pytest.raises(RequestError, match=r"b\.png is 6x4, but a\.png is 5x4"):
        Bracket((Frame(_image(), 0, "a.png"), Frame(_image((4, 6, 3)), 1, "b.png")), 0)
    with pytest.raises(RequestError, match="reference 3"):
        Bracket((Frame(_image(), 0), Frame(_image(), 1)), 2)


@pytest.mark.parametrize("other", [_image(dtype=np.uint16), _image(dtype=np.float32, encoding="linear")])
def test_bracket_of_unlike_frames(other):
    """Values clip at one level in the whole bracket, so 8-bit photos do not go with 16-bit or linear ones."""
    with pytest.raises(RequestError, match=r"b\.tif holds .*a\.png 8-bit photo"):
        Bracket((Frame(_image(), 0, "a.png"), Frame(other, 1, "b.tif")), 0)


@pytest.mark.parametrize("ev", [np.nan, np.inf])
def test_frame_needs_a_number_of_stops(ev):
    with pytest.raises(RequestError, match="finite number of stops"):
        Frame(_image(), ev)


def test_bracket_ev_is_relative_to_the_reference():
    bracket = Bracket(tuple(Frame(_image(), ev) for ev in (3.0, 5.0, 8.5)), 1)
    np.testing.assert_array_equal(bracket.ev, [-2, 0, 3.5])


@pytest.mark.parametrize("stops", [(-2, 0), (-2, 0, 2), (-4, -2, 0, 2), (0, 1, 2, 3, 4)])
def test_middle_exposure_in_any_order(stops):
    """Of two middles the shorter one, whatever the order of the frames."""
    wanted = sorted(stops)[(len(stops) - 1) // 2]
    for order in itertools.permutations(stops):
        assert order[middle_exposure(np.array(order))] == wanted
