"""Response curves: named ones by formula, round trips, files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from openhdr.camera.response import Response, analytic, load, parse
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Image

CODES = np.arange(256)


def _bent() -> Response:
    """Different in each channel, and red clips below the others."""
    codes = np.linspace(0, 1, 256)[:, None]
    return Response("bent", codes ** np.array([1.8, 2.2, 2.6]) * np.array([0.8, 1, 0.9]))


@pytest.mark.parametrize(
    ("name", "formula"),
    [("srgb", srgb_decode), ("linear", lambda c: c), ("gamma:2.2", lambda c: c**2.2), ("gamma:0.5", np.sqrt)],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tables_are_the_formula_at_every_code(name, formula, dtype):
    levels = np.iinfo(dtype).max + 1
    expected = formula(np.arange(levels) / (levels - 1))
    table = analytic(name).table(np.dtype(dtype))
    assert table.shape == (levels, 3)
    np.testing.assert_allclose(table, np.repeat(expected[:, None], 3, axis=1), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("response", [analytic("srgb"), analytic("gamma:2.2"), analytic("linear"), _bent()])
def test_every_code_survives_decode_and_encode(response):
    codes = np.repeat(CODES[:, None, None], 3, axis=2).astype(np.uint8)
    back = response.encode(response.decode(Image(codes, "srgb")))
    np.testing.assert_allclose(back * 255, codes, atol=0.02)


def test_channels_have_their_own_curves():
    codes = np.full((1, 1, 3), 128, np.uint8)
    expected = (128 / 255) ** np.array([1.8, 2.2, 2.6]) * (0.8, 1, 0.9)
    np.testing.assert_allclose(_bent().decode(Image(codes, "srgb"))[0, 0], expected, rtol=1e-5)


def test_float_and_sixteen_bit_codes_agree_with_eight_bit():
    codes = np.repeat(CODES[:, None, None], 3, axis=2)
    eight = _bent().decode(Image(codes.astype(np.uint8), "srgb"))
    np.testing.assert_allclose(
        _bent().decode(Image((codes * 257).astype(np.uint16), "srgb")), eight, rtol=1e-5
    )
    np.testing.assert_allclose(
        _bent().decode(Image((codes / 255).astype(np.float32), "srgb")), eight, rtol=1e-4
    )


def test_linear_pictures_are_not_bent():
    light = np.array([[[0.1, 0.5, 7]]], np.float32)
    assert analytic("srgb").decode(Image(light, "linear")) is light
    np.testing.assert_allclose(
        analytic("srgb").decode(Image(np.full((1, 1, 3), 51, np.uint8))), 0.2, rtol=1e-6
    )


def test_step_is_the_distance_of_neighbouring_codes():
    """The widest of the eight codes around, and nothing from the other end of the curve."""
    light = srgb_decode(CODES / 255.0)
    steps = np.diff(light)
    found = analytic("srgb").step(np.repeat(light[:, None], 3, axis=1))[:, 1]
    assert (found[:-9] >= steps[8:] * 0.9).all()
    assert (found[:-12] <= steps[11:] * 1.03).all()


def test_step_at_the_toe_of_a_film_curve():
    """Below code 20 all light is nearly lost: a value there is not known to the tiny distance of two codes."""
    codes = np.arange(256)
    curve = np.where(codes < 20, 1e-6 * codes, ((codes - 19) / 236) ** 2.0 + 2e-5)
    response = Response("film", np.repeat((curve / curve.max())[:, None], 3, axis=1))
    assert (
        response.step(np.full((1, 3), response.curve[15, 0]))[0, 0] > 50 * np.diff(response.curve[:, 0])[15]
    )


@pytest.mark.parametrize(
    "curve",
    [
        np.linspace(0, 1, 256),  # one channel
        np.linspace(1, 0, 256)[:, None].repeat(3, 1),  # falls
        np.linspace(0, 2, 256)[:, None].repeat(3, 1),  # not up to 1
        np.linspace(-0.1, 1, 256)[:, None].repeat(3, 1),
        np.full((256, 3), np.nan),
        np.ones((1, 3)),
    ],
)
def test_impossible_curves(curve):
    with pytest.raises(RequestError, match="response 'x'"):
        Response("x", curve)


@pytest.mark.parametrize(
    "name", ["gamma", "gamma:", "gamma:x", "gamma:0", "gamma:99", "gamma:nan", "rec709", ""]
)
def test_unknown_names(name):
    with pytest.raises(RequestError, match="expected srgb, typical, linear, calibrate, gamma:G"):
        parse(name)


def test_saved_curve_comes_back(tmp_path):
    _bent().save(tmp_path / "curve.json")
    back = parse(str(tmp_path / "curve.json"))
    assert back.name == "bent"
    np.testing.assert_allclose(back.curve, _bent().curve, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["curve.json"]


GOOD = {"format": "openhdr-response-1", "name": "x", "curve": [[0, 0, 0], [1, 1, 1]]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "\x00\x01",
        json.dumps({**GOOD, "format": "other"}),
        json.dumps({**GOOD, "curve": [[0, 0], [1, 1]]}),
        json.dumps({**GOOD, "curve": [[0, 0, 0], [1, 1]]}),
        json.dumps({**GOOD, "curve": "abc"}),
        json.dumps({**GOOD, "curve": None}),
        json.dumps({**GOOD, "curve": [[1, 1, 1], [0, 0, 0]]}),
        json.dumps({**GOOD, "curve": [[0, 0, 0], [1e99, 1, 1]]}),
        json.dumps({**GOOD, "curve": {}}),
        json.dumps({"format": "openhdr-response-1"}),
        "[" * 100_000,
    ],
)
def test_damaged_curve_files(tmp_path, text):
    (tmp_path / "curve.json").write_text(text)
    with pytest.raises(FileError, match=r"curve\.json: is not a response curve.*openhdr calibrate"):
        load(tmp_path / "curve.json")


def test_curve_file_that_is_binary_missing_or_a_folder(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00\xd8\x80")
    (tmp_path / "b.json").mkdir()
    for name in ("a.json", "b.json", "c.json"):
        with pytest.raises(FileError, match=name):
            parse(str(tmp_path / name))
