"""Orientation and exposure tags, checked with files that Pillow writes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps
from PIL.TiffImagePlugin import IFDRational

from openhdr.core.image import Exposure, Image
from openhdr.io import probe, read, write
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, read_tags


def tagged(tags: dict, detail: dict) -> bytes:
    exif = Pillow.Exif()
    exif.update(tags)
    exif.get_ifd(0x8769).update(detail)
    return exif.tobytes()


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_applies_it(tmp_path, rng, name, orientation):
    codes = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    lossless = {"a.webp": {"lossless": True}, "a.avif": {"quality": 100, "subsampling": "4:4:4"}}.get(
        name, {}
    )
    Pillow.fromarray(codes).save(tmp_path / name, exif=tagged({0x0112: orientation}, {}), **lossless)
    expected = np.array(ImageOps.exif_transpose(Pillow.open(tmp_path / name)).convert("RGB"))
    image, info = read(tmp_path / name), probe(tmp_path / name)
    np.testing.assert_array_equal(image.pixels, expected)
    assert info.orientation == orientation
    assert (info.width, info.height) == (image.width, image.height)


def test_an_upright_picture_is_not_turned_again(tmp_path, rng):
    codes = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Pillow.fromarray(codes).save(tmp_path / "a.png", exif=tagged({0x0112: 6}, {}))
    once = read(tmp_path / "a.png")
    write(tmp_path / "b.png", once)
    np.testing.assert_array_equal(read(tmp_path / "b.png").pixels, once.pixels)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({0x829A: IFDRational(1, 125), 0x829D: IFDRational(28, 10), 0x8827: 200, 0x9204: IFDRational(-2, 3)},
         Exposure(1 / 125, 200, 2.8, -2 / 3)),
        ({0x9201: IFDRational(7, 1), 0x9202: IFDRational(4, 1)}, Exposure(1 / 128, None, 4.0)),  # APEX
        ({0x829A: IFDRational(1, 60), 0x829D: IFDRational(0, 1)}, Exposure(1 / 60)),  # manual lens: f/0
        ({0x829A: IFDRational(1, 60), 0x829D: IFDRational(1, 0)}, Exposure(1 / 60)),
        ({0x8827: 65535, 0x8832: 102400}, Exposure(iso=102400)),
        ({0x8827: 0}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_exposure_tags(tmp_path, detail, expected):
    for name in ("a.jpg", "a.png", "a.webp", "a.avif"):
        Pillow.new("RGB", (16, 16)).save(tmp_path / name, exif=tagged({}, detail))
        found = probe(tmp_path / name).exposure
        assert (found is None) == (expected is None), name
        if expected is not None:
            for part in ("time_s", "iso", "f_number", "bias_ev"):
                wanted = getattr(expected, part)
                assert getattr(found, part) == (None if wanted is None else pytest.approx(wanted)), (
                    name,
                    part,
                )


def test_camera_facts(tmp_path):
    exif = tagged({0x010F: "NIKON", 0x0110: "D850 "}, {0xA434: "50mm f/1.8", 0x9003: "2020:05:06 07:08:09"})
    Pillow.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    facts = {"make": "NIKON", "model": "D850", "lens": "50mm f/1.8", "date": "2020:05:06 07:08:09"}
    assert dict(read(tmp_path / "a.jpg").metadata) == facts


def test_our_block_is_read_by_pillow():
    image = Image(np.zeros((2, 2, 3), np.uint8), "srgb", Exposure(1 / 3, 102400, 1.8, -1.0), {"make": "A"})
    exif = Pillow.Exif()
    exif.load(exif_block(image))
    detail = exif.get_ifd(0x8769)
    assert exif[0x010F] == "A"
    assert float(detail[0x829A]) == pytest.approx(1 / 3)
    assert (detail[0x8827], detail[0x8832]) == (65535, 102400)
    assert float(detail[0x9204]) == -1
    back = exposure_of(read_tags(exif_block(image)))
    assert (back.time_s, back.iso, back.f_number, back.bias_ev) == (pytest.approx(1 / 3), 102400, 1.8, -1)


def test_nothing_known_writes_no_block():
    assert exif_block(Image(np.zeros((2, 2, 3), np.uint8), "srgb")) is None


def test_damaged_blocks_are_skipped(rng):
    block = exif_block(
        Image(np.zeros((2, 2, 3), np.uint8), "srgb", Exposure(0.1, 100, 8), {"make": "Maker name"})
    )
    for _ in range(3000):
        copy = bytearray(block[: rng.integers(0, len(block) + 1)])
        for _ in range(rng.integers(0, 6)):
            if copy:
                copy[rng.integers(len(copy))] = rng.integers(256)
        tags = read_tags(bytes(copy))
        exposure_of(tags), metadata_of(tags)


def test_a_directory_that_points_at_itself_ends():
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    assert read_tags(block + bytes(16)) == {0x8769: 8}
