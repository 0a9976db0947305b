"""What a browser composes of files for HDR screens: Chromium's own decoders and tone mapping, at several headrooms."""

from __future__ import annotations

import base64
import inspect
import json
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from openhdr.color.transfer import srgb_decode
from openhdr.core.image import Image
from openhdr.io import WriteOptions, read, write
from openhdr.tonemapping import tonemap

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
import browser as driver

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        driver.find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium"
    ),
]
STOPS = 3  # of the light over white
SCRIPT = """(async () => {
  const image = new Image(); image.src = 'data:%s;base64,%s'; await image.decode();
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  return JSON.stringify(%s.map(headroom => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d', { colorType: 'float16', colorSpace: 'srgb' });
    context.globalHDRHeadroom = headroom;
    context.drawImage(image, 0, 0);
    const read = { pixelFormat: 'rgba-float16', colorSpace: 'srgb' };
    const bytes = new Uint8Array(context.getImageData(0, 0, width, height, read).data.buffer);
    let text = '';
    for (let at = 0; at < bytes.length; at += 8190) text += btoa(String.fromCharCode(...bytes.subarray(at, at + 8190)));
    return text;
  }));
})()"""


@pytest.fixture(scope="module")
def compose():
    """`compose(path, headrooms)`: the codes that Chromium puts on a screen of so many stops, (H, W, 3) float each."""
    kinds = {".jpg": "image/jpeg", ".avif": "image/avif", ".png": "image/png", ".jxl": "image/jxl"}
    flags = driver.FLAGS
    driver.FLAGS = (*flags, "--enable-blink-features=CanvasGlobalHDRHeadroom")
    try:
        with driver.Browser() as opened:

            def run(path: Path, headrooms: list[float]) -> list[np.ndarray]:
                data = base64.b64encode(path.read_bytes()).decode()
                texts = json.loads(opened.run(SCRIPT % (kinds[path.suffix], data, json.dumps(headrooms))))
                arrays = [np.frombuffer(base64.b64decode(text), np.float16) for text in texts]
                return [array.reshape(*SIZE, 4)[..., :3].astype(np.float64) for array in arrays]

            yield run
    finally:
        driver.FLAGS = flags


SIZE = (96, 128)


@pytest.fixture(scope="module")
def light(room) -> np.ndarray:
    found = room(*SIZE)
    return np.minimum(found * (2**STOPS / np.percentile(found, 99.9)), 2**STOPS)


def blocks(pixels: np.ndarray) -> np.ndarray:
    """Means of 8x8 pixels, the blocks that coders work on."""
    height, width = SIZE
    return pixels.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))


FILES = {
    "gain-map.jpg": WriteOptions(),
    "gain-map.avif": WriteOptions(gain_map=True),
    "pq.avif": WriteOptions(avif_bits=12, avif_quality=98),
    "pq.png": WriteOptions(),
    "pq.jxl": WriteOptions(jxl_quality=99),
    "lossless.jxl": WriteOptions(lossless=True),
}


@pytest.mark.parametrize("name", FILES)
def test_all_light_is_shown_where_the_screen_has_the_headroom(compose, light, tmp_path, name) -> None:
    if name == "pq.jxl" and "transfer" not in inspect.signature(imagecodecs.jpegxl_encode).parameters:
        pytest.skip("PQ in JPEG XL needs imagecodecs 2026.10, which needs Python 3.12")
    path = tmp_path / name
    image = Image(light, "linear")
    write(path, image, WriteOptions(**{**vars(FILES[name]), "sdr": tonemap(image, dtype="uint8")}))
    (shown,) = compose(path, [STOPS])
    error = np.abs(blocks(srgb_decode(np.maximum(shown, 0))) / blocks(light) - 1)
    assert np.percentile(error, 99) < 0.03
    ours = read(path).pixels
    assert np.percentile(np.abs(srgb_decode(np.maximum(shown, 0)) - ours) / (ours + 0.05), 99) < 0.02


@pytest.mark.parametrize("name", ["gain-map.jpg", "gain-map.avif"])
def test_gain_maps_show_the_sdr_picture_and_every_step_between(compose, light, tmp_path, name) -> None:
    path = tmp_path / name
    image = Image(light, "linear")
    sdr = tonemap(image, dtype="uint8")
    write(path, image, WriteOptions(sdr=sdr, gain_map=True))
    base, full = read(path, base=True).pixels, read(path).pixels
    shown = compose(path, [0, 1, 2, 3])
    np.testing.assert_array_equal(np.rint(shown[0] * 255), base)
    low = srgb_decode(base / 255.0) + 1 / 1024
    for stops in (1, 2, 3):  # what lies between is a power of what lies at the ends
        between = low * ((full + 1 / 1024) / low) ** (stops / STOPS) - 1 / 1024
        error = np.abs(srgb_decode(np.maximum(shown[stops], 0)) - between) / (between + 0.02)
        assert np.percentile(error, 99) < 0.02
