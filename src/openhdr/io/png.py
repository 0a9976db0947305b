"""PNG: 8 or 16-bit code values, grey, palette or colour, lossless; colour facts and EXIF in chunks.

Specification: W3C PNG, third edition (2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from openhdr.color.primaries import same
from openhdr.core.errors import FileError
from openhdr.core.image import REC709, Image
from openhdr.io.format import (
    COLOUR_BYTES,
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
from openhdr.io.metadata.cicp import Coding, decode_signal
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import as_rgb, code_values, orient
from openhdr.io.screen import Signal, beyond_white, coded_light

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = 33  # signature, then the IHDR chunk of 25 bytes
CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # colour type -> channels
GAMMA_UNIT = 100000
SRGB_GAMMA = 45455  # what gAMA says of an sRGB image
MAX_PROFILE_BYTES = 1 << 22


def recognise(data: Bytes) -> bool:
    """The eight bytes of clause 5.2."""
    return data[:8] == SIGNATURE


def probe(source: Source) -> ImageInfo:
    """Facts from the chunks before and between the pixels."""
    width, height, bits, colour = _header(source)
    chunks = dict(_chunks(source.data))
    if b"iCCP" in chunks or b"cICP" in chunks:
        check_size(source, width, height, COLOUR_BYTES)
    tags = read_tags(chunks.get(b"eXIf", b""))
    orientation = orientation_of(tags)
    if orientation > 4:
        width, height = height, width
    coding = _coding(chunks)
    primaries = coding.chromaticities if b"cICP" in chunks else primaries_of(_profile(chunks))
    return ImageInfo(
        source.path, "png", width, height, CHANNELS[colour], bits,
        encoding="linear" if coding.is_linear else "srgb", orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata_of(tags), notes=_gamma_notes(chunks), primaries=primaries,
    )  # fmt: skip


def read(source: Source) -> Image:
    """uint8 or uint16, srgb; PQ, HLG or linear coded images as float32, linear."""
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
    chunks = dict(_chunks(source.data))
    coding = _coding(chunks)
    if b"cICP" in chunks or coding.is_linear:
        return decode_signal(image, coding, source.path)
    return with_profile(image, _profile(chunks))


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits from uint8, else 16 bits, EXIF kept; light above white as PQ or HLG in Rec.2020."""
    import imagecodecs

    if beyond_white(image, options):
        signal = coded_light(image, options, bits=16)
        pixels, notes = signal.codes, signal.notes
        colour = _chunk(b"cICP", bytes((signal.coding.primaries, signal.coding.transfer, 0, 1)))
        colour += _chunk(b"mDCV", _mastering(signal)) + _chunk(
            b"cLLI", struct.pack(">II", *_light_levels(signal))
        )
    else:
        dtype = np.uint8 if image.pixels.dtype == np.uint8 else np.uint16
        pixels, notes = code_values(image, dtype, options.primaries)
        colour = _chunk(b"sRGB", b"\0")  # rendering intent: perceptual
        if not same(options.primaries, REC709):
            packed = zlib.compress(display_profile(options.primaries))
            colour = _chunk(b"iCCP", b"RGB\0\0" + packed)
    data = imagecodecs.png_encode(pixels, options.png_level)
    exif = exif_block(image)
    more = colour + (_chunk(b"eXIf", exif) if exif else b"")
    return bytes(data[:HEADER_END] + more + data[HEADER_END:]), notes


def _light_levels(signal: Signal) -> tuple[int, int]:
    """MaxCLL and MaxFALL in 0.0001 cd/m2 (clause 11.3.2.8)."""
    return signal.max_cll * 10000, signal.max_fall * 10000


def _mastering(signal: Signal) -> bytes:
    """The display that the image was made for: these primaries, as bright as the image (clause 11.3.2.7)."""
    chromaticities = (round(value / 0.00002) for value in signal.coding.chromaticities)
    return struct.pack(">8H2I", *chromaticities, _light_levels(signal)[0], 1)


def _header(source: Source) -> tuple[int, int, int, int]:
    if len(source.data) < HEADER_END or source.data[12:16] != b"IHDR":
        raise FileError(source.path, "damaged or unsupported PNG file (no header)")
    width, height, bits, colour = struct.unpack(">IIBB", source.data[16:26])
    if colour not in CHANNELS:
        raise FileError(source.path, f"damaged or unsupported PNG file (colour type {colour})")
    check_size(source, width, height, 2 * (CHANNELS[colour] + 3) * max(bits // 8, 1))
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


def _gamma_notes(chunks: dict[bytes, bytes]) -> tuple[str, ...]:
    gamma = _gamma(chunks)
    if b"cICP" in chunks or b"sRGB" in chunks or b"iCCP" in chunks:
        return ()
    if gamma is None or gamma == GAMMA_UNIT or abs(gamma - SRGB_GAMMA) < 500:
        return ()
    return (f"The file says gamma {gamma / GAMMA_UNIT:.4f}; its code values were read as sRGB.",)


def _profile(chunks: dict[bytes, bytes]) -> bytes:
    """The ICC profile in an iCCP chunk: name, 0, method, deflated profile. Empty where there is none."""
    packed = chunks.get(b"iCCP", b"").partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, MAX_PROFILE_BYTES) or b"?" if packed else b""
    except zlib.error:
        return b"?"


FORMAT = Format(recognise, probe, read, encode)
