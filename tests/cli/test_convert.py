"""`openhdr convert`."""

from __future__ import annotations

import cv2
import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image as Pillow

from openhdr import io


@pytest.mark.parametrize("suffix", [".exr", ".hdr", ".tif", ".png", ".jpg", ".webp", ".avif"])
def test_into_every_format(run, photos, tmp_path, suffix):
    assert run("convert", photos / "1.jpg", "-o", tmp_path / f"out{suffix}").code == 0
    back = io.read(tmp_path / f"out{suffix}")
    if suffix != ".hdr":  # Radiance has no place for a shutter time
        assert back.exposure.time_s == pytest.approx(1 / 100, rel=1e-3)
    before = io.read(photos / "1.jpg").pixels / 255.0
    light = back.pixels / back.full_scale
    codes = light if back.encoding == "srgb" else np.clip(light, 0, 1) ** (1 / 2.2)
    assert np.abs(codes - before).mean() < 0.02


def test_light_is_kept(run, photos, tmp_path):
    assert (
        run("convert", photos / "1.exr", "-o", tmp_path / "out.tif").out == f"{tmp_path / 'out.tif'}: 96x72\n"
    )
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), io.read(photos / "1.exr").pixels)


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz", "pxr24", "dwaa", "dwab"])
def test_compressions(run, photos, tmp_path, compression):
    assert (
        run("convert", photos / "1.exr", "-o", tmp_path / "out.exr", "--compression", compression).code == 0
    )
    with OpenEXR.File(str(tmp_path / "out.exr")) as file:
        stated = str(file.header()["compression"]).removeprefix("Compression.").removesuffix("_COMPRESSION")
    assert stated == ("NO" if compression == "none" else compression.upper())


@pytest.mark.parametrize("to", [".hdr", "hdr"])
def test_folder_with_an_extension(run, photos, tmp_path, to):
    ran = run(
        "convert", photos / "0.exr", photos / "1.exr", "-o", tmp_path / "made" / "here", "--to", to, "--json"
    )
    assert ran.code == 0 and len(ran.json) == 2
    assert sorted(path.name for path in (tmp_path / "made" / "here").iterdir()) == ["0.hdr", "1.hdr"]


def test_odd_pictures_are_read_sensibly(run, tmp_path):
    rng = np.random.default_rng(0)
    grey = (rng.random((20, 30)) * 65535).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    cv2.imwrite(str(tmp_path / "alpha.png"), (rng.random((20, 30, 4)) * 255).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "one.png"), np.full((1, 1, 3), 100, np.uint8))
    turned = Pillow.fromarray((rng.random((20, 30, 3)) * 255).astype(np.uint8))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    light = np.array([[[np.nan, 1, 2], [np.inf, 3, 4], [-1, 0.5, 0.25]]], np.float32)
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": light}) as file:
        file.write(str(tmp_path / "bad.exr"))
    names = ("grey.png", "alpha.png", "one.png", "turned.jpg", "bad.exr")
    ran = run("convert", *(tmp_path / name for name in names), "-o", tmp_path / "out", "--to", ".tif")
    assert ran.code == 0
    made = {name: tifffile.imread(tmp_path / "out" / f"{name.split('.')[0]}.tif") for name in names}
    np.testing.assert_array_equal(made["grey.png"], np.repeat(grey[..., None], 3, axis=2))
    assert made["alpha.png"].shape == (20, 30, 3) and "alpha.png: The alpha channel was dropped" in ran.err
    assert made["one.png"].shape == (1, 1, 3)
    assert made["turned.jpg"].shape == (30, 20, 3)
    np.testing.assert_array_equal(made["bad.exr"], [[[0, 1, 2], [4, 3, 4], [0, 0.5, 0.25]]])
    assert "bad.exr: 1 values were not a number" in ran.err


def test_a_file_may_be_converted_onto_itself(run, photos, tmp_path):
    path = tmp_path / "a.exr"
    path.write_bytes((photos / "1.exr").read_bytes())
    before = io.read(path).pixels
    assert run("convert", path, "-o", path).code == 0
    np.testing.assert_allclose(io.read(path).pixels, before, rtol=1e-3, atol=1e-7)


def test_refusals(refused, photos, tmp_path):
    assert "did you mean 'zip'" in refused(
        "convert", photos / "1.exr", "-o", tmp_path / "a.exr", "--compression", "zipp"
    )
    assert "--quality 101" in refused(
        "convert", photos / "1.exr", "-o", tmp_path / "a.jpg", "--quality", "101"
    )
    assert "names no format to write" in refused(
        "convert", photos / "1.exr", "-o", tmp_path / "new", "--to", ".xyz"
    )
    (tmp_path / "1.exr").write_bytes((photos / "1.exr").read_bytes())
    assert "same name" in refused("convert", photos / "1.exr", tmp_path / "1.exr", "-o", tmp_path)


def test_a_gain_map_photo_keeps_its_own_sdr_picture(run, photos, tmp_path):
    first, second, mapped = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.avif"))
    assert run("convert", photos / "1.exr", "-o", first, "--operator", "hable", "--white", "0.1").code == 0
    assert run("convert", first, "-o", second).code == 0
    assert run("convert", first, "-o", mapped, "--gain-map").code == 0
    for path in (second, mapped):
        one, other = (io.read(file, base=True).pixels.astype(int) for file in (first, path))
        assert np.abs(one - other).mean() < 1.5
        error = io.read(path).pixels / np.maximum(io.read(first).pixels, 1e-3) - 1
        assert np.median(np.abs(error)) < 0.05


def test_an_edit_of_ones_own_is_the_sdr_picture(run, refused, photos, tmp_path):
    edit, out = tmp_path / "edit.png", tmp_path / "out.jpg"
    size = io.read(photos / "1.exr").pixels.shape
    Pillow.fromarray(np.full(size, (200, 120, 40), np.uint8)).save(edit)
    assert run("convert", photos / "1.exr", "-o", out, "--sdr", edit, "--white", "0.1").code == 0
    assert np.abs(io.read(out, base=True).pixels.astype(int) - (200, 120, 40)).max() <= 2
    light = io.read(photos / "1.exr").pixels
    assert np.median(np.abs(io.read(out).pixels * 0.1 / np.maximum(light, 1e-3) - 1)) < 0.06
    Pillow.fromarray(np.zeros((4, 4, 3), np.uint8)).save(edit)
    assert "export it at that size" in refused("convert", photos / "1.exr", "-o", out, "--sdr", edit)


def test_light_survives_a_chain_of_files_for_screens(run, photos, tmp_path):
    names = ("a.jpg", "b.avif", "c.png", "d.jxl", "e.exr")
    before = photos / "1.exr"
    for name in names:
        more = {
            ".jpg": ("--quality", 98, "--headroom", 6),
            ".avif": ("--quality", 98),
            ".jxl": ("--lossless",),
        }
        assert run("convert", before, "-o", tmp_path / name, *more.get(name[1:], ()), "--json").code == 0
        before = tmp_path / name
    first, last = io.read(photos / "1.exr"), io.read(before)
    assert np.median(np.abs(last.pixels / np.maximum(first.pixels, 1e-3) - 1)) < 0.05
    assert last.exposure == first.exposure


@pytest.mark.parametrize(
    ("output", "words", "expected"),
    [
        ("out.exr", ("--quality", 80), "80 is of .jpg, .webp, .avif, .heic, .jxl files; leave it out for out.exr"),
        ("out.jpg", ("--float",), "--float is of .exr, .dng files; leave it out for out.jpg"),
        ("out.hdr", ("--compression", "zip"), "--compression zip is of .exr files; leave it out for out.hdr"),
        ("out.png", ("--headroom", 3), "--headroom 3.0 is of gain maps (.jpg, or .avif with --gain-map)"),
        ("out.avif", ("--operator", "drago"), "--operator drago is of gain maps (.jpg, or .avif with --gain-map)"),
        ("out.jxl", ("--bits", 12), "--bits 12 is of .avif, .heic files; leave it out for out.jxl"),
        ("out.webp", ("--lossless",), "--lossless is of .jxl files; leave it out for out.webp"),
        ("out.avif", ("--gain-map", "--bits", 12), "--bits 12 changes nothing where --gain-map is given"),
        ("out.avif", ("--gain-map", "--transfer", "hlg"), "--transfer hlg changes nothing where --gain-map is given"),
        ("out.jxl", ("--lossless", "--quality", 80), "--quality 80 changes nothing where --lossless is given"),
        ("out.jpg", ("--sdr", "a.jpg", "--operator", "drago"), "--operator drago changes nothing where --sdr is given"),
    ],
)  # fmt: skip
def test_an_option_of_other_formats_is_refused(refused, photos, output, words, expected):
    assert expected in refused("convert", photos / "1.exr", "-o", photos / output, *words)


def test_gain_maps_in_avif_take_their_options(run, photos, tmp_path):
    assert (
        run("convert", photos / "1.exr", "-o", tmp_path / "a.avif", "--gain-map", "--headroom", 3).code == 0
    )


def test_floats_in_dng(run, photos, tmp_path):
    light = io.read(photos / "1.exr").pixels
    light[0, 0] = 1 + 2**-20  # which half floats round to 1
    io.write(
        tmp_path / "in.exr", io.read(photos / "1.exr").with_pixels(light), io.WriteOptions(exr_half=False)
    )
    assert run("convert", tmp_path / "in.exr", "-o", tmp_path / "out.dng", "--float").code == 0
    np.testing.assert_allclose(io.read(tmp_path / "out.dng").pixels[0, 0], light[0, 0], rtol=2**-22)
