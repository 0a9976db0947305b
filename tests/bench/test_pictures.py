"""What a page shows of a picture: decoded here by the formula of compare.js."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image as Picture

from openhdr.bench.report.page import PictureStore, asset, embedded_json, filled
from openhdr.bench.report.pictures import PictureOptions, encode_light, encode_map, options_for
from openhdr.color.transfer import srgb_decode, srgb_encode


def opened(url: str) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def decoded(light: dict) -> np.ndarray:
    low, high = (opened(url) for url in light["layers"])
    start, end = light["blend"]
    weight = np.clip((low.max(axis=2, keepdims=True) / 255 - start) / (end - start), 0, 1)
    white = light["white"]
    return (1 - weight) * white[0] * srgb_decode(low / 255) + weight * white[1] * srgb_decode(high / 255)


def shown(light: np.ndarray, ev: float) -> np.ndarray:
    return 255 * srgb_encode(np.clip(light * 2.0**ev, 0, 1))


@pytest.fixture
def light(rng) -> np.ndarray:
    """Ten stops of smooth light with fine texture."""
    x = np.linspace(-7, 2.2, 200)
    level = 2.0**x * np.ones((120, 1))
    return (level[..., None] * (1 + 0.1 * rng.standard_normal((120, 200, 3)))).clip(0, 4.9).astype(np.float32)


@pytest.mark.parametrize("ev", [-3, -1, 0, 1, 3])
def test_lossless_is_true_to_the_eye_at_every_exposure(light, ev):
    seen = shown(decoded(encode_light(light, 4.0, PictureOptions(lossless=True))), ev)
    error = np.abs(seen - shown(light, ev))
    assert error.mean() < 0.6 and error.max() < 7  # 8-bit steps of the display


@pytest.mark.parametrize("ev", [-2, 0, 2])
def test_compressed_is_close(light, ev):
    seen = shown(decoded(encode_light(light, 4.0, PictureOptions(lossless=False))), ev)
    assert np.abs(seen - shown(light, ev)).mean() < 4


def test_light_beyond_the_bracket_is_cut_alike():
    found = decoded(encode_light(np.full((8, 8, 3), 900, np.float32), 4.0, PictureOptions()))
    assert found == pytest.approx(5.0, rel=1e-3)


def test_large_pictures_are_reduced():
    coded = encode_light(np.ones((30, 4000, 3), np.float32), 2.0, PictureOptions())
    assert (coded["width"], coded["height"]) == (960, 7)


def test_map():
    values = np.zeros((40, 60), np.float32)
    values[:, 30:] = 0.05
    grey = opened(encode_map(values, 0.1, PictureOptions()))[..., 0]
    assert grey.shape == (40, 60)
    assert abs(int(grey[20, 10])) <= 2 and abs(int(grey[20, 50]) - 128) <= 2


def test_budget_decides():
    assert options_for(3, 600_000).lossless and not options_for(256, 221_184).lossless


def test_facts_cannot_leave_their_element():
    assert "</script" not in embedded_json({"a": "</script><script>alert(1)"})


def test_filling_leaves_parts_alone():
    assert filled("<{{a}}|{{b}}>", {"a": "{{b}}", "b": "2"}) == "<{{b}}|2>"


def test_store_keeps_pictures_apart():
    store = PictureStore()
    coded = store.add_light({"layers": ["data:a", "data:b"], "white": (1, 2)})
    assert coded["layers"] == ["picture-0", "picture-1"] and [*store.ids] == ["data:a", "data:b"]


@pytest.mark.parametrize(
    "name", ["style.css", "compare.js", "report.js", "demo.js", "page.html", "report.html", "demo.html"]
)
def test_pages_ask_for_nothing_outside(name):
    text = asset(name).replace("http://www.w3.org/2000/svg", "")
    for word in ("http:", "https:", "//cdn", "@import", "url(", "fetch(", "src="):
        assert word not in text, f"{name} has {word}"
