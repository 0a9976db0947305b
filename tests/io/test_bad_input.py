"""Damaged, absurd and missing files: one clear FileError, bounded time and memory, no partial picture."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from openhdr.core.errors import FileError
from openhdr.io import probe, read

KINDS = (
    *("jpeg-plain", "jpeg-progressive", "png-8", "png-16", "openexr-half", "openexr-float", "radiance-new"),
    *("webp-lossy", "webp-lossless", "avif-8", "avif-10", "raw-dng", "tiff-float", "tiff-plain"),
    *("avif-pq", "jpeg-gain-map", "jxl-float", "jxl-8", "heif-8"),
)


def sample_of(samples: dict[str, Path], kind: str) -> Path:
    if kind not in samples:
        pytest.skip("needs the extra heif")
    return samples[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_is_refused(samples, tmp_path, kind):
    data = sample_of(samples, kind).read_bytes()
    path = tmp_path / samples[kind].name
    for part in (0.3, 0.6, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(FileError):
            read(path)


def test_missing_empty_folder_and_text(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a picture\n" * 20)
    for name, words in (
        ("none.jpg", "does not exist"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "not an image"),
    ):
        for function in (read, probe):
            with pytest.raises(FileError, match=words) as caught:
                function(tmp_path / name)
            assert name in str(caught.value)
    with pytest.raises(FileError, match="folder"):
        read(tmp_path)


def huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_absurd_sizes_are_refused_before_decoding(tmp_path, monkeypatch):
    files = {
        "a.png": huge_png(100000, 100000),
        "a.hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 100000\n" + bytes(100),
        "b.png": huge_png(15000, 15000),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        for function in (read, probe):
            with pytest.raises(FileError, match="OPENHDR_MAX_MEGAPIXELS"):
                function(tmp_path / name)
    monkeypatch.setenv("OPENHDR_MAX_MEGAPIXELS", "20000")
    assert probe(tmp_path / "a.png").width == 100000


def test_the_limit_can_be_lowered_and_must_be_a_number(samples, monkeypatch):
    monkeypatch.setenv("OPENHDR_MAX_MEGAPIXELS", "0.0001")
    for kind in KINDS:
        with pytest.raises(FileError, match=r"limit of 0\.0001 megapixels"):
            read(samples[kind])
    monkeypatch.setenv("OPENHDR_MAX_MEGAPIXELS", "many")
    with pytest.raises(FileError, match="expected megapixels"):
        read(samples["png-8"])


def test_decoders_that_chatter_are_silent(samples, tmp_path, capfd):
    for kind in ("openexr-float", "raw-dng"):
        path = tmp_path / samples[kind].name
        path.write_bytes(samples[kind].read_bytes()[:-500])
        with pytest.raises(FileError):
            read(path)
    assert capfd.readouterr() == ("", "")


def test_a_part_that_cannot_be_decoded_is_not_replaced_by_the_next(tmp_path):
    import numpy as np
    import OpenEXR

    pixels = np.linspace(0, 1, 64 * 64 * 3, dtype=np.float32).reshape(64, 64, 3)
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    parts = [
        OpenEXR.Part(header | {"name": name}, {"RGB": pixels * scale}) for name, scale in (("a", 1), ("b", 2))
    ]
    path = tmp_path / "a.exr"
    OpenEXR.File(parts).write(str(path))
    np.testing.assert_array_equal(read(path).pixels, pixels)
    data = bytearray(path.read_bytes())
    first = len(data) // 4  # in the pixels of part a
    data[first : first + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(FileError, match="cut off or corrupt"):
        read(path)
