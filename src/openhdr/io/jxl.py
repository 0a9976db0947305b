"""JPEG XL: linear light as lossless floats for archives, PQ or HLG for viewing, or sRGB code values; with EXIF.

Container: ISO/IEC 18181-2. Tagging PQ needs imagecodecs 2026.10, which needs Python 3.12.
"""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from openhdr.core.errors import FileError
from openhdr.core.image import REC709, Image
from openhdr.io.containers.boxes import box, boxes
from openhdr.io.containers.jxl_header import CODESTREAM, Header, parse
from openhdr.io.format import Bytes, Encoded, Format, ImageInfo, Source, WriteOptions, check_size, decoding
from openhdr.io.metadata.cicp import LINEAR, SRGB, Coding, coding_of, decode_signal
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, read_tags
from openhdr.io.pixels import as_rgb, code_values, linear_values
from openhdr.io.screen import beyond_white, coded_light

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
HEADER_BYTES = 4096
BYTES_PER_PIXEL, PLAIN_BYTES = 48, 14  # float buffers of all channels, twice; 8 bits
EFFORT = 7
JXL_PRIMARIES = {1: "SRGB", 9: "BT2100", 12: "P3"}
JXL_TRANSFERS = {8: "LINEAR", 13: "SRGB", 16: "PQ", 18: "HLG"}


def recognise(data: Bytes) -> bool:
    """A bare codestream, or the container's first box."""
    return data[:2] == CODESTREAM or data[:12] == SIGNATURE


def probe(source: Source) -> ImageInfo:
    """Facts from the head of the codestream."""
    with decoding(source, "JPEG XL"):
        header, exif = _head(source.data)
        check_size(source, header.width, header.height, PLAIN_BYTES if header.bits <= 8 else BYTES_PER_PIXEL)
        return _info(source, header, exif)


def read(source: Source) -> Image:
    """uint8 or uint16, srgb; float32, linear from floats and from PQ, HLG and linear code values."""
    import imagecodecs

    with decoding(source, "JPEG XL"):
        info = probe(source)
        header, _ = _head(source.data)
        stored = imagecodecs.jpegxl_decode(source.data[:], index=0, numthreads=2)
        pixels, dropped = as_rgb(stored)
        if pixels.dtype == np.uint16 and header.bits < 16:
            peak = (1 << header.bits) - 1
            pixels = ((pixels.astype(np.uint32) * 65535 + peak // 2) // peak).astype(np.uint16)
        pixels = pixels.astype(np.float32) if pixels.dtype.kind == "f" else pixels
        image = Image(pixels, "srgb", info.exposure, info.metadata, info.notes + dropped)
    coding = _coding(source, header)
    image = decode_signal(image, coding, source.path)
    if image.encoding == "srgb" and pixels.dtype == np.float32:
        image = image.with_pixels(np.clip(np.nan_to_num(pixels), 0, 1))
    return image


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Light above white as PQ or HLG, or light as lossless floats where asked for; code values in sRGB."""
    exact = options.lossless and image.encoding == "linear"
    tags = "transfer" in inspect.signature(_encoder()).parameters
    if exact or (not tags and image.pixels.dtype != np.uint8):
        pixels, notes = linear_values(image, options.primaries if tags else REC709)
        coding = coding_of(options.primaries, LINEAR) if tags else None
        untagged = (
            "This installation cannot tag JPEG XL (imagecodecs 2026.10 on Python 3.12 can): stored as lossless floats, "
            "which `transfer` and `quality` do not change; AVIF takes both."
        )
        notes += () if exact else (untagged,)
        return _file(np.ascontiguousarray(pixels), coding, None, image), notes
    distance = None if options.lossless else 0.1 + 0.09 * (100 - options.jxl_quality)
    if beyond_white(image, options):
        signal = coded_light(image, options, bits=0)
        return _file(signal.codes, signal.coding, distance, image), signal.notes
    dtype = np.uint8 if image.pixels.dtype == np.uint8 else np.uint16
    pixels, notes = code_values(image, dtype, options.primaries if tags else REC709)
    return _file(pixels, coding_of(options.primaries, SRGB) if tags else None, distance, image), notes


def _encoder() -> Callable[..., bytes | bytearray]:
    import imagecodecs

    return imagecodecs.jpegxl_encode


def _file(codes: np.ndarray, coding: Coding | None, distance: float | None, image: Image) -> bytes:
    """The image with the EXIF of `image`. coding None: sRGB for uint8, linear Rec.709 for float32."""
    how: dict[str, Any] = {"lossless": True} if distance is None else {"distance": distance, "effort": EFFORT}
    if coding is not None:
        how |= {"primaries": JXL_PRIMARIES[coding.primaries], "transfer": JXL_TRANSFERS[coding.transfer]}
    if distance is None and coding is not None and codes.dtype == np.float32:
        how["perceptualheuristics"] = False
    data = bytes(_encoder()(codes, numthreads=2, **how))
    exif = exif_block(image)
    if not exif:
        return data
    if data[:2] == CODESTREAM:
        data = SIGNATURE + box(b"ftyp", b"jxl ", bytes(4), b"jxl ") + box(b"jxlc", data)
    return data + box(b"Exif", bytes(4), exif)


def _head(data: Bytes) -> tuple[Header, bytes]:
    """The header of the codestream, and the EXIF block."""
    if data[:2] == CODESTREAM:
        return parse(data[:HEADER_BYTES]), b""
    head, exif = b"", b""
    for kind, start, end in boxes(data, 0, len(data)):
        skipped = start + 4 if kind == b"jxlp" else start
        if kind in (b"jxlc", b"jxlp") and len(head) < HEADER_BYTES:
            head += data[skipped : min(end, skipped + HEADER_BYTES)]
        elif kind == b"Exif" and end - start >= 8 and not exif:
            offset = struct.unpack(">I", data[start : start + 4])[0]
            exif = data[start + 4 + offset : end]
    return parse(head), exif


def _coding(source: Source, header: Header) -> Coding:
    if header.coding is None:
        raise FileError(
            source.path,
            "JPEG XL with an ICC profile or custom colours",
            "convert it to sRGB or PQ with djxl first",
        )
    return header.coding


def _info(source: Source, header: Header, exif: bytes) -> ImageInfo:
    tags = read_tags(exif)
    width, height = header.width, header.height
    if header.orientation > 4:  # the decoder turns the pixels
        width, height = height, width
    coding = header.coding or Coding()
    info = ImageInfo(
        source.path, "jxl", width, height, header.channels, header.bits,
        "float" if header.floating else "uint", "linear" if coding.is_linear else "srgb",
        exposure=exposure_of(tags), metadata=metadata_of(tags), primaries=coding.chromaticities,
    )  # fmt: skip
    return replace(info, orientation=header.orientation)


FORMAT = Format(recognise, probe, read, encode)
