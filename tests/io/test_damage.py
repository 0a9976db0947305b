"""Damaged files of every format: refused or said, in bounded memory and time. Cases that were found stay here."""

from __future__ import annotations

import importlib.util
import io as streams
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image as Pillow

from openhdr.core.errors import FileError, OpenHDRError
from openhdr.io import FORMATS, probe, read

FUZZ = Path(__file__).parents[2] / "scripts" / "fuzz.py"
CUTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, bytes]:
    """The fuzzer's pictures: every row of the table of formats, and files of other encoders."""
    spec = importlib.util.spec_from_file_location("fuzz", FUZZ)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    return dict((*fuzz.pictures(tmp_path_factory.mktemp("made")), *fuzz.foreign()))


def test_the_fuzzer_knows_every_format(made) -> None:
    readable = {row.name for row in FORMATS.values() if row.extra is None}
    assert readable <= {name.split("-")[0] for name in made}


def incomplete(data: bytes) -> list[bytes]:
    """The file cut off, without its last bytes, and ending in zeros as a broken copy does."""
    places = [int(part * len(data)) for part in CUTS]
    ends = [data[:-count] for count in (1, 2, 7, 30)]
    zeros = [data[:place] + bytes(len(data) - place) for place in places if len(data) - place >= 64]
    return [data[:place] for place in places if place] + ends + zeros


def test_no_picture_loses_pixels_in_silence(made, tmp_path) -> None:
    for name, data in made.items():
        path = tmp_path / name
        path.write_bytes(data)
        whole = read(path)
        for copy in incomplete(data):
            path.write_bytes(copy)
            try:
                image = read(path)
            except FileError as error:
                assert "\n" not in str(error)
                continue
            said = set(image.notes) - set(whole.notes)
            assert said or np.array_equal(image.pixels, whole.pixels), f"{name} of {len(copy)} bytes"


def test_the_fuzzer_finds_nothing(tmp_path) -> None:
    command = [sys.executable, str(FUZZ), "--count", "12", "--seed", "1", "--keep", str(tmp_path / "found")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.slow
def test_the_fuzzer_finds_nothing_in_a_minute(tmp_path) -> None:
    command = [sys.executable, str(FUZZ), "--seconds", "45", "--seed", "2", "--keep", str(tmp_path / "found")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_the_fuzzer_would_find_something(tmp_path) -> None:
    """A reader that fails on damaged files is reported, and the file is kept."""
    script = tmp_path / "scripts" / "fuzz.py"
    shutil.copytree(FUZZ.parents[1] / "recipes", tmp_path / "recipes")
    script.parent.mkdir()
    broken = "    image = read(path)\n    1 / ('damaged' not in str(path))\n"
    text = FUZZ.read_text().replace("    image = read(path)\n", broken)
    script.write_text(text.replace("MAX_ENDS = 20", "MAX_ENDS = 1"))
    command = [
        sys.executable,
        str(script),
        "--count",
        "20",
        "--only",
        "tiff-planes",
        "--keep",
        str(tmp_path / "found"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stdout, done.stderr
    assert list((tmp_path / "found").iterdir())


# JPEG


def jpeg(width: int = 320, height: int = 240, **options) -> bytes:
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x % 256, y % 256, (x * y) % 256], axis=2).astype(np.uint8)
    file = streams.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def refused(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(FileError, match=words):
        read(path)


def test_jpeg_that_was_cut_and_closed_again(tmp_path) -> None:
    data = jpeg()
    for part in (0.3, 0.5, 0.9):
        refused(tmp_path / "a.jpg", data[: int(part * len(data))] + b"\xff\xd9", "premature end")
    refused(tmp_path / "a.jpg", data[:-2], "ends early")


def test_jpeg_with_harmless_oddities_is_read_and_said(tmp_path) -> None:
    data = jpeg()
    path = tmp_path / "a.jpg"
    tables = data.find(b"\xff\xdb")
    path.write_bytes(data[:tables] + b"\1\2\3" + data[tables:])
    assert any("extraneous" in note for note in read(path).notes)


def test_jpeg_of_a_thousand_scans_or_segments(tmp_path) -> None:
    data = jpeg(1500, 1500, progressive=True)
    first = data.find(b"\xff\xda")
    second = data.find(b"\xff\xda", first + 2)
    refused(tmp_path / "a.jpg", data[:first] + data[first:second] * 1500 + data[second:], "scans")
    exif = b"\xff\xe1\x00\x0eExif\0\0II*\0\0\0"
    refused(tmp_path / "a.jpg", data[:2] + exif * 20000 + data[2:], "too many metadata segments")


def test_jpeg_that_says_it_is_large(tmp_path) -> None:
    data = bytearray(jpeg(8, 8))
    frame = data.find(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 7900, 7900)
    refused(tmp_path / "a.jpg", bytes(data), "premature end")


# Memory: what is declared is counted before anything is decoded


def exr(*parts: tuple[dict, dict]) -> bytes:
    file = streams.BytesIO()
    named = [
        OpenEXR.Part(dict(header, name=str(number)), planes) for number, (header, planes) in enumerate(parts)
    ]
    OpenEXR.File(named).write(file)
    return file.getvalue()


def enlarged(data: bytes, size: int) -> bytes:
    """The data window of the last part of an EXR file declared to be `size` pixels each way."""
    name = b"dataWindow\0box2i\0"
    place = data.rfind(name) + len(name) + 4
    return data[:place] + struct.pack("<4i", 0, 0, size - 1, size - 1) + data[place + 16 :]


def test_exr_counts_all_channels_and_parts(tmp_path) -> None:
    flat = np.zeros((8, 8), np.float16)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    many = dict.fromkeys(("R", "G", "B", *(f"z{number}" for number in range(200))), flat)
    refused(tmp_path / "a.exr", enlarged(exr((header, many)), 1500), "GB of memory")
    two = exr((header, dict.fromkeys("RGB", flat)), (header, dict.fromkeys("RGB", flat)))
    refused(tmp_path / "b.exr", enlarged(two, 18000), "GB of memory")


def test_exr_counts_its_tiles(tmp_path) -> None:
    tiles = OpenEXR.TileDescription()
    tiles.xSize, tiles.ySize = 32, 64
    header = {"type": OpenEXR.tiledimage, "tiles": tiles, "compression": OpenEXR.ZIP_COMPRESSION}
    data = bytearray(exr((header, {"RGB": np.zeros((64, 64, 3), np.float16)})))
    place = data.find(b"tiles\0tiledesc\0") + len(b"tiles\0tiledesc\0") + 4
    data[place : place + 8] = struct.pack("<II", 32, 1 << 21)
    refused(tmp_path / "a.exr", bytes(data), "GB of memory")


def tiff(**options) -> bytes:
    file = streams.BytesIO()
    tifffile.imwrite(file, **options)
    return file.getvalue()


def with_tags(data: bytes, **values: int) -> bytes:
    """A little-endian TIFF with other sizes in its first directory."""
    for name, value in values.items():
        tag = {"width": 256, "length": 257, "tile_width": 322, "tile_length": 323}[name]
        place = next(
            data.find(struct.pack("<HHI", tag, kind, 1))
            for kind in (3, 4)
            if struct.pack("<HHI", tag, kind, 1) in data
        )
        data = data[: place + 2] + struct.pack("<HII", 4, 1, value) + data[place + 12 :]
    return data


def test_tiff_counts_samples_and_tiles(tmp_path) -> None:
    many = tiff(data=np.zeros((64, 64, 16), np.uint8), photometric="rgb", compression="zstd")
    refused(tmp_path / "a.tif", with_tags(many, width=7900, length=7900), "GB of memory")
    tiled = tiff(
        data=np.zeros((64, 64), np.uint8), photometric="minisblack", tile=(64, 64), compression="zlib"
    )
    refused(tmp_path / "b.tif", with_tags(tiled, tile_width=30000, tile_length=30000), "GB of memory")


def test_tiff_without_some_strips(tmp_path) -> None:
    data = tiff(data=np.full((64, 64, 3), 9, np.uint8), photometric="rgb", rowsperstrip=8, compression="zlib")
    refused(tmp_path / "a.tif", with_tags(data, length=128), "missing")


def test_png_profile_bomb_is_small(tmp_path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    file = streams.BytesIO()
    Pillow.new("RGB", (4, 4)).save(file, "PNG")
    data = file.getvalue()
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 28)))
    path = tmp_path / "a.png"
    path.write_bytes(data[:33] + bomb + data[33:])
    assert read(path).pixels.shape == (4, 4, 3) and probe(path).width == 4


# Others


def test_animated_avif_gives_its_first_frame(tmp_path) -> None:
    frames = [Pillow.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.avif", save_all=True, append_images=frames[1:], quality=90)
    image = read(tmp_path / "a.avif")
    np.testing.assert_allclose(image.pixels.mean((0, 1)), [255, 0, 0], atol=12)
    assert any("first frame" in note for note in image.notes)


def test_nested_boxes_end(tmp_path) -> None:
    nested = b""
    for _ in range(3000):
        nested = struct.pack(">I4sI", len(nested) + 12, b"meta", 0) + nested
    refused(tmp_path / "a.avif", b"\0\0\0\x14ftypavif\0\0\0\0avif" + nested, "a.avif")


def test_sub_directories_of_text_or_floats(tmp_path) -> None:
    for kind, value in ((2, b"ab\0\0"), (11, struct.pack("<f", 1.5))):
        data = tiff(
            data=np.ones((4, 4, 3), np.uint8), photometric="rgb", extratags=[(330, kind, 1, value, True)]
        )
        (tmp_path / "a.tif").write_bytes(data)
        assert read(tmp_path / "a.tif").pixels.shape == (4, 4, 3)


def test_narrow_radiance_lines_are_quick(tmp_path) -> None:
    lines = 300_000
    pixels = np.tile(np.array([200, 100, 50, 128], np.uint8), (lines, 1))
    path = tmp_path / "a.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X 1\n" % lines + pixels.tobytes())
    image = read(path)  # a line at a time it takes seconds; the time limit of the tests is the bound
    np.testing.assert_allclose(image.pixels[-1, 0], np.array([200, 100, 50]) / 256)


@pytest.mark.parametrize("exposures", [b"EXPOSURE=1e29\n" * 20, b"EXPOSURE=1e-29\n" * 20, b"EXPOSURE=inf\n"])
def test_exposures_without_end(tmp_path, exposures) -> None:
    head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n" + exposures + b"\n-Y 1 +X 1\n"
    refused(tmp_path / "a.hdr", head + bytes((1, 2, 3, 128)), "EXPOSURE")


def test_a_message_repeats_no_escape_sequences(tmp_path) -> None:
    path = tmp_path / "a\x1b[31m\n.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=\x1b]0;title\x07" + b"A" * 50000 + b"\n\n-Y 1 +X 1\n" + bytes(4))
    with pytest.raises(FileError) as caught:
        read(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_shared_examples_are_read_or_refused(shared) -> None:
    """The files that showed each defect first."""
    folder = shared / "fixtures" / "malformed"
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".pth"):
            continue
        try:
            image = read(path)
        except OpenHDRError as error:
            assert str(error).isprintable()
        else:
            assert np.isfinite(image.pixels).all()
