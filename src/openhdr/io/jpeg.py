"""JPEG: 8-bit sRGB code values, grey or colour (CMYK from print shops), lossy, with EXIF."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from openhdr.core.image import Image
from openhdr.io.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.format import Bytes, Encoded, Format, ImageInfo, Source, WriteOptions, check_size, decoding
from openhdr.io.jpeg_decoder import BYTES_PER_PIXEL, check_segments, decoded
from openhdr.io.pixels import code_values, orient
from openhdr.io.profiles import profile_notes

GAIN_MAP_MARKS = (b"http://ns.adobe.com/hdr-gain-map/", b"urn:iso:std:iso:ts:21496")


def recognise(data: Bytes) -> bool:
    """Start of image, then any marker (ISO/IEC 10918-1, B.1.1.3)."""
    return data[:3] == b"\xff\xd8\xff"


def probe(source: Source) -> ImageInfo:
    """Facts from the headers; the decoder reads no further than the frame header."""
    with decoding(source, "JPEG"), _opened(source) as photo:
        return _info(source, photo)


def read(source: Source) -> Image:
    """uint8, srgb. A file that ends early is an error, not a partial picture."""
    with decoding(source, "JPEG"), _opened(source) as photo:
        info = _info(source, photo)
        pixels, notes = decoded(source, source.data[:])
    return Image(orient(pixels, info.orientation), "srgb", info.exposure, info.metadata, info.notes + notes)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits, chroma at full resolution, EXIF kept."""
    from PIL import Image as Pillow

    pixels, notes = code_values(image, np.uint8)
    exif = exif_block(image)
    block = b"Exif\0\0" + exif if exif else b""
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=options.jpeg_quality, subsampling=0, exif=block)
    return file.getbuffer(), notes


def _opened(source: Source) -> Any:
    from PIL import JpegImagePlugin

    check_segments(source.data)
    source.data.seek(0)
    return JpegImagePlugin.JpegImageFile(source.data)


def _info(source: Source, photo: Any) -> ImageInfo:
    check_size(source, *photo.size, BYTES_PER_PIXEL)
    tags = read_tags(_exif(photo))
    orientation = orientation_of(tags)
    width, height = photo.size if orientation < 5 else photo.size[::-1]
    return ImageInfo(
        source.path, "jpeg", width, height, len(photo.getbands()), bits=8, orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata_of(tags),
        notes=profile_notes(photo.info.get("icc_profile")) + _gain_map_notes(photo),
    )  # fmt: skip


def _gain_map_notes(photo: Any) -> tuple[str, ...]:
    """Ultra HDR and ISO 21496-1 files: an ordinary photo with a second one that brightens it."""
    if any(mark in segment for _, segment in photo.applist for mark in GAIN_MAP_MARKS):
        return ("The file holds a gain map; only its standard-range photo was read.",)
    return ()


def _exif(photo: Any) -> bytes:
    block = photo.info.get("exif", b"")
    return block.removeprefix(b"Exif\0\0")


FORMAT = Format(recognise, probe, read, encode)
