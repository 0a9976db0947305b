"""AVIF: 8, 10 or 12-bit code values, sRGB, PQ or HLG, lossy or lossless, with EXIF; and images with a gain map.

Container: ISO/IEC 23008-12 (HEIF); colour code points and light levels: ISO/IEC 14496-12, 12.1.5; depth: AV1-ISOBMFF,
2.3; gain maps: ISO 21496-1, annex C.3.
"""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from openhdr.color.primaries import same
from openhdr.core.image import REC709, Image
from openhdr.io.containers.boxes import NewItem, Pictures, check_complete, pictures, showing, together
from openhdr.io.containers.tone_map_item import coding_of_item, gain_map_of, gain_primaries
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
from openhdr.io.gainmap import GainFacts, to_iso
from openhdr.io.metadata.cicp import (
    REC2020_MATRIX,
    REFERENCE_WHITE,
    SRGB,
    UNSPECIFIED,
    Coding,
    coding_of,
    decode_signal,
)
from openhdr.io.metadata.exif import exif_block, exposure_of, metadata_of, orientation_of, read_tags
from openhdr.io.metadata.profiles import display_profile, primaries_of, with_profile
from openhdr.io.pixels import as_rgb, code_values, orient
from openhdr.io.screen import beyond_white, brightened, coded_light, drawn_map, light_for_screen, sdr_codes

BRANDS = (b"avif", b"avis")
WRITTEN_BRANDS = (b"avif", b"mif1", b"miaf")
BYTES_PER_PIXEL = 12  # planes, then RGBA, of 8 bits each; the Image's copy
BT601 = 6  # matrix of code values in sRGB
SPEED = 6  # of the encoder, 0 slow .. 10


def recognise(data: Bytes) -> bool:
    """A file type box with an AVIF brand, major or compatible."""
    return data[4:8] == b"ftyp" and any(brand in BRANDS for brand in brands(data))


def brands(data: Bytes) -> list[bytes]:
    """The major and the compatible brands."""
    head = data[8 : min(int.from_bytes(data[:4]), 256)]
    return [head[at : at + 4] for at in (0, *range(8, len(head), 4))]


def probe(source: Source) -> ImageInfo:
    """Facts from the boxes; the AV1 stream is not decoded."""
    with decoding(source, "AVIF"):
        found = _directory(source)
        with _opened(source, found) as photo:
            return _info(source, photo, found, _map_of(source, found)[0])


def read(source: Source) -> Image:
    """uint8, or uint16 from 10 and 12 bits, srgb; float32, linear from PQ, HLG, linear values or by a gain map."""
    with decoding(source, "AVIF"):
        found = _directory(source)
        facts, number, notes = _map_of(source, found)
        with _opened(source, found) as photo:
            info = _info(source, photo, found, facts)
            icc = photo.info.get("icc_profile")
            stored = np.array(photo) if photo.n_frames > 1 else _decoded(source.data[:], info.bits)
        pixels, dropped = as_rgb(stored)
        image = Image(pixels, "srgb", info.exposure, info.metadata, (*info.notes, *dropped, *notes))
        coding = _coding(found)
        image = with_profile(image, icc) if coding is None else decode_signal(image, coding, source.path)
        if facts is not None and found is not None:
            stored = _decoded(showing(source.data[:], found, number), _bits_of(found, number))
            image = brightened(image, facts, as_rgb(stored)[0], gain_primaries(found, facts))
    return image.with_pixels(orient(image.pixels, info.orientation))


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Lossy, EXIF kept: 8 bits in sRGB; light above white as PQ or HLG of 10 or 12 bits, or with a gain map."""
    if not beyond_white(image, options):
        return _sdr(image, options)
    if options.gain_map:
        return _with_gain_map(image, options)
    signal = coded_light(image, options, options.avif_bits)
    levels = struct.pack(">HH", min(signal.max_cll, 65535), min(signal.max_fall, 65535))
    picture = _item(signal.codes, options.avif_bits, signal.coding, options.avif_quality)
    picture = replace(picture, properties=(*picture.properties, (b"clli", levels, False)))
    return together([picture, *_exif_items(image)], WRITTEN_BRANDS, []), signal.notes


def _sdr(image: Image, options: WriteOptions) -> Encoded:
    from PIL import Image as Pillow

    pixels, notes = code_values(image, np.uint8, options.primaries)
    profile = b"" if same(options.primaries, REC709) else display_profile(options.primaries)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(
        file, "AVIF", quality=options.avif_quality, subsampling="4:4:4", max_threads=2,
        exif=exif_block(image) or b"", icc_profile=profile,
    )  # fmt: skip
    return file.getbuffer(), notes


def _with_gain_map(image: Image, options: WriteOptions) -> Encoded:
    """The SDR image, the map, and the item that makes light of both."""
    light, notes = light_for_screen(image, options, options.primaries)
    coding = coding_of(options.primaries, SRGB)
    base = _item(sdr_codes(image, options), 8, coding, options.avif_quality)
    shown = _decoded(together([base], WRITTEN_BRANDS, []), 8)
    facts, codes, cut = drawn_map(light, shown, options)
    finer = np.rint(codes * np.float32(1023 / 255)).astype(np.uint16)  # 8 bits come out half a code off
    gain = _item(finer, 10, Coding(UNSPECIFIED, UNSPECIFIED), options.map_quality)
    both = tuple(one for one in base.properties if one[0] in (b"ispe", b"pixi"))
    meaning = NewItem(
        b"tmap", b"\0" + to_iso(facts), (*both, (b"colr", _nclx(coding, 1), False)), {b"dimg": [1, 2]}
    )
    items = [base, replace(gain, hidden=True), meaning, *_exif_items(image)]
    return together(items, (*WRITTEN_BRANDS, b"tmap"), [3, 1]), notes + cut


def _item(codes: np.ndarray, bits: int, coding: Coding, quality: int) -> NewItem:
    """One coded image, full range, 4:4:4. codes: uint8, or uint16 of `bits` bits."""
    import imagecodecs

    matrix = BT601 if coding.transfer in (SRGB, UNSPECIFIED) else REC2020_MATRIX
    full = imagecodecs.AVIF.PIXEL_FORMAT.YUV444
    coded = imagecodecs.avif_encode(
        codes, level=quality, speed=SPEED, bitspersample=bits, pixelformat=full, numthreads=2,
        primaries=coding.primaries, transfer=coding.transfer, matrix=matrix,
    )  # fmt: skip
    file = bytes(coded)
    found = pictures(file)
    stream = found.shown.property(b"av1C")
    if stream is None:
        raise ValueError("the encoder gave no AV1 image")
    height, width = codes.shape[:2]
    properties = (
        (b"ispe", struct.pack(">III", 0, width, height), False),
        (b"pixi", struct.pack(">IBBBB", 0, 3, bits, bits, bits), False),
        (b"av1C", stream, True),
        (b"colr", _nclx(coding, matrix), False),
    )
    return NewItem(b"av01", found.data(file, found.primary, len(file)), properties)


def _nclx(coding: Coding, matrix: int) -> bytes:
    return b"nclx" + struct.pack(">HHHB", coding.primaries, coding.transfer, matrix, 0x80)  # full range


def _exif_items(image: Image) -> list[NewItem]:
    block = exif_block(image)
    return [NewItem(b"Exif", bytes(4) + block, refers={b"cdsc": [1]}, hidden=True)] if block else []


def _decoded(file: bytes, bits: int) -> np.ndarray:
    """uint8, or uint16 spread over the full range."""
    import imagecodecs

    stored = imagecodecs.avif_decode(file, numthreads=2)
    if stored.dtype == np.uint8:
        return stored
    peak = (1 << bits) - 1
    return ((stored.astype(np.uint32) * 65535 + peak // 2) // peak).astype(np.uint16)


def _directory(source: Source) -> Pictures | None:
    """The items of the file, sizes checked; None for an animation without any."""
    try:
        found = pictures(source.data)
    except ValueError:
        if source.data[8:12] == b"avis":
            return None
        raise
    check_complete(source.data, found)
    for item in found.items.values():
        size = item.property(b"ispe")
        if size is not None and len(size) >= 12:
            width, height = struct.unpack_from(">II", size, 4)
            check_size(source, width, height, BYTES_PER_PIXEL)
    return found


def _opened(source: Source, found: Pictures | None) -> Any:
    from PIL import AvifImagePlugin

    source.data.seek(0)
    return AvifImagePlugin.AvifImageFile(source.data)


def _info(source: Source, photo: Any, found: Pictures | None, facts: GainFacts | None) -> ImageInfo:
    plain = facts is None and _bits(found) == 8 and "icc_profile" not in photo.info
    check_size(source, photo.size[0], photo.size[1], BYTES_PER_PIXEL if plain else COLOUR_BYTES)
    tags = read_tags(photo.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    orientation = orientation_of(tags)  # the decoder puts the container's turns and mirrors there
    width, height = photo.size if orientation < 5 else photo.size[::-1]
    coding = _coding(found)
    animated = ("Only the first frame of the animation was read, as 8 bits.",) if photo.n_frames > 1 else ()
    linear = facts is not None or (coding is not None and coding.is_linear)
    metadata = metadata_of(tags) | ({} if facts is None else {"white_luminance": REFERENCE_WHITE})
    return ImageInfo(
        source.path, "avif", width, height, len(photo.getbands()), _bits(found),
        encoding="linear" if linear else "srgb", orientation=orientation,
        exposure=exposure_of(tags), metadata=metadata, notes=animated, gain_map=facts,
        primaries=coding.chromaticities if coding else primaries_of(photo.info.get("icc_profile")),
    )  # fmt: skip


def _map_of(source: Source, found: Pictures | None) -> tuple[GainFacts | None, int, tuple[str, ...]]:
    """As `gain_map_of`; files without the brand are to be shown without their map."""
    if found is None or b"tmap" not in brands(source.data):
        return None, 0, ()
    return gain_map_of(source, found)


def _coding(found: Pictures | None) -> Coding | None:
    """Code points of the shown image; None where a profile or nothing says what its colours are."""
    return None if found is None else coding_of_item(found.shown)


def _bits(found: Pictures | None) -> int:
    return 8 if found is None else _bits_of(found, found.primary)


def _bits_of(found: Pictures, number: int) -> int:
    """Of an item, or of the first tile of a grid."""
    item = found.items[number]
    tiles = item.refers.get(b"dimg", [])
    stream = item.property(b"av1C")
    if stream is None and tiles and tiles[0] in found.items:
        stream = found.items[tiles[0]].property(b"av1C")
    if stream is None or len(stream) < 3:
        return 8
    high, twelve = stream[2] >> 6 & 1, stream[2] >> 5 & 1
    return 8 + 2 * high + 2 * (high & twelve)


FORMAT = Format(recognise, probe, read, encode)
