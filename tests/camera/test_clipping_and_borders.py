"""At which code photos clip, and bands that are no part of them."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.camera.border import MARGIN_PX, pure_colour_border
from openhdr.camera.clipping import clip_code
from openhdr.core.image import Image


def _photo(room, top: int, dtype=np.uint8, ev: float = 0.0) -> Image:
    scale = np.iinfo(dtype).max / 255
    codes = np.clip(room() * 2.0**ev, 0, 1) ** (1 / 2.2) * top * scale
    return Image(np.rint(codes).astype(dtype), "srgb")


@pytest.mark.parametrize("top", [235, 245, 251, 254, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_code_where_highlights_pile_up(room, top, dtype):
    full = np.iinfo(dtype).max
    assert clip_code([_photo(room, top, dtype, -2), _photo(room, top, dtype)]) == pytest.approx(
        top / 255 * full, abs=full / 255
    )


def test_a_trickle_above_the_pile_is_compression(room):
    pixels = _photo(room, 250).pixels.copy()
    pixels[::23, ::29] = 255
    assert clip_code([Image(pixels, "srgb")]) == 250


def test_photos_without_clipping_clip_at_full_scale(room):
    assert clip_code([_photo(room, 255, ev=-6)]) == 255
    assert clip_code([Image(np.zeros((9, 9, 3), np.uint8), "srgb")]) == 255
    assert clip_code([Image(np.full((9, 9, 3), 120, np.uint16), "srgb")]) == 65535


def test_a_bright_wall_is_not_clipping(room):
    pixels = _photo(room, 255).pixels.copy()
    pixels[:40] = 200
    assert clip_code([Image(pixels, "srgb")]) == 255


def test_linear_pictures():
    light = np.full((4, 4, 3), 0.7, np.float32)
    assert clip_code([Image(light)]) == 1
    assert clip_code([Image(light), Image(light * 4)]) == np.inf


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_pure_band_at_the_edge(room, dtype):
    pixels = _photo(room, 255, dtype).pixels.copy()
    pixels[:, -12:] = np.array((0, 0, 1), dtype) * np.iinfo(dtype).max
    mask = pure_colour_border(pixels)
    width = 12 + MARGIN_PX
    assert mask[:, -width:].all() and not mask[:, :-width].any()


def test_pure_colours_inside_the_picture_belong_to_it(room):
    pixels = _photo(room, 255).pixels.copy()
    pixels[:, -12:] = (0, 0, 255)
    pixels[40:60, 40:60] = (0, 0, 255)
    mask = pure_colour_border(pixels)
    assert not mask[36:64, 36:64].any()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (0, 0, 254)])
def test_black_white_and_nearly_pure_bands_are_kept(room, colour):
    """A night sky and a white sky reach the edge of real photos."""
    pixels = _photo(room, 200).pixels.copy()
    pixels[:15] = colour
    assert pure_colour_border(pixels) is None


def test_odd_pictures():
    assert pure_colour_border(np.zeros((5, 5, 3), np.float32)) is None
    assert pure_colour_border(np.full((1, 1, 3), (0, 0, 255), np.uint8)).all()
