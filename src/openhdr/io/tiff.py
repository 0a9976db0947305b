"""TIFF: 8 or 16-bit sRGB code values, or linear light as 16, 32 or 64-bit floats; in strips, tiles or planes.

Specification: TIFF 6.0 (1992) and Technical Note 3 (floating point predictor). Exposure tags stand in the
main directory when openhdr writes (TIFF/EP, ISO 12234-2), there or in the EXIF directory when it reads.
"""

from __future__ import annotations

import io
import logging
from fractions import Fraction
from typing import Any

import numpy as np

from openhdr.color.primaries import same
from openhdr.core.errors import FileError, unknown_name
from openhdr.core.image import REC709, Image
from openhdr.io.containers.tiff_segments import check_segments
from openhdr.io.format import (
    SOFTWARE,
    Bytes,
    Encoded,
    Format,
    ImageInfo,
    Source,
    WriteOptions,
    check_size,
    decoding,
)
from openhdr.io.metadata.exif import (
    exposure_of,
    metadata_of,
    number_tags,
    orientation_of,
    read_tags,
    text_tags,
)
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import as_rgb, clean, code_values, linear_values, orient

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
ASCII, RATIONAL, SIGNED_RATIONAL, SHORT, LONG = 2, 5, 10, 3, 4
ICC_PROFILE, SOFTWARE_TAG = 34675, 305
COMPRESSIONS = ("none", "zlib")
ROWS_PER_STRIP = 64
LEVEL = 3  # of deflate: more effort saves little on photos


def recognise(data: Bytes) -> bool:
    """Byte order and version of TIFF or BigTIFF (camera RAW files of this kind are asked for first)."""
    return data[:4] in SIGNATURES


def probe(source: Source) -> ImageInfo:
    """Facts from the first directory."""
    with decoding(source, "TIFF"), _opened(source) as file:
        return _info(source, file)


def read(source: Source) -> Image:
    """The first page: uint8 or uint16, srgb; or float32, linear, from floats."""
    with decoding(source, "TIFF"), _opened(source) as file:
        info, page = _info(source, file), file.pages.first
        check_segments(source, page)
        stored = page.asarray(maxworkers=2)
        stored, notes = _colours(stored, page)
        icc = page.tags.valueof(ICC_PROFILE)
    pixels, dropped = as_rgb(stored)
    pixels = orient(pixels, info.orientation)
    if info.encoding == "linear":
        with np.errstate(over="ignore"):
            pixels, changed = clean(pixels.astype(np.float32))
        notes += changed
    image = Image(pixels, info.encoding, info.exposure, info.metadata, info.notes + dropped + notes)
    return image if page.photometric == SEPARATED else with_profile(image, icc)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """32-bit float linear light, except code values (uint8, uint16) in srgb, which are stored as they are."""
    import tifffile

    if options.tiff_compression not in COMPRESSIONS:
        raise unknown_name("TIFF compression", options.tiff_compression, COMPRESSIONS)
    codes = image.encoding == "srgb" and image.pixels.dtype != np.float32
    if codes:
        pixels, notes = code_values(image, image.pixels.dtype.type, options.primaries)
    else:
        pixels, notes = linear_values(image, options.primaries)
    gamma = None if codes else 1.0
    icc = None if same(options.primaries, REC709) else display_profile(options.primaries, gamma)
    packed = options.tiff_compression != "none"
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        pixels,
        photometric="rgb",
        compression=options.tiff_compression if packed else None,
        compressionargs={"level": LEVEL} if packed else None,
        predictor=packed,
        rowsperstrip=ROWS_PER_STRIP,
        software=SOFTWARE if image.encoding == "linear" else image.metadata.get("software") or False,
        metadata=None,
        iccprofile=icc,
        extratags=_tags(image),
    )
    return file.getbuffer(), notes


def _opened(source: Source) -> Any:
    import tifffile

    # Damaged tags are reported through logging; what matters also raises.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    source.data.seek(0)
    return tifffile.TiffFile(source.data)


def _info(source: Source, file: Any) -> ImageInfo:
    page = file.pages.first
    _check_kind(source, page)
    stored = page.samplesperpixel * page.dtype.itemsize
    check_size(source, page.imagewidth, page.imagelength, (1 if page.dtype.kind == "f" else 2) * stored + 12)
    tags = read_tags(source.data)
    orientation = orientation_of(tags)
    width, height = page.imagewidth, page.imagelength
    if orientation > 4:
        width, height = height, width
    linear = page.dtype.kind == "f"
    notes: tuple[str, ...] = ()
    if len(file.pages) > 1:
        notes = (f"Only the first of {len(file.pages)} pages was read.",)
    return ImageInfo(
        source.path, "tiff", width, height, page.samplesperpixel, page.bitspersample,
        "float" if linear else "uint", "linear" if linear else "srgb",
        orientation, exposure_of(tags), metadata_of(tags), notes, primaries_of(page.tags.valueof(ICC_PROFILE)),
    )  # fmt: skip


def _check_kind(source: Source, page: Any) -> None:
    """Refuse what is no image of light or colour codes. Raises FileError."""
    kind, samples = page.dtype, page.samplesperpixel
    good_type = kind is not None and (kind.kind == "f" or (kind.kind in "ub" and page.bitspersample <= 16))
    if not good_type or page.imagedepth != 1:
        stored = "an unknown sample type" if kind is None else f"{page.bitspersample}-bit {kind.name} samples"
        raise FileError(
            source.path, f"TIFF stores {stored}", "expected 1 to 16-bit unsigned or float samples"
        )
    least = {RGB: 3, YCBCR: 3, SEPARATED: 4}.get(page.photometric, 1)
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR):
        name = getattr(page.photometric, "name", page.photometric)
        raise FileError(source.path, f"TIFF stores {name} colours", "save it as RGB")
    if samples < least or samples > 64:
        raise FileError(source.path, f"TIFF has {samples} samples a pixel", f"expected {least} or more")


def _colours(stored: np.ndarray, page: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W[, C]) grey or RGB with full-scale code values, from whatever the page stores."""
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        stored = np.moveaxis(stored, 0, -1)
    if page.photometric == PALETTE:
        return np.moveaxis((page.colormap >> 8).astype(np.uint8)[:, stored], 0, -1), ()
    notes: tuple[str, ...] = ()
    if stored.dtype.kind != "f":
        stored = _full_scale(stored, page.bitspersample)
    if page.photometric == WHITE_IS_ZERO:
        stored = np.iinfo(stored.dtype).max - stored if stored.dtype.kind != "f" else 1 - stored
    if page.photometric == SEPARATED:
        notes = ("CMYK colours were converted to RGB without their profile.",)
        stored = _from_cmyk(stored)
    if stored.ndim == 3 and stored.shape[2] > 4 - (page.photometric == BLACK_IS_ZERO):
        colours = 1 if page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) else 3
        notes += (f"{stored.shape[2] - colours} extra channels were dropped.",)
        stored = stored[..., :colours]
    return stored, notes


def _full_scale(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes of 1..16 bits -> uint8 (up to 8 bits) or uint16, spread over the full range."""
    target = np.uint8 if bits <= 8 else np.uint16
    if bits in (8, 16):
        return codes.astype(target, copy=False)
    peak = (1 << bits) - 1
    return ((codes.astype(np.uint32) * np.iinfo(target).max + peak // 2) // peak).astype(target)


def _from_cmyk(inks: np.ndarray) -> np.ndarray:
    """Plain mixing: light = (1 - ink)(1 - black)."""
    if inks.dtype.kind == "f":
        return (1 - inks[..., :3]) * (1 - inks[..., 3:4])
    peak = np.uint64(np.iinfo(inks.dtype).max)
    light = peak - inks.astype(np.uint64)
    return ((light[..., :3] * light[..., 3:4] + peak // 2) // peak).astype(inks.dtype)


def _tags(image: Image) -> list[tuple[int, int, int, Any, bool]]:
    """Exposure and text tags as (code, type, count, value, first page only)."""
    tags: list[tuple[int, int, int, Any, bool]] = [
        (code, ASCII, 0, text, True) for code, text in text_tags(image).items() if code != SOFTWARE_TAG
    ]
    for code, value in number_tags(image).items():
        if isinstance(value, int):
            tags.append((code, SHORT if value <= 65535 else LONG, 1, value, True))
            continue
        ratio = Fraction(value).limit_denominator(1_000_000)
        kind = SIGNED_RATIONAL if value < 0 else RATIONAL
        tags.append((code, kind, 1, (ratio.numerator, ratio.denominator), True))
    return tags


FORMAT = Format(recognise, probe, read, encode)
