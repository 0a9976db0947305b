"""Camera RAW: sensor values behind a colour filter, in the maker's container or DNG. Reading only.

Values are developed to linear Rec.709 light without any automatic step that would differ between the frames
of a bracket: camera white balance, fixed white level, no brightening, no gamma. Needs the extra `raw`.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from openhdr.core.errors import MissingExtraError
from openhdr.core.image import Exposure, Image
from openhdr.io.exif import (
    DNG_VERSION,
    PHOTOMETRIC,
    SUB_DIRECTORIES,
    exposure_of,
    metadata_of,
    orientation_of,
    positive,
    read_tags,
)
from openhdr.io.format import Bytes, Format, ImageInfo, Source, check_size, decoding, quiet
from openhdr.io.pixels import as_rgb
from openhdr.io.tiff_directory import directory, tiff_layout

# At the start of the file: Fujifilm, Olympus (3), Panasonic, Minolta, Sigma, Canon CRW
SIGNATURES = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"\0MRM",
    b"FOVb",
    b"II\x1a\0\0\0HEAPCCDR",
)
CR2_MARK = b"CR\x02"
FILTER_ARRAY, LINEAR_RAW = 32803, 34892  # photometric interpretations of TIFF/EP and DNG
PIECES = {273: 279, 324: 325}  # where strips and tiles begin: their sizes
MAX_SUB_DIRECTORIES = 8
MISSING = ("Unexpected end of file", "data corrupted")  # what the decoder prints, and goes on
BYTES_PER_PIXEL = 30  # sensor values, four colours, RGB of 16 bits and of floats
CONTAINER_BITS = 16  # how many of them the sensor uses is known only after unpacking

_alone = threading.Lock()  # one at a time: what the decoder prints does not say of which file


def recognise(data: Bytes) -> bool:
    """The maker's signature, or a TIFF structure that holds a DNG or a colour filter array."""
    if data[4:12] == b"ftypcrx ":  # Canon CR3
        return True
    if any(data[: len(signature)] == signature for signature in SIGNATURES):
        return True
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return False
    return data[8:11] == CR2_MARK or _holds_sensor_values(data)


def probe(source: Source) -> ImageInfo:
    """Facts from the headers; sensor values are not decoded."""
    rawpy = _rawpy()
    with decoding(source, "camera RAW", rawpy.LibRawError), quiet(), _opened(source) as raw:
        sizes = raw.sizes
        check_size(source, sizes.raw_width, sizes.raw_height, BYTES_PER_PIXEL)
        tags = read_tags(exif_of(source.data))
        turned = sizes.flip in (5, 6)
        width, height = (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)
        return ImageInfo(
            source.path, "raw", width, height, 1, bits=CONTAINER_BITS,
            encoding="linear", orientation=orientation_of(tags),
            exposure=exposure_of(tags) or _exposure(raw), metadata=metadata_of(tags),
        )  # fmt: skip


def read(source: Source) -> Image:
    """float32, linear Rec.709, 0..1: 1.0 = the sensor clips (after white balance)."""
    rawpy = _rawpy()
    info = probe(source)
    with (
        _alone,
        decoding(source, "camera RAW", rawpy.LibRawError),
        quiet() as printed,
        _opened(source) as raw,
    ):
        _check_end(source.data)
        sensor = raw.raw_image_visible if raw.raw_type == rawpy.RawType.Flat else None
        missing = any(words in printed() for words in MISSING)
        if missing or (sensor is not None and not sensor.any()):
            raise ValueError("sensor values are missing, the file may be cut off")
        zeros = 0 if sensor is None else sensor[::-1].any(axis=1).argmax()
        developed = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # the white level would follow each frame's brightest pixel
            gamma=(1, 1),
            output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,  # Rec.709 primaries; the curve is `gamma`
            highlight_mode=rawpy.HighlightMode.Clip,
        )
        pixels, _ = as_rgb(developed.astype(np.float32))
        notes: tuple[str, ...] = (
            () if any(raw.camera_whitebalance[:3]) or raw.num_colors == 1 else (NO_WHITE_BALANCE,)
        )
    if zeros:
        notes += (f"The last {zeros} rows of sensor values are zero: the file may be incomplete.",)
    pixels /= np.float32(65535)
    return Image(pixels, "linear", info.exposure, info.metadata, info.notes + notes)


NO_WHITE_BALANCE = "The camera recorded no white balance; daylight was used."


def _opened(source: Source) -> Any:
    source.data.seek(0)
    return _rawpy().imread(source.data)


def exif_of(data: Bytes) -> Any:
    """Where the EXIF structure starts: the file itself, the preview of a RAF, or a box of a CR3."""
    if data[:8] == b"FUJIFILM":
        start = int.from_bytes(data[84:88]) + 12  # a JPEG: start, APP1 marker, length, "Exif\0\0"
        return data[start : start + (1 << 16)]
    if data[4:8] == b"ftyp":
        place = data.find(b"CMT2", 0, 1 << 16) + 4  # its first directory is the EXIF directory
        return data[place : place + (1 << 16)]
    return data


def _holds_sensor_values(data: Bytes) -> bool:
    found = _directories(data)
    kinds = {each.get(PHOTOMETRIC) for each in found}
    return bool(kinds & {FILTER_ARRAY, LINEAR_RAW}) or any(DNG_VERSION in each for each in found[:1])


def _directories(data: Bytes) -> list[dict[int, Any]]:
    """The tags of the first directory of a TIFF structure and of its children."""
    layout = tiff_layout(data)
    if layout is None:
        return []
    wanted = {DNG_VERSION, PHOTOMETRIC, SUB_DIRECTORIES, *PIECES, *PIECES.values()}
    tags = dict(directory(data, layout, layout.first, wanted))
    inner = tags.get(SUB_DIRECTORIES, ())
    starts = (inner if isinstance(inner, tuple) else (inner,))[:MAX_SUB_DIRECTORIES]
    return [tags, *(dict(directory(data, layout, at, wanted)) for at in starts if isinstance(at, int))]


def _check_end(data: Bytes) -> None:
    """Raise ValueError when a strip or tile lies beyond the end of a file that is built like TIFF."""
    for tags in _directories(data):
        for begins, sizes in PIECES.items():
            pieces = zip(_numbers(tags.get(begins)), _numbers(tags.get(sizes)), strict=False)
            if any(begin + size > len(data) for begin, size in pieces):
                raise ValueError("sensor values are missing, the file may be cut off")


def _numbers(value: Any) -> list[int]:
    return [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, int)]


def _exposure(raw: Any) -> Exposure | None:
    """What LibRaw found in the maker's own tags, where the standard ones say nothing."""
    other = getattr(raw, "other", None)
    facts = (getattr(other, name, None) for name in ("shutter", "iso_speed", "aperture"))
    exposure = Exposure(*(number and float(f"{number:.7g}") for number in map(positive, facts)))
    return None if exposure == Exposure() else exposure


def _rawpy() -> Any:
    try:
        import rawpy
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading camera RAW needs 'rawpy', which", "raw") from error
    return rawpy


FORMAT = Format(recognise, probe, read)
