"""AVIF: 8, 10 or 12-bit code values, sRGB or PQ, lossy or lossless, with EXIF.

Container: ISO/IEC 23008-12 (HEIF); colour code points: ISO/IEC 14496-12, 12.1.5; depth: AV1-ISOBMFF, 2.3.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from openhdr.core.image import Image
from openhdr.io.cicp import Coding, decode_signal
from openhdr.io.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.format import Bytes, Encoded, Format, ImageInfo, Source, WriteOptions, check_size, decoding
from openhdr.io.pixels import as_rgb, code_values, orient
from openhdr.io.profiles import profile_notes

BRANDS = (b"avif", b"avis")
NESTED = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # box -> bytes before its children
BYTES_PER_PIXEL = 24  # planes, then RGBA, of 16 bits each; the Image's copy
MAX_BOXES, MAX_DEPTH = 1000, 4


def recognise(data: Bytes) -> bool:
    """A file type box with an AVIF brand, major or compatible."""
    if data[4:8] != b"ftyp":
        return False
    brands = data[8 : min(int.from_bytes(data[:4]), 256)]
    return any(brands[at : at + 4] in BRANDS for at in (0, *range(8, len(brands), 4)))


def probe(source: Source) -> ImageInfo:
    """Facts from the boxes; the AV1 stream is not decoded."""
    with decoding(source, "AVIF"), _opened(source) as photo:
        return _info(source, photo)


def read(source: Source) -> Image:
    """uint8, or uint16 from 10 and 12 bits, srgb; PQ and linear pictures as float32, linear."""
    import imagecodecs

    with decoding(source, "AVIF"), _opened(source) as photo:
        info = _info(source, photo)
        stored = (
            np.array(photo) if photo.n_frames > 1 else imagecodecs.avif_decode(source.data[:], numthreads=2)
        )
        if stored.dtype == np.uint16:
            peak = (1 << info.bits) - 1
            stored = ((stored.astype(np.uint32) * 65535 + peak // 2) // peak).astype(np.uint16)
        pixels, dropped = as_rgb(stored)
    pixels = orient(pixels, info.orientation)
    image = Image(pixels, "srgb", info.exposure, info.metadata, info.notes + dropped)
    return decode_signal(image, _coding(source.data), source.path)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits, lossy, marked as sRGB, EXIF kept."""
    from PIL import Image as Pillow

    pixels, notes = code_values(image, np.uint8)
    exif = exif_block(image) or b""
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(
        file, "AVIF", quality=options.avif_quality, subsampling="4:4:4", max_threads=2, exif=exif
    )
    return file.getbuffer(), notes


def _opened(source: Source) -> Any:
    from PIL import AvifImagePlugin

    for box, content in _boxes(source.data, 0, len(source.data)):
        if box == b"ispe" and len(content) >= 12:
            check_size(source, *struct.unpack_from(">II", content, 4), BYTES_PER_PIXEL)
    source.data.seek(0)
    return AvifImagePlugin.AvifImageFile(source.data)


def _info(source: Source, photo: Any) -> ImageInfo:
    check_size(source, *photo.size, BYTES_PER_PIXEL)
    tags = read_tags(photo.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    orientation = orientation_of(tags)  # the decoder puts the container's turns and mirrors there
    width, height = photo.size if orientation < 5 else photo.size[::-1]
    coding, bits = _coding(source.data), _bits(source.data)
    animated = ("Only the first frame of the animation was read, as 8 bits.",) if photo.n_frames > 1 else ()
    return ImageInfo(
        source.path, "avif", width, height, len(photo.getbands()), bits,
        encoding="linear" if coding.is_linear else "srgb", orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata_of(tags),
        notes=profile_notes(photo.info.get("icc_profile")) + animated,
    )  # fmt: skip


def _boxes(data: Bytes, start: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of the property boxes, which are the only ones that are entered or kept."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        head = 16 if size == 1 and start + 16 <= end else 8
        if head == 16:
            size = int.from_bytes(data[start + 8 : start + 16])
        stop = end if size == 0 else min(start + size, end)
        if kind in NESTED and depth < MAX_DEPTH:
            yield from _boxes(data, start + head + NESTED[kind], stop, depth + 1)
        elif kind in (b"colr", b"av1C", b"ispe"):
            yield kind, data[start + head : min(stop, start + 64)]
        if size != 0 and size < head:
            return
        start = stop


def _coding(data: Bytes) -> Coding:
    for box, content in _boxes(data, 0, len(data)):
        if box == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            return Coding(primaries, transfer)
    return Coding()


def _bits(data: Bytes) -> int:
    for box, content in _boxes(data, 0, len(data)):
        if box == b"av1C" and len(content) >= 3:
            high, twelve = content[2] >> 6 & 1, content[2] >> 5 & 1
            return 8 + 2 * high + 2 * (high & twelve)
    return 8


FORMAT = Format(recognise, probe, read, encode)
