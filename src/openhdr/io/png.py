"""PNG: 8 or 16-bit code values, grey, palette or colour, lossless; colour facts and EXIF in chunks.

Specification: W3C PNG, third edition (2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io.cicp import Coding, decode_signal
from openhdr.io.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.format import (
    Bytes,
    Encoded,
    Format,
    ImageInfo,
    Source,
    WriteOptions,
    check_size,
    decoding,
    quiet,
)
from openhdr.io.pixels import as_rgb, code_values, orient
from openhdr.io.profiles import profile_notes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = 33  # signature, then the IHDR chunk of 25 bytes
CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # colour type -> channels
GAMMA_UNIT = 100000
SRGB_GAMMA = 45455  # what gAMA says of an sRGB picture
MAX_PROFILE_BYTES = 1 << 22


def recognise(data: Bytes) -> bool:
    """The eight bytes of clause 5.2."""
    return data[:8] == SIGNATURE


def probe(source: Source) -> ImageInfo:
    """Facts from the chunks before and between the pixels."""
    width, height, bits, colour = _header(source)
    chunks = dict(_chunks(source.data))
    tags = read_tags(chunks.get(b"eXIf", b""))
    orientation = orientation_of(tags)
    if orientation > 4:
        width, height = height, width
    return ImageInfo(
        source.path, "png", width, height, CHANNELS[colour], bits,
        encoding="linear" if _coding(chunks).is_linear else "srgb", orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata_of(tags), notes=_colour_notes(chunks),
    )  # fmt: skip


def read(source: Source) -> Image:
    """uint8 or uint16, srgb; PQ or linear coded pictures as float32, linear."""
    import imagecodecs

    info = probe(source)
    data = source.data[:]
    if data.rfind(b"IEND") < 0:
        raise FileError(source.path, "damaged PNG file (it ends early)", "copy it again")
    with decoding(source, "PNG"), quiet():
        stored = imagecodecs.png_decode(data)
    pixels, dropped = as_rgb(stored)
    image = Image(
        orient(pixels, info.orientation), "srgb", info.exposure, info.metadata, info.notes + dropped
    )
    return decode_signal(image, _coding(dict(_chunks(source.data))), source.path)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits from uint8, else 16 bits; marked as sRGB, EXIF kept."""
    import imagecodecs

    pixels, notes = code_values(image, np.uint8 if image.pixels.dtype == np.uint8 else np.uint16)
    data, exif = imagecodecs.png_encode(pixels, options.png_level), exif_block(image)
    facts = _chunk(b"sRGB", b"\0") + (_chunk(b"eXIf", exif) if exif else b"")  # 0: perceptual intent
    return b"".join((data[:HEADER_END], facts, memoryview(data)[HEADER_END:])), notes


def _header(source: Source) -> tuple[int, int, int, int]:
    if len(source.data) < HEADER_END or source.data[12:16] != b"IHDR":
        raise FileError(source.path, "damaged or unsupported PNG file (no header)")
    width, height, bits, colour = struct.unpack(">IIBB", source.data[16:26])
    if colour not in CHANNELS:
        raise FileError(source.path, f"damaged or unsupported PNG file (colour type {colour})")
    check_size(source, width, height)
    return width, height, bits, colour


def _chunks(data: Bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of every chunk except the pixels."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if kind not in (b"IDAT", b"IEND"):
            yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _coding(chunks: dict[bytes, bytes]) -> Coding:
    """How code values stand for light: cICP rules over iCCP and sRGB, these over gAMA (clause 12.4)."""
    if len(chunks.get(b"cICP", b"")) == 4:
        return Coding(primaries=chunks[b"cICP"][0], transfer=chunks[b"cICP"][1])
    named = b"iCCP" in chunks or b"sRGB" in chunks
    return Coding(transfer=8) if not named and _gamma(chunks) == GAMMA_UNIT else Coding()


def _gamma(chunks: dict[bytes, bytes]) -> int | None:
    content = chunks.get(b"gAMA", b"")
    return struct.unpack(">I", content)[0] if len(content) == 4 else None


def _colour_notes(chunks: dict[bytes, bytes]) -> tuple[str, ...]:
    gamma = _gamma(chunks)
    if b"cICP" in chunks or b"sRGB" in chunks:
        return ()
    if b"iCCP" in chunks:
        return profile_notes(_profile(chunks[b"iCCP"]))
    if gamma is None or gamma == GAMMA_UNIT or abs(gamma - SRGB_GAMMA) < 500:
        return ()
    return (f"The file says gamma {gamma / GAMMA_UNIT:.4f}; its code values were read as sRGB.",)


def _profile(content: bytes) -> bytes:
    """The ICC profile in an iCCP chunk: name, 0, method, deflated profile."""
    packed = content.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, MAX_PROFILE_BYTES) or b"?"
    except zlib.error:
        return b"?"


FORMAT = Format(recognise, probe, read, encode)
