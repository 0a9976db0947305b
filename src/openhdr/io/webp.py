"""WebP: 8-bit sRGB code values with or without alpha, lossy or lossless, with EXIF."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from openhdr.color.primaries import same
from openhdr.core.image import REC709, Image
from openhdr.io.format import (
    Bytes,
    Encoded,
    Format,
    ImageInfo,
    Source,
    WriteOptions,
    check_size,
    decoding,
)
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import as_rgb, code_values, orient

BYTES_PER_PIXEL = 24  # two canvases of the decoder, Pillow's copy, ours


def recognise(data: Bytes) -> bool:
    """A RIFF container of type WEBP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def probe(source: Source) -> ImageInfo:
    """Facts from the container's chunks."""
    with decoding(source, "WebP"), _opened(source) as photo:
        return _info(source, photo)


def read(source: Source) -> Image:
    """uint8, srgb; the first frame of an animation."""
    with decoding(source, "WebP"), _opened(source) as photo:
        info = _info(source, photo)
        stored, icc = np.array(photo), photo.info.get("icc_profile")
    pixels, dropped = as_rgb(stored)
    pixels = orient(pixels, info.orientation)
    return with_profile(Image(pixels, "srgb", info.exposure, info.metadata, info.notes + dropped), icc)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits, lossy, EXIF kept."""
    from PIL import Image as Pillow

    pixels, notes = code_values(image, np.uint8, options.primaries)
    icc = b"" if same(options.primaries, REC709) else display_profile(options.primaries)
    file = io.BytesIO()
    exif = exif_block(image) or b""
    Pillow.fromarray(pixels).save(file, "WEBP", quality=options.webp_quality, exif=exif, icc_profile=icc)
    return file.getbuffer(), notes


def _opened(source: Source) -> Any:
    from PIL import WebPImagePlugin

    check_size(source, *_canvas(source.data), BYTES_PER_PIXEL)
    if 8 + int.from_bytes(source.data[4:8], "little") > len(source.data):
        raise ValueError("it ends early")
    source.data.seek(0)
    return WebPImagePlugin.WebPImageFile(source.data)


def _canvas(data: Bytes) -> tuple[int, int]:
    """Declared width and height (RFC 9649, sections 2.5 to 2.7), read before the decoder allocates."""
    kind, head = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _info(source: Source, photo: Any) -> ImageInfo:
    tags = read_tags(photo.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    orientation = orientation_of(tags)
    width, height = photo.size if orientation < 5 else photo.size[::-1]
    animated = ("Only the first frame of the animation was read.",) if photo.n_frames > 1 else ()
    return ImageInfo(
        source.path, "webp", width, height, len(photo.getbands()), bits=8, orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata_of(tags),
        notes=animated, primaries=primaries_of(photo.info.get("icc_profile")),
    )  # fmt: skip


FORMAT = Format(recognise, probe, read, encode)
