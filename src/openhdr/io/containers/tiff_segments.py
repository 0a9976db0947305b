"""Strips and tiles of a TIFF page, checked before they are decoded: all there, no larger than they say.

The decoder leaves the place of a missing strip as it finds the memory, and lets JPEG images in strips be of any
size and end early. Specification: TIFF 6.0, sections 3, 15 and 22; Technical Note 2 (JPEG).
"""

from __future__ import annotations

import math
import re
from typing import Any

from openhdr.core.errors import FileError
from openhdr.io.format import Source, check_memory, trailing_zeros

PLAIN, OLD_JPEG, JPEG = 1, 6, 7
# The decoder gives these codecs the size of the segment: CCITT, LZW, deflate, PackBits, LZMA, Zstandard.
BOUNDED = (2, 3, 4, 5, 8, 32773, 32946, 34925, 34926, 50000)
JPEG_TABLES = 347
FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..\x08(..)(..)", re.DOTALL)
WORKERS = 2
COPIES = 3  # of a segment: packed, unpacked, in the machine's byte order
MAX_SEGMENTS = 100_000
ZEROS = 32  # bytes; no compressed segment ends in so many


def check_segments(source: Source, page: Any) -> None:
    """Raises FileError or ValueError when strips or tiles are missing, cut off, too large or too many."""
    if page.compression not in (PLAIN, OLD_JPEG, JPEG, *BOUNDED):
        name = getattr(page.compression, "name", page.compression)
        raise FileError(source.path, f"TIFF is compressed with {name}", "save it with LZW or deflate")
    starts, counts = page.dataoffsets, page.databytecounts
    if len(starts) > MAX_SEGMENTS:
        raise ValueError(f"the pixels are in {len(starts)} pieces")
    if len(starts) != len(counts) or len(starts) < _expected(page):
        raise ValueError("pixels are missing")
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    rows, columns = page.chunks[:2] if page.planarconfig == 1 else page.chunks[-2:]
    size = rows * columns * samples * page.dtype.itemsize
    check_memory(source, WORKERS * COPIES * size, f"declares tiles of {columns}x{rows} pixels")
    end = len(source.data)
    whole = end - trailing_zeros(source.data)
    for start, count in zip(starts, counts, strict=True):
        if start <= 0 or count <= 0 or start + count > end:
            raise ValueError("pixels are missing, the file may be cut off")
        if page.compression != PLAIN and start + count >= whole + ZEROS:
            raise ValueError("zeros stand where pixels should be")
        if page.compression in (OLD_JPEG, JPEG):
            _check_jpeg(source, page, source.data[start : start + count])


def _expected(page: Any) -> int:
    """How many strips or tiles the page must have."""
    if page.is_tiled:
        across, down = (
            math.ceil(page.imagewidth / page.tilewidth),
            math.ceil(page.imagelength / page.tilelength),
        )
    else:
        across, down = 1, math.ceil(page.imagelength / max(page.rowsperstrip, 1))
    return across * down * (page.samplesperpixel if page.planarconfig == 2 else 1)


def _check_jpeg(source: Source, page: Any, data: bytes) -> None:
    """One strip or tile as a JPEG image: its own size, and whether its pixels are all there."""
    import simplejpeg

    for height, width in FRAME.findall(data):
        pixels = int.from_bytes(height) * int.from_bytes(width)
        check_memory(source, WORKERS * COPIES * pixels * page.samplesperpixel, "holds large JPEG tiles")
    if page.compression == JPEG:
        tables = page.tags.valueof(JPEG_TABLES) or b"\xff\xd8\xff\xd9"
        simplejpeg.decode_jpeg(
            tables[:-2] + data[2:], "GRAY", min_factor=8
        )  # coarsely; warnings raise ValueError
