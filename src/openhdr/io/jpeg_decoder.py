"""The pixels of a JPEG image, complete or refused.

libjpeg fills what is missing with grey and only warns. Here its warnings count: missing or unreadable pixels are an
error, oddities elsewhere become notes. Markers: ISO/IEC 10918-1, B.1.
"""

from __future__ import annotations

import io
import math
import struct

import numpy as np

from openhdr.io.format import Bytes, Source, check_size
from openhdr.io.pixels import as_rgb

START_OF_SCAN, END_OF_IMAGE, APP1 = b"\xff\xda", b"\xff\xd9", 0xE1
EXIF = b"Exif\0\0"
MAX_SEGMENTS = 10_000
MAX_EXIF_SEGMENTS = 16  # one holds 64 kB; the parser copies what it has for each further one
BYTES_PER_PIXEL, PROGRESSIVE_BYTES = 8, 16  # pixels and copies; whole-picture coefficients too
FREE_SCANS, MAX_SCAN_PIXELS = (
    20,
    3e9,
)  # each scan of a progressive image passes over all of it, 1.3 ns a pixel
UNCHECKED = "The chroma is subsampled in an unusual way; whether all pixels are there was not checked."
HARMLESS = ("extraneous bytes before", "Unknown Adobe color transform", "unknown JFIF revision")


def check_segments(data: Bytes) -> None:
    """Raise ValueError when there are so many segments before the pixels that parsing them takes long."""
    place, exif = 2, 0
    for _ in range(MAX_SEGMENTS):
        head = data[place : place + 10]
        if len(head) < 10 or head[0] != 0xFF or head[:2] == START_OF_SCAN:
            return
        if head[1] == 0xFF:  # a fill byte
            place += 1
            continue
        exif += head[1] == APP1 and head[4:] == EXIF
        if exif > MAX_EXIF_SEGMENTS:
            break
        place += 2 + struct.unpack_from(">H", head, 2)[0]
    raise ValueError("too many metadata segments")


def decoded(source: Source, data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, 3) uint8, and notes, from the bytes of one JPEG image; what follows its end is not looked at.

    With `source.enough` at 1/2, 1/4 or 1/8 of its size, by its low frequencies.

    Raises ValueError when pixels are missing or damaged, FileError when it would take too much memory or time.
    """
    import simplejpeg
    from PIL import Image as Pillow

    scans = _scans(data)
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except ValueError as error:
        if "subsampling" not in str(error):
            raise
        return _leniently(source, data), (UNCHECKED,)
    check_size(source, width, height, BYTES_PER_PIXEL if scans == 1 else PROGRESSIVE_BYTES)
    _check_time(scans, width, height)
    space = {"CMYK": "CMYK", "YCCK": "CMYK", "Gray": "GRAY"}.get(colours, "RGB")
    least = [math.ceil(side * source.enough / max(height, width)) for side in (height, width)]
    try:
        pixels = simplejpeg.decode_jpeg(data, space, min_height=least[0], min_width=least[1])
    except ValueError as warning:
        if not any(words in str(warning) for words in HARMLESS):
            raise
        note = f"The file is slightly damaged ({warning}); parts of the image may be wrong."
        return _leniently(source, data), (note,)
    notes: tuple[str, ...] = ()
    if space == "CMYK":  # stored inverted, as Adobe's programs do and all others after them
        pixels = np.array(Pillow.fromarray(255 - pixels, "CMYK").convert("RGB"))
        notes += ("CMYK colours were converted to RGB without their profile.",)
    return as_rgb(pixels)[0], notes


def _leniently(source: Source, data: bytes) -> np.ndarray:
    """(H, W, 3) uint8 by the decoder that supports every chroma subsampling, but reports no warnings."""
    from PIL import JpegImagePlugin

    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as photo:
        check_size(source, *photo.size, PROGRESSIVE_BYTES)
        _check_time(_scans(data), *photo.size)
        return np.array(photo.convert("RGB"))


def _check_time(scans: int, width: int, height: int) -> None:
    if scans > FREE_SCANS and scans * width * height > MAX_SCAN_PIXELS:
        raise ValueError(f"{scans} scans of {width}x{height} pixels take too long")


def _scans(data: bytes) -> int:
    """How many scans the image has. Raises ValueError when nothing says where it ends."""
    scan = data.find(START_OF_SCAN)
    end = data.find(END_OF_IMAGE, scan)
    if scan < 0 or end < 0:
        raise ValueError("it ends early")
    return data.count(START_OF_SCAN, scan, end)
