"""HEIC: 8, 10 or 12-bit photos of phones, sRGB-curve, PQ or HLG, with EXIF; gain maps of Apple and Samsung.

Reading and writing needs the extra `heif`: pillow-heif, whose wheels hold x265 (GPL) beside libheif (LGPL).
Gain maps of ISO 21496-1 (`tmap` items) and of Apple (an auxiliary image; its strength stands in the maker note).
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from openhdr.core.errors import MissingExtraError
from openhdr.core.image import Image
from openhdr.io.containers.boxes import Pictures, check_complete, pictures, showing
from openhdr.io.containers.tone_map_item import gain_map_of, gain_primaries
from openhdr.io.format import Bytes, Encoded, Format, ImageInfo, Source, WriteOptions, check_size, decoding
from openhdr.io.gainmap import GainFacts, apple_stops, from_apple
from openhdr.io.metadata.cicp import REC2020_MATRIX, REFERENCE_WHITE, Coding, decode_signal
from openhdr.io.metadata.exif import apple_notes, exif_block, exposure_of, metadata_of, read_tags
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import as_rgb, code_values
from openhdr.io.screen import beyond_white, brightened, coded_light

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
APPLE_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap\0"
BYTES_PER_PIXEL, LIGHT_BYTES = 12, 44  # of 8 bits; of more, or with a profile or gain map; measured


def recognise(data: Bytes) -> bool:
    """A file type box with an HEVC brand, major or compatible."""
    if data[4:8] != b"ftyp":
        return False
    head = data[8 : min(int.from_bytes(data[:4]), 256)]
    return any(head[at : at + 4] in BRANDS for at in (0, *range(8, len(head), 4)))


def probe(source: Source) -> ImageInfo:
    """Facts from the boxes; pixels are not decoded."""
    with decoding(source, "HEIC"):
        found = _directory(source)
        photo = _opened(source.data[:])
        return _info(source, photo, _gain_map(source, found, photo)[0])


def read(source: Source) -> Image:
    """uint8, or uint16 from 10 and 12 bits, srgb; float32, linear from PQ and HLG or by a gain map."""
    with decoding(source, "HEIC"):
        found = _directory(source)
        photo = _opened(source.data[:])
        facts, number, notes = _gain_map(source, found, photo)
        info = _info(source, photo, facts)
        pixels, dropped = as_rgb(np.asarray(photo))
        if pixels.dtype == np.uint16:  # the decoder leaves the lowest bits empty
            peak = (1 << info.bits) - 1
            codes = (pixels >> (16 - info.bits)).astype(np.uint32)
            pixels = ((codes * 65535 + peak // 2) // peak).astype(np.uint16)
        image = Image(pixels, "srgb", info.exposure, info.metadata, (*info.notes, *dropped, *notes))
        coding = _coding(photo)
        if coding is None:
            image = with_profile(image, photo.info.get("icc_profile"))
        else:
            image = decode_signal(image, coding, source.path)
        if facts is not None:
            auxiliary = b"auxl" in found.items[number].refers  # the decoder shows these by another call
            shown = (
                photo.get_aux_image(number) if auxiliary else _opened(showing(source.data[:], found, number))
            )
            image = brightened(image, facts, as_rgb(np.asarray(shown))[0], gain_primaries(found, facts))
    return image


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Lossy, EXIF kept: 8 bits in sRGB, light above white as 10 or 12-bit PQ or HLG."""
    pillow_heif = _library()
    if beyond_white(image, options):
        signal = coded_light(image, options, options.avif_bits)
        codes, mode, notes = (
            signal.codes << (16 - options.avif_bits),
            "RGB;16",
            signal.notes,
        )  # the encoder truncates
        nclx = {
            "color_primaries": signal.coding.primaries, "transfer_characteristics": signal.coding.transfer,
            "matrix_coefficients": REC2020_MATRIX, "full_range_flag": 1,
        }  # fmt: skip
        colour: dict[str, Any] = dict(nclx)
    else:
        codes, notes = code_values(image, np.uint8, options.primaries)
        mode, colour = "RGB", {"icc_profile": display_profile(options.primaries)}
    file = io.BytesIO()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = options.avif_bits == 12
    height, width = codes.shape[:2]
    pillow_heif.encode(
        mode, (width, height), np.ascontiguousarray(codes).tobytes(), file, format="HEIF",
        quality=options.avif_quality, chroma=444, exif=exif_block(image), **colour,
    )  # fmt: skip
    return file.getvalue(), notes


def _opened(data: bytes) -> Any:
    return _library().open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)


def _library() -> Any:
    try:
        import pillow_heif
    except ModuleNotFoundError as error:
        raise MissingExtraError("HEIC needs 'pillow_heif', which", "heif") from error
    return pillow_heif


def _directory(source: Source) -> Pictures:
    found = pictures(source.data)
    check_complete(source.data, found)
    for item in found.items.values():
        size = item.property(b"ispe")
        if size is not None and len(size) >= 12:
            width, height = struct.unpack_from(">II", size, 4)
            check_size(source, width, height, BYTES_PER_PIXEL)
    return found


def _info(source: Source, photo: Any, facts: GainFacts | None) -> ImageInfo:
    """The decoder turns the image upright."""
    tags = read_tags((photo.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    coding = _coding(photo)
    linear = facts is not None or (coding is not None and coding.is_linear)
    metadata = metadata_of(tags) | ({} if facts is None else {"white_luminance": REFERENCE_WHITE})
    bits = photo.info.get("bit_depth", 8)
    plain = bits == 8 and facts is None and not photo.info.get("icc_profile")
    check_size(source, photo.size[0], photo.size[1], BYTES_PER_PIXEL if plain else LIGHT_BYTES)
    return ImageInfo(
        source.path, "heif", photo.size[0], photo.size[1], len(photo.mode.partition(";")[0]), bits,
        encoding="linear" if linear else "srgb", exposure=exposure_of(tags), metadata=metadata, gain_map=facts,
        primaries=coding.chromaticities if coding else primaries_of(photo.info.get("icc_profile")),
    )  # fmt: skip


def _coding(photo: Any) -> Coding | None:
    """Code points of the image; None where a profile says what its colours are."""
    nclx = photo.info.get("nclx_profile")
    if not nclx or photo.info.get("icc_profile"):
        return None
    return Coding(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]))


def _gain_map(source: Source, found: Pictures, photo: Any) -> tuple[GainFacts | None, int, tuple[str, ...]]:
    """Facts of the gain map, where there is one that is wanted and known, and the number of its item; and notes."""
    facts, number, notes = gain_map_of(source, found)
    apple = [key for key, item in found.items.items() if APPLE_MAP in (item.property(b"auxC") or b"")]
    if facts is not None or notes or not apple or source.base:
        return facts, number, notes
    exif = read_tags((photo.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    stops = apple_stops(*apple_notes(exif))
    if stops is None:
        return None, 0, ("Only the photo was read: the file does not say how strong its gain map is.",)
    return from_apple(stops), apple[0], ()


FORMAT = Format(recognise, probe, read, encode)
