"""Every file format: told apart by signature, written whole, read back, damage refused."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr import io
from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io import FORMATS


@pytest.fixture
def written(file_format, scene, tmp_path):
    """A small picture in the format, as bytes on disk."""
    if not file_format.writable:
        pytest.skip(f"openhdr does not write {file_format.name}")
    path = tmp_path / f"picture{file_format.extensions[0]}"
    io.write(path, Image(np.minimum(scene, 1)))
    return path


def test_extensions_belong_to_one_format(file_format) -> None:
    others = {e for row in FORMATS.values() if row.name != file_format.name for e in row.extensions}
    assert file_format.extensions and not others & set(file_format.extensions)
    assert all(one.startswith(".") and one == one.lower() for one in file_format.extensions)


def test_signature_is_its_own(written, file_format) -> None:
    data = written.read_bytes()
    claimed = [row.name for row in FORMATS.values() if row.load().recognise(data)]
    assert claimed[0] == file_format.name  # the first row that knows a file reads it
    assert claimed[1:] == (["raw", "tiff"] if file_format.name == "dng" else [])  # a DNG is both


def test_recognises_nothing_in_noise(file_format, rng) -> None:
    recognise = file_format.load().recognise
    assert not recognise(b"\0")
    assert not any(recognise(rng.bytes(n)) for n in (1, 2, 3, 8, 64, 4096) for _ in range(50))


def test_probe_says_what_read_gives(written, file_format) -> None:
    facts, image = io.probe(written), io.read(written)
    assert facts.format == file_format.name
    assert (facts.height, facts.width) == (image.height, image.width) == (16, 16)
    assert facts.encoding == image.encoding


def test_light_survives_the_round_trip(written, scene) -> None:
    from openhdr.color.transfer import srgb_decode

    image = io.read(written)
    light = image.pixels
    if image.encoding == "srgb":
        light = srgb_decode((image.pixels / np.float32(image.full_scale)).astype(np.float32))
    assert np.isfinite(light).all()
    off = np.abs(light.mean(axis=(0, 1)) / np.minimum(scene, 1).mean(axis=(0, 1)) - 1)
    assert off.max() < 0.02


def test_half_a_file_is_refused(written) -> None:
    data = written.read_bytes()
    written.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileError, match=written.name):
        io.read(written)


def test_unwritten_format_names_what_can_be_written(file_format, tmp_path, scene) -> None:
    if file_format.writable:
        pytest.skip("it can be written")
    path = tmp_path / f"picture{file_format.extensions[0]}"
    with pytest.raises(FileError, match=r"\.exr"):
        io.write(path, Image(scene))
    assert list(tmp_path.iterdir()) == []
