"""Every format: what is read and written agrees with independent decoders and encoders."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image as Pillow

from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Exposure, Image
from openhdr.io import FORMATS, WriteOptions, probe, read, write


@pytest.fixture
def light(rng) -> Image:
    pixels = (rng.random((30, 50, 3)) ** 4 * 40).astype(np.float32)
    return Image(pixels, "linear")


@pytest.fixture
def codes(rng) -> Image:
    return Image(rng.integers(0, 256, (30, 50, 3), dtype=np.uint8), "srgb")


def test_every_row_loads_and_has_one_owner_per_extension():
    owners = [extension for row in FORMATS.values() for extension in row.extensions]
    assert len(owners) == len(set(owners))
    for row in FORMATS.values():
        assert (row.load().encode is not None) == row.writable


def test_samples_are_recognised_and_probe_agrees_with_read(samples):
    for name, path in samples.items():
        info, image = probe(path), read(path)
        assert info.format == name.split("-")[0]
        assert (info.width, info.height, info.encoding) == (image.width, image.height, image.encoding), name
        assert info.exposure == image.exposure
        assert not any("read as" in note for note in image.notes), name


def test_sample_type_and_bits(samples):
    expected = {
        "jpeg-plain": (np.uint8, 8), "png-8": (np.uint8, 8), "png-16": (np.uint16, 16),
        "avif-8": (np.uint8, 8),
        "avif-10": (np.uint16, 10), "tiff-plain": (np.uint8, 8), "tiff-float": (np.float32, 32),
        "openexr-half": (np.float32, 16), "openexr-float": (np.float32, 32), "radiance-new": (np.float32, 8),
        "webp-lossless": (np.uint8, 8), "raw-dng": (np.float32, None),
    }  # fmt: skip
    for name, (dtype, bits) in expected.items():
        assert read(samples[name]).pixels.dtype == dtype, name
        assert bits is None or probe(samples[name]).bits == bits, name


def test_jpeg_is_what_pillow_decodes(samples):
    np.testing.assert_array_equal(
        read(samples["jpeg-plain"]).pixels, np.array(Pillow.open(samples["jpeg-plain"]))
    )


def test_webp_and_png_are_what_pillow_decodes(samples):
    for name in ("webp-lossy", "webp-lossless", "png-8", "avif-8"):
        np.testing.assert_array_equal(read(samples[name]).pixels, np.array(Pillow.open(samples[name])))


def test_ten_bit_codes_fill_sixteen_bits(samples):
    ten_bits = imagecodecs.avif_decode(samples["avif-10"].read_bytes())
    expected = np.rint(ten_bits / 1023 * 65535)
    np.testing.assert_array_equal(read(samples["avif-10"]).pixels, expected)


def test_png_from_uint8_is_8_bit_and_unchanged(tmp_path, codes):
    write(tmp_path / "a.png", codes)
    np.testing.assert_array_equal(np.array(Pillow.open(tmp_path / "a.png")), codes.pixels)


def test_png_from_uint16_keeps_all_bits(tmp_path, rng):
    image = Image(rng.integers(0, 65536, (9, 11, 3), dtype=np.uint16), "srgb")
    write(tmp_path / "a.png", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"), -1)[..., ::-1], image.pixels)
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, image.pixels)


def test_linear_light_below_white_in_png_is_srgb(tmp_path, light):
    dim = light.with_pixels(light.pixels / light.pixels.max())
    assert write(tmp_path / "a.png", dim) == ()
    stored = cv2.imread(str(tmp_path / "a.png"), -1)[..., ::-1]
    assert stored.dtype == np.uint16
    assert np.abs(stored - srgb_encode(dim.pixels.astype(np.float64)) * 65535).max() < 0.51


def test_linear_light_in_webp_is_clipped_and_said(tmp_path, light):
    (note,) = write(tmp_path / "a.webp", light)
    assert "clipped" in note
    expected = srgb_encode(np.clip(light.pixels.astype(np.float64), 0, 1)) * 255
    with Pillow.open(tmp_path / "a.webp") as stored:
        assert abs(np.array(stored).mean() - expected.mean()) < 4


def test_srgb_float_is_scaled_not_encoded_again(tmp_path):
    image = Image(np.full((4, 4, 3), 0.5, np.float32), "srgb")
    write(tmp_path / "a.png", image)
    assert read(tmp_path / "a.png").pixels[0, 0, 0] == 32768


@pytest.mark.parametrize("name", ["a.exr", "a.tif"])
def test_code_values_become_linear_light_in_hdr_files(tmp_path, codes, name):
    write(
        tmp_path / name,
        Image(codes.pixels, "linear") if name.endswith("tif") else codes,
        WriteOptions(exr_half=False),
    )
    expected = codes.pixels / 255.0
    if name.endswith("exr"):
        expected = srgb_decode(expected)
    np.testing.assert_allclose(read(tmp_path / name).pixels, expected, atol=1e-6)


def test_jpeg_and_webp_and_avif_stay_close(tmp_path):
    y, x = np.mgrid[:64, :80]
    image = Image(np.stack([x * 3, y * 3, x + y], axis=2).astype(np.uint8), "srgb")
    for name in ("a.jpg", "a.webp", "a.avif"):
        write(tmp_path / name, image)
        error = np.abs(np.array(Pillow.open(tmp_path / name)).astype(int) - image.pixels)
        assert error.mean() < 1.5, name


def test_float_tiff_is_exact_for_independent_readers(tmp_path, light):
    write(tmp_path / "a.tif", light)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.tif"), -1)[..., ::-1], light.pixels)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, light.pixels)


def test_16_bit_tiff_keeps_code_values(tmp_path, rng):
    image = Image(rng.integers(0, 65536, (9, 11, 3), dtype=np.uint16), "srgb")
    write(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.tif"), -1)[..., ::-1], image.pixels)
    assert read(tmp_path / "a.tif").encoding == "srgb"


TIFFS = {
    "planar": {"photometric": "rgb", "planarconfig": "separate"},
    "tiled": {"photometric": "rgb", "tile": (16, 16)},
    "lzw": {"photometric": "rgb", "compression": "lzw"},
    "deflate": {"photometric": "rgb", "compression": "zlib", "predictor": True},
    "zstd": {"photometric": "rgb", "compression": "zstd"},
    "packbits": {"photometric": "rgb", "compression": "packbits"},
    "big": {"photometric": "rgb", "bigtiff": True},
    "motorola": {"photometric": "rgb", "byteorder": ">"},
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("layout", TIFFS)
def test_tiff_layouts_and_types(tmp_path, rng, layout, dtype):
    if dtype == np.float16 and layout == "deflate":
        pytest.skip("the encoder has no predictor for half floats")
    pixels = rng.integers(0, 200, (40, 33, 3)).astype(dtype)
    settings = dict(TIFFS[layout])
    if layout == "planar":
        tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(pixels, 2, 0), **settings)
    else:
        tifffile.imwrite(tmp_path / "a.tif", pixels, **settings)
    image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(
        image.pixels, pixels.astype(np.float32) if image.encoding == "linear" else pixels
    )
    assert image.encoding == ("linear" if np.dtype(dtype).kind == "f" else "srgb")


MODES = (
    *(("L", "a.png"), ("1", "b.png"), ("P", "c.png"), ("LA", "d.png"), ("RGBA", "e.png"), ("L", "f.jpg")),
    *(("L", "g.tif"), ("1", "h.tif"), ("P", "i.tif"), ("RGBA", "j.webp")),
)


def test_grey_palette_bits_alpha_and_cmyk(tmp_path, codes):
    colour = Pillow.fromarray(codes.pixels)
    for mode, name in MODES:
        other = colour.convert(mode)
        if mode == "RGBA":
            other.putalpha(128)
        other.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        image = read(tmp_path / name)
        expected = np.array(Pillow.open(tmp_path / name).convert("RGB"))
        np.testing.assert_array_equal(image.pixels, expected, err_msg=name)
        assert any("alpha" in note for note in image.notes) == (mode in ("LA", "RGBA")), name
    colour.convert("CMYK").save(tmp_path / "k.jpg", quality=95)
    image = read(tmp_path / "k.jpg")
    assert "CMYK" in image.notes[0] and image.pixels.shape == codes.pixels.shape
    colour.convert("CMYK").save(tmp_path / "l.tif")
    image = read(tmp_path / "l.tif")
    assert "CMYK" in image.notes[0]
    assert np.abs(image.pixels.astype(int) - codes.pixels).max() <= 1


def test_16_bit_grey_png(tmp_path, rng):
    grey = rng.integers(0, 65536, (8, 9), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, np.dstack([grey] * 3))


def test_white_is_zero_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 255], [10, 20]], np.uint8), photometric="miniswhite")
    assert read(tmp_path / "a.tif").pixels[..., 0].tolist() == [[255, 0], [245, 235]]


def test_not_finite_and_negative_values_are_replaced_and_counted(tmp_path):
    pixels = np.ones((4, 5, 3), np.float32)
    pixels[0, 0, 0], pixels[1, 1, 1], pixels[2, 2], pixels[3, 3, 2] = np.nan, np.inf, -2, 7
    pixels[3, 4, 0] = -np.inf
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    image = read(tmp_path / "a.tif")
    assert image.pixels[0, 0, 0] == 0 and image.pixels[1, 1, 1] == 7 and image.pixels[3, 4, 0] == 0
    assert (image.pixels[2, 2] == 0).all() and np.isfinite(image.pixels).all()
    assert [note.split()[0] for note in image.notes] == ["1", "1", "4"]


def test_the_signature_rules_over_the_name(samples, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(samples["jpeg-plain"].read_bytes())
    image = read(path)
    assert "content is jpeg" in image.notes[-1]
    assert probe(path).format == "jpeg"


def test_unknown_output_formats_are_refused_and_leave_nothing(tmp_path, codes):
    for name in ("a.bmp", "a", "a.cr2"):
        with pytest.raises(FileError, match=r"use one of \.jpg"):
            write(tmp_path / name, codes)
    with pytest.raises(RequestError, match="zip"):
        write(tmp_path / "a.exr", codes, WriteOptions(exr_compression="zipp"))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_for_the_format_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match="WebP"):
        write(tmp_path / "a.webp", Image(np.zeros((1, 17000, 3), np.uint8), "srgb"))
    assert list(tmp_path.iterdir()) == []


def test_raw_is_linear_and_fixed_in_scale(samples):
    image = read(samples["raw-dng"])
    assert image.encoding == "linear"
    middle = image.pixels[16:48, 16:80]
    assert np.abs(middle - 0.5).max() < 0.01  # the grey card stands at half of the white level
    assert image.exposure == Exposure(0.02, 200, 2.8)
    assert image.metadata["make"] == "Maker"


def test_raw_is_turned_upright(samples, tmp_path):
    path = tmp_path / "a.dng"
    data = bytearray(samples["raw-dng"].read_bytes())
    entry = data.index(struct.pack("<HHI", 274, 3, 1))
    data[entry + 8] = 6  # orientation
    path.write_bytes(data)
    image, info = read(path), probe(path)
    assert image.pixels.shape == (96, 64, 3)
    assert (info.width, info.height, info.orientation) == (64, 96, 6)


def test_raw_without_its_extra_names_it(samples, monkeypatch):
    from openhdr.core.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingExtraError, match=r"openhdr\[raw\]"):
        read(samples["raw-dng"])


def test_importing_the_front_door_loads_no_decoder():
    code = (
        "import sys, openhdr.io; "
        "print(sorted({'cv2', 'PIL', 'OpenEXR', 'tifffile', 'imagecodecs', 'rawpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_a_jpeg_loads_no_other_decoder(samples):
    code = (
        f"import sys, openhdr.io; openhdr.io.read({str(samples['jpeg-plain'])!r}); "
        "print(sorted({'cv2', 'OpenEXR', 'tifffile', 'imagecodecs', 'rawpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pq_avif_becomes_linear_light(tmp_path):
    code = np.full((16, 16, 3), 594, np.uint16)  # PQ 0.5806 = 203.4 cd/m2 (ITU-R BT.2408: 58 %)
    path = tmp_path / "a.avif"
    settings = {"level": 100, "bitspersample": 10, "transfer": 16, "matrix": 9}
    path.write_bytes(imagecodecs.avif_encode(code, primaries=9, **settings))
    image = read(path)
    assert image.encoding == probe(path).encoding == "linear"
    assert image.metadata["white_luminance"] == 203
    np.testing.assert_allclose(image.pixels, 1.0, atol=0.02)
    assert "PQ" in image.notes[0] and "Rec.2020" in image.notes[1]


def test_a_foreign_colour_profile_is_named(tmp_path, codes):
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for name in ("a.jpg", "a.png", "a.webp", "a.tif", "a.avif"):
        Pillow.fromarray(codes.pixels).save(tmp_path / name, icc_profile=srgb)
        assert read(tmp_path / name).notes == (), name
        Pillow.fromarray(codes.pixels).save(tmp_path / name, icc_profile=lab)
        (note,) = read(tmp_path / name).notes
        assert "Lab" in note and "cannot be used" in note


def test_metadata_survives_a_chain_of_formats(tmp_path, light):
    facts = {"make": "Canon", "model": "EOS 5D", "lens": "EF 50mm", "date": "2020:01:02 03:04:05"}
    exposure = Exposure(1 / 125, 400, 5.6)
    image = replace(light, exposure=exposure, metadata=facts | {"white_luminance": 120.0})
    for name in ("a.exr", "b.tif", "c.png", "d.jpg", "e.webp", "f.avif", "g.exr"):
        write(tmp_path / name, image)
        image = read(tmp_path / name)
        assert image.exposure.time_s == pytest.approx(1 / 125, rel=1e-5), name
        assert (image.exposure.iso, image.exposure.f_number) == (400, pytest.approx(5.6)), name
        assert {key: image.metadata.get(key) for key in facts} == facts, name


def test_exr_attributes(tmp_path, light):
    facts = {"make": "Canon", "model": "EOS 5D", "date": "2020:01:02 03:04:05", "white_luminance": 120.0}
    write(tmp_path / "a.exr", replace(light, exposure=Exposure(0.008, 400, 5.6), metadata=facts))
    header = OpenEXR.File(str(tmp_path / "a.exr")).header()
    assert header["chromaticities"] == pytest.approx((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290))
    assert header["whiteLuminance"] == 120
    numbers = (header["expTime"], header["isoSpeed"], header["aperture"])
    assert numbers == pytest.approx((0.008, 400, 5.6))
    texts = (header["cameraMake"], header["cameraModel"], header["capDate"])
    assert texts == ("Canon", "EOS 5D", "2020:01:02 03:04:05")
    assert header["software"].startswith("openhdr ")
    assert header["compression"] == OpenEXR.PIZ_COMPRESSION


def test_probe_needs_no_pixels(samples, tmp_path):
    """The facts stand at the start: with the end cut off, they are still found."""
    for kind in ("jpeg-plain", "png-16", "radiance-new", "openexr-float", "raw-dng"):
        data = samples[kind].read_bytes()
        path = tmp_path / f"{kind}.cut"
        path.write_bytes(data[: len(data) * 9 // 10])
        assert probe(path).width == probe(samples[kind]).width, kind
