"""DNG written by openhdr, read by itself, LibRaw and tifffile; and by editors where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from openhdr import io
from openhdr.camera.demosaic import develop
from openhdr.camera.mosaic import Mosaic, pattern_of
from openhdr.camera.noise import NoiseModel
from openhdr.color.primaries import to_xyz
from openhdr.core.errors import FileError
from openhdr.core.image import REC709, Exposure, Image
from openhdr.io.raw import exposure_with_makers, recognise, smallest_tile

COLOURS = np.array([[0.75, 0.2, 0.05], [0.15, 0.75, 0.1], [0.03, 0.22, 0.75]])
NEUTRAL = np.array([0.5, 1.0, 0.65])
GREY, TINT, LAMP = (
    (slice(200, 400), slice(40, 200)),
    (slice(200, 400), slice(350, 560)),
    (slice(20, 100), slice(20, 100)),
)


def light() -> np.ndarray:
    """(420, 600, 3): grey 0.18, a tint of it, and a lamp six times as bright as white, with a little grain."""
    rgb = np.full((420, 600, 3), 0.18)
    rgb[:, 300:] *= (1, 0.7, 0.4)
    rgb[:120, :120] = 6.0
    return rgb * (1 + 0.01 * np.random.default_rng(0).standard_normal((420, 600, 1)))


def sensor(array: str = "rggb", floats: bool = True) -> Mosaic:
    pattern = pattern_of(array)
    y, x = np.mgrid[:420, :600]
    colour = pattern[y % len(pattern), x % len(pattern)].astype(int)
    seen = light() @ (np.diag(NEUTRAL) @ COLOURS).T
    values = np.take_along_axis(seen, colour[..., None], 2)[..., 0].astype(np.float32)
    black, white = np.full(pattern.shape, 0.0, np.float32), np.ones(pattern.shape, np.float32)
    if not floats:
        black, white = black + np.array([[500, 510], [520, 530]]), white * 16000
        levels = np.tile(black, (210, 300))
        values = np.clip(np.rint(levels + values * (16000 - levels)), 0, 16000).astype(np.uint16)
    return Mosaic(
        values, pattern, black, white, NEUTRAL, np.diag(NEUTRAL) @ COLOURS @ np.linalg.inv(to_xyz(REC709)),
        NoiseModel(2e-4, 1e-3), 1, Exposure(0.01, 200.0, 5.6), 
        {"make": "Maker", "model": "Model", "date": "2026:01:02 03:04:05"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dng")
    written = {
        name: folder / f"{name}.dng" for name in ("codes", "half", "float", "linear", "picture", "xtrans")
    }
    io.write_mosaic(written["codes"], sensor(floats=False))
    io.write_mosaic(written["half"], sensor())
    io.write_mosaic(written["float"], sensor(), io.WriteOptions(dng_half=False))
    io.write_mosaic(written["linear"], sensor(), io.WriteOptions(dng_linear=True))
    io.write_mosaic(written["xtrans"], sensor("xtrans"))
    facts = sensor()
    io.write(written["picture"], Image(light().astype(np.float32), "linear", facts.exposure, facts.metadata))
    return written


def spots(pixels: np.ndarray) -> np.ndarray:
    return np.array([pixels[place].mean(axis=(0, 1)) for place in (GREY, TINT)])


@pytest.mark.parametrize("name", ["codes", "half", "float", "linear", "picture", "xtrans"])
def test_light_exposure_and_facts_come_back(files, name: str) -> None:
    image = io.read(files[name])
    assert image.exposure == Exposure(0.01, 200.0, 5.6)
    assert (image.metadata["make"], image.metadata["date"]) == ("Maker", "2026:01:02 03:04:05")
    np.testing.assert_allclose(spots(image.pixels), spots(light()), rtol=0.005)
    np.testing.assert_allclose(image.pixels[LAMP].mean(), 1.0 if name == "codes" else 6.0, rtol=0.005)


@pytest.mark.parametrize("name", ["codes", "half", "float", "xtrans"])
def test_sensor_values_come_back_with_what_is_known_of_them(files, name: str) -> None:
    wanted = sensor("xtrans" if name == "xtrans" else "rggb", floats=name != "codes")
    found = io.read_mosaic(files[name])
    rows = slice(0, 420)
    np.testing.assert_allclose(found.light(rows), wanted.light(rows), rtol=6e-4, atol=1e-6)
    np.testing.assert_array_equal(found.pattern, wanted.pattern)
    np.testing.assert_allclose(found.neutral, NEUTRAL, atol=1e-5)
    np.testing.assert_allclose(found.matrix, wanted.matrix, atol=1e-5)
    assert (found.noise.shot, found.noise.read) == pytest.approx((2e-4, 1e-3), rel=1e-4)


def test_a_picture_holds_no_sensor_values(files, tmp_path) -> None:
    assert io.read_mosaic(files["picture"]) is None
    io.write(tmp_path / "a.png", Image(np.zeros((8, 8, 3), np.uint8), "srgb"))
    assert io.read_mosaic(tmp_path / "a.png") is None


@pytest.mark.parametrize("name", ["codes", "half", "float", "linear", "picture"])
def test_libraw_shows_the_same_level_and_white_balance(files, name: str) -> None:
    rawpy = pytest.importorskip("rawpy")
    with rawpy.imread(str(files[name])) as raw:
        shown = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, adjust_maximum_thr=0, gamma=(1, 1), output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,
        )  # fmt: skip
        assert raw.other.iso_speed == 200
    np.testing.assert_allclose(spots(shown / 65535), spots(light()), rtol=0.02)


def test_the_first_page_is_a_preview_and_the_light_lies_beside_it(files) -> None:
    with tifffile.TiffFile(files["half"]) as file:
        assert file.pages[0].asarray().shape == (420, 600, 3)
        (page,) = file.pages[0].pages
        assert (page.dtype, page.photometric, page.compression) == (np.float16, 32803, 8)


def test_damage_is_refused_by_name(files, tmp_path) -> None:
    data = files["half"].read_bytes()
    for number, part in enumerate((data[: len(data) // 2], data[:600])):
        path = tmp_path / f"{number}.dng"
        path.write_bytes(part)
        with pytest.raises(FileError, match=path.name):
            io.read(path)
    with pytest.raises(FileError):
        io.write_mosaic(tmp_path / "missing" / "a.dng", sensor())


def test_a_dng_whose_tiles_were_taken_out_is_refused(files, tmp_path) -> None:
    """As programs do that shorten files for reports: the directory declares a sensor, and a few bytes of it."""
    data = bytearray(files["codes"].read_bytes())
    with tifffile.TiffFile(files["codes"]) as file:
        tag = file.pages[0].pages[0].tags["StripByteCounts"]
    data[tag.valueoffset : tag.valueoffset + 4] = (22).to_bytes(4, "little")
    path = tmp_path / "short.dng"
    path.write_bytes(data)
    for reader in (io.read, io.read_mosaic):
        with pytest.raises(FileError, match=r"short\.dng.*cut off"):
            reader(path)


def test_phase_one_is_camera_raw_and_no_small_tiff() -> None:
    assert recognise(memoryview(b"II*\0\x08\x0a\0\0IIIICwaR" + bytes(64)))
    assert not recognise(memoryview(b"II*\0\x08\0\0\0" + bytes(64)))


def test_exposure_that_only_the_maker_states_is_filled_in() -> None:
    """As of Panasonic, whose sensitivity stands in a tag of its own."""
    maker = SimpleNamespace(other=SimpleNamespace(shutter_speed=0.004000000189, iso_speed=80.0, aperture=4.0))
    assert exposure_with_makers(maker, Exposure(time_s=1 / 250, f_number=5.6)) == Exposure(0.004, 80.0, 5.6)
    assert exposure_with_makers(SimpleNamespace(), Exposure()) is None


def test_float_codes_below_black_are_stored_as_black(tmp_path) -> None:
    dark = sensor()
    io.write_mosaic(tmp_path / "a.dng", replace(dark, values=dark.values - 1))
    assert io.read_mosaic(tmp_path / "a.dng").values.min() == 0


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("rawtherapee-cli"), reason="RawTherapee is not installed")
@pytest.mark.parametrize("name", ["codes", "half", "xtrans"])
def test_rawtherapee_shows_the_same_level_and_white_balance(files, name: str, tmp_path) -> None:
    shown = tmp_path / "shown.tif"
    command = ["rawtherapee-cli", "-o", str(shown), "-t", "-b16", "-Y", "-c", str(files[name])]
    subprocess.run(
        command, check=True, capture_output=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    )
    np.testing.assert_allclose(spots(decoded(tifffile.imread(shown) / 65535)), spots(light()), rtol=0.005)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("darktable-cli"), reason="darktable is not installed")
@pytest.mark.parametrize("name", ["codes", "half", "xtrans", "linear"])
def test_darktable_shows_the_same_level_and_white_balance(files, name: str, tmp_path) -> None:
    """Without its look, which it does not apply alike to sensor values and to pictures."""
    shown = tmp_path / "shown.tif"
    settings = ("plugins/darkroom/workflow=none", "plugins/imageio/format/tiff/bpp=32")
    command = ["darktable-cli", str(files[name]), str(shown), "--core", "--library", ":memory:"]
    command += [part for setting in settings for part in ("--conf", setting)]
    subprocess.run(
        [*command, "--configdir", str(tmp_path)],
        check=True, capture_output=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    np.testing.assert_allclose(spots(decoded(tifffile.imread(shown))), spots(light()), rtol=0.005)


def decoded(code: np.ndarray) -> np.ndarray:
    """Light of sRGB codes 0..1, by the standard's formula."""
    return np.where(code > 0.04045, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4, code / 12.92)


def test_developing_is_what_reading_does(files) -> None:
    np.testing.assert_allclose(io.read(files["float"]).pixels, develop(sensor()), rtol=1e-3, atol=1e-4)


def test_arrays_that_are_not_known_are_developed_by_libraw() -> None:
    for array in ("gbrg", "xtrans"):
        tile = pattern_of(array)
        np.testing.assert_array_equal(smallest_tile(np.tile(tile, (12, 9))), tile)
    assert smallest_tile(np.tile(np.arange(16).reshape(4, 4) % 3, (12, 12))) is None
