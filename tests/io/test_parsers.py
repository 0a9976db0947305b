"""Our own parsers, given anything: they answer, or raise what `decoding` turns into a refusal, and nothing else."""

from __future__ import annotations

import io as streams
import struct
from collections.abc import Callable

import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from openhdr.core.image import Exposure, Image
from openhdr.io import gainmap, jpeg_decoder, radiance
from openhdr.io.containers import boxes, exr_header, jpeg_segments
from openhdr.io.format import DAMAGE
from openhdr.io.metadata import cicp, exif, profiles

LIGHT = Image(np.full((16, 16, 3), 2.0, np.float32), "linear", Exposure(0.01, 200, 4.0), {"make": "M" * 40})
SETTINGS = settings(max_examples=300, deadline=None, derandomize=True)


def photo(kind: str) -> bytes:
    file = streams.BytesIO()
    Pillow.new("RGB", (16, 16), "red").save(file, kind)
    return file.getvalue()


def exr() -> bytes:
    file = streams.BytesIO()
    parts = [OpenEXR.Part({"name": name}, {"RGB": np.ones((8, 8, 3), np.float16)}) for name in "ab"]
    OpenEXR.File(parts).write(file)
    return file.getvalue()


def radiance_head(data: bytes) -> None:
    for line in data.splitlines():
        radiance.RESOLUTION.match(line)


FACTS = gainmap.draw(np.full((8, 8, 3), 3.0, np.float32), np.full((8, 8, 3), 255, np.uint8), 2.0)[0]
PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "exif": (exif.read_tags, exif.exif_block(LIGHT) or b""),
    "exposure": (lambda data: exif.exposure_of(exif.read_tags(data)), exif.exif_block(LIGHT) or b""),
    "exr": (exr_header.part_headers, exr()),
    "boxes": (boxes.pictures, photo("AVIF")),
    "boxes-complete": (lambda data: boxes.check_complete(data, boxes.pictures(data)), photo("AVIF")),
    "jpeg-segments": (jpeg_segments.contents, photo("JPEG")),
    "jpeg-gain-map": (jpeg_segments.gain_map, photo("JPEG")),
    "jpeg-check": (jpeg_decoder.check_segments, photo("JPEG")),
    "gain-map-iso": (gainmap.from_iso, gainmap.to_iso(FACTS)),
    "gain-map-xmp": (gainmap.from_xmp, gainmap.to_xmp(FACTS)),
    "profile": (profiles.parse, profiles.display_profile(LIGHT.primaries)),
    "profile-name": (profiles.profile_name, profiles.display_profile(LIGHT.primaries)),
    "radiance": (radiance_head, b"-Y 100 +X 200\n+X 1 -Y 999999999\n"),
}


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with some pieces replaced by other bytes, shorter or longer, or cut off."""
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        piece = draw(
            st.one_of(st.binary(max_size=12), st.integers(0, 2**32 - 1).map(lambda n: struct.pack(">I", n)))
        )
        data = data[:place] + piece + data[place + draw(st.sampled_from((0, len(piece), 64))) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def answers(parse: Callable[[bytes], object], data: bytes) -> None:
    try:
        parse(data)
    except (*DAMAGE, gainmap.UnusableMap) as error:
        assert not isinstance(error, MemoryError | RecursionError)


@pytest.mark.parametrize("name", PARSERS)
def test_the_sample_itself_is_read(name: str) -> None:
    parse, sample = PARSERS[name]
    parse(sample)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_answers_or_refuses(name: str) -> None:
    parse, sample = PARSERS[name]

    @SETTINGS
    @given(st.one_of(changed(sample), st.binary(max_size=400)))
    def anything(data: bytes) -> None:
        answers(parse, data)

    anything()


@SETTINGS
@given(st.integers(0, 255), st.integers(0, 255))
def test_every_pair_of_code_points_is_decoded_or_refused(primaries: int, transfer: int) -> None:
    from pathlib import Path

    from openhdr.core.errors import FileError

    image = Image(np.full((2, 2, 3), 100, np.uint8), "srgb")
    try:
        decoded = cicp.decode_signal(image, cicp.Coding(primaries, transfer), Path("a.png"))
    except FileError:
        return
    assert np.isfinite(decoded.pixels).all()
