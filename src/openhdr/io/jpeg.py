"""JPEG: 8-bit sRGB-curve code values, grey or colour (CMYK from print shops), lossy, with EXIF and colour profile.

HDR light is kept beside them by a gain map (Ultra HDR, ISO 21496-1): a photo on any screen, HDR where the screen is.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from openhdr.color.primaries import same
from openhdr.core.image import REC709, Image
from openhdr.io.containers import jpeg_segments
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
)
from openhdr.io.gainmap import GainFacts, UnusableMap
from openhdr.io.jpeg_decoder import BYTES_PER_PIXEL, check_segments, decoded
from openhdr.io.metadata.cicp import REFERENCE_WHITE
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import code_values, orient
from openhdr.io.screen import beyond_white, brightened, drawn_map, light_for_screen, sdr_codes


def recognise(data: Bytes) -> bool:
    """Start of image, then any marker (ISO/IEC 10918-1, B.1.1.3)."""
    return data[:3] == b"\xff\xd8\xff"


def probe(source: Source) -> ImageInfo:
    """Facts from the headers; the decoder reads no further than the frame header."""
    with decoding(source, "JPEG"), _opened(source) as photo:
        return _info(source, photo, _gain_map(source)[0])


def read(source: Source) -> Image:
    """uint8, srgb; with a gain map float32, linear. A file that ends early is an error, not a partial image."""
    with decoding(source, "JPEG"):
        facts, gain, notes = _gain_map(source)
        with _opened(source) as photo:
            info = _info(source, photo, facts)
            icc = photo.info.get("icc_profile")
        stored, dropped = decoded(source, source.data[:])
        image = Image(stored, "srgb", info.exposure, info.metadata, info.notes + dropped + notes)
        image = with_profile(image, icc)
        if facts is not None:
            image = brightened(image, facts, decoded(source, gain)[0])
    return image.with_pixels(orient(image.pixels, info.orientation))


def encode(image: Image, options: WriteOptions) -> Encoded:
    """8 bits, chroma at full resolution, EXIF kept; a gain map for light above white."""
    exif = exif_block(image)
    if not beyond_white(image, options):
        profile = None if same(options.primaries, REC709) else display_profile(options.primaries)
        pixels, notes = code_values(image, np.uint8, options.primaries)
        jpeg = _encoded(pixels, options.jpeg_quality)
        parts = jpeg_segments.exif_segment(exif), jpeg_segments.icc_segment(profile)
        return jpeg_segments.with_segments(jpeg, *parts), notes
    import simplejpeg

    light, notes = light_for_screen(image, options, options.primaries)
    base = _encoded(sdr_codes(image, options), options.jpeg_quality)
    shown = simplejpeg.decode_jpeg(base)  # what a decoder sees, not what was meant
    facts, codes, cut = drawn_map(light, shown, options)
    gain = _encoded(codes, options.map_quality)
    return jpeg_segments.join(base, gain, facts, exif, display_profile(options.primaries)), notes + cut


def _opened(source: Source) -> Any:
    from PIL import JpegImagePlugin

    check_segments(source.data)
    source.data.seek(0)
    return JpegImagePlugin.JpegImageFile(source.data)


def _encoded(codes: np.ndarray, quality: int) -> bytes:
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.fromarray(codes).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def _info(source: Source, photo: Any, facts: GainFacts | None) -> ImageInfo:
    managed = facts is not None or "icc_profile" in photo.info
    check_size(source, photo.size[0], photo.size[1], COLOUR_BYTES if managed else BYTES_PER_PIXEL)
    tags = read_tags(photo.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    orientation = orientation_of(tags)
    width, height = photo.size if orientation < 5 else photo.size[::-1]
    metadata = metadata_of(tags) | ({} if facts is None else {"white_luminance": REFERENCE_WHITE})
    return ImageInfo(
        source.path, "jpeg", width, height, len(photo.getbands()), bits=8, orientation=orientation,
        encoding="srgb" if facts is None else "linear", exposure=exposure_of(tags), metadata=metadata,
        primaries=primaries_of(photo.info.get("icc_profile")), gain_map=facts,
    )  # fmt: skip


def _gain_map(source: Source) -> tuple[GainFacts | None, bytes, tuple[str, ...]]:
    """Facts and JPEG file of the gain map, where there is one that is wanted and known; and notes."""
    if source.base:
        return None, b"", ()
    try:
        facts, data = jpeg_segments.gain_map(source.data) or (None, b"")
    except UnusableMap as error:
        return None, b"", (f"Only the standard-range photo was read: {error}.",)
    return facts, data, ()


FORMAT = Format(recognise, probe, read, encode)
