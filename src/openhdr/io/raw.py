"""Camera RAW: sensor values behind a colour filter, in the maker's container or DNG. Reading only.

Values are developed to linear Rec.709 light without any automatic step that would differ between the frames
of a bracket: camera white balance, fixed white level, no brightening, no gamma. Needs the extra `raw`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from openhdr.camera.mosaic import Mosaic
from openhdr.core.errors import MissingExtraError
from openhdr.core.image import Exposure, Image
from openhdr.io.containers.tiff_directory import directory, tiff_layout
from openhdr.io.dng import BLACK_LEVEL, LINEAR_RAW, MAX_SUB_DIRECTORIES, NOISE_PROFILE, noise_of
from openhdr.io.dng import CFA as FILTER_ARRAY
from openhdr.io.format import Bytes, Format, ImageInfo, Source, check_size, decoding, quiet
from openhdr.io.metadata.exif import (
    DNG_VERSION,
    PHOTOMETRIC,
    SUB_DIRECTORIES,
    exposure_of,
    metadata_of,
    orientation_of,
    positive,
    read_tags,
)
from openhdr.io.pixels import as_rgb

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
PHASE_ONE = (b"IIII", b"MMMM")  # behind the header of TIFF; its directories show a small picture only
BLACK_REPEAT = 50713
COLOUR_MATRIX, COLOUR_MATRIX_2 = 50721, 50722  # XYZ -> camera under CalibrationIlluminant1 and 2
DNG_TAGS = (NOISE_PROFILE, BLACK_REPEAT, BLACK_LEVEL, COLOUR_MATRIX, COLOUR_MATRIX_2)
PIECES = {273: 279, 324: 325}  # where strips and tiles begin: their sizes
SIDES = (256, 257)  # width and height
MAX_SITES_PER_BYTE = 64  # of what compresses best
CUT_OFF = "sensor values are missing, the file may be cut off"
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
    return data[8:11] == CR2_MARK or data[8:12] in PHASE_ONE or _holds_sensor_values(data)


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
            exposure=exposure_with_makers(raw, exposure_of(tags) or Exposure()), metadata=metadata_of(tags),
        )  # fmt: skip


@contextmanager
def _whole(source: Source) -> Iterator[tuple[Any, Callable[[], str]]]:
    """The opened file, and what LibRaw printed so far. Raises FileError where it is damaged or ends early."""
    rawpy = _rawpy()
    with (
        _alone,
        decoding(source, "camera RAW", rawpy.LibRawError),
        quiet() as printed,
        _opened(source) as raw,
    ):
        _check_end(source.data)
        yield raw, printed


def read(source: Source) -> Image:
    """float32, linear Rec.709, 0..1: 1.0 = the sensor clips (after white balance)."""
    rawpy = _rawpy()
    info = probe(source)
    with _whole(source) as (raw, printed):
        sensor = raw.raw_image_visible if raw.raw_type == rawpy.RawType.Flat else None
        missing = any(words in printed() for words in MISSING)
        if missing or (sensor is not None and not sensor.any()):
            raise ValueError(CUT_OFF)
        zeros = 0 if sensor is None else zero_rows(sensor)
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


def read_mosaic(source: Source) -> Mosaic | None:
    """The sensor's codes with what is known of them; None where the file holds no mosaic (sRAW, LinearRaw, Foveon)."""
    rawpy = _rawpy()
    info = probe(source)
    with _whole(source) as (raw, printed):
        grey, square = raw.num_colors == 1, raw.sizes.pixel_aspect == 1
        numbers = None
        if raw.raw_type == rawpy.RawType.Flat and square and (grey or raw.color_desc == b"RGBG"):
            numbers = np.zeros((2, 2), int) if grey else smallest_tile(raw.raw_colors_visible)
        if numbers is None:
            return None
        values = raw.raw_image_visible.copy()
        if any(words in printed() for words in MISSING) or not values.any():
            raise ValueError(CUT_OFF)
        tags = {tag: value for each in reversed(_directories(source.data)) for tag, value in each.items()}
        pattern = np.array([1, 1, 1, 1] if grey else ["RGB".index(one) for one in "RGBG"])[numbers]
        black, white = levels_of(raw, numbers, tags)
        balance = np.array([raw.camera_whitebalance[:3], raw.daylight_whitebalance[:3]], np.float64)
        recorded, *known = [bool((one > 0).all()) for one in balance]
        matrix = np.array(raw.rgb_xyz_matrix[:3], np.float64)
        if (
            not matrix.any()
        ):  # LibRaw knows cameras by name; a DNG brings its own, often a second one for daylight
            own = tags.get(COLOUR_MATRIX_2) or tags.get(COLOUR_MATRIX)
            matrix = np.reshape(own or np.zeros(9), (3, 3)).astype(np.float64)
    neutral = 1 / balance[0 if recorded else 1] if recorded or any(known) else np.ones(3)
    profile, zeros = tags.get(NOISE_PROFILE), zero_rows(values)
    notes = info.notes if recorded or (pattern == 1).all() else (*info.notes, NO_WHITE_BALANCE)
    if zeros:
        notes += (f"The last {zeros} rows of sensor values are zero: the file may be incomplete.",)
    return Mosaic(
        values, pattern.astype(np.uint8), black, white, neutral / neutral.max(),
        matrix if abs(np.linalg.det(matrix)) > 1e-9 else None,
        noise_of(np.array(profile[:2])) if isinstance(profile, tuple) and len(profile) >= 2 else None,
        info.orientation, info.exposure, info.metadata, notes,
    )  # fmt: skip


def zero_rows(values: np.ndarray) -> int:
    """How many rows at the end of (H, W) sensor values are zero; not all of them are."""
    return next(count for count, row in enumerate(values[::-1]) if row.any())


def smallest_tile(colours: np.ndarray) -> np.ndarray | None:
    """The colour filter array of (H, W) colour numbers: 2 x 2 or 6 x 6; None for others."""
    corner = colours[:48, :48]
    for size in (2, 6):
        tile = np.asarray(corner[:size, :size])
        whole = np.tile(tile, (-(-48 // size),) * 2)[: corner.shape[0], : corner.shape[1]]
        if np.array_equal(whole, corner):
            return tile
    return None


def levels_of(raw: Any, numbers: np.ndarray, tags: dict[int, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Codes of black and of clipping, float32, one for each site of the colour filter's pattern.

    numbers: LibRaw's colour numbers of these sites, (rows, columns) as the results are. tags: of the TIFF directory.
    """
    black = np.array(raw.black_level_per_channel, np.float32)[numbers]
    own, repeat = tags.get(BLACK_LEVEL), tags.get(BLACK_REPEAT)
    if isinstance(own, tuple) and isinstance(repeat, tuple) and len(own) == repeat[0] * repeat[1]:
        times = [side // one for side, one in zip(black.shape, repeat, strict=True)]
        if [side * count for side, count in zip(repeat, times, strict=True)] == list(black.shape):
            black = np.tile(np.reshape(own, repeat), times).astype(
                np.float32
            )  # LibRaw tells them by colour only
    white = np.full(black.shape, float(raw.white_level), np.float32)
    levels = raw.camera_white_level_per_channel
    if levels and min(levels) > black.max():
        white = np.minimum(white, np.array(levels, np.float32)[numbers])
    return black, white


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
    wanted = {DNG_VERSION, PHOTOMETRIC, SUB_DIRECTORIES, *DNG_TAGS, *SIDES, *PIECES, *PIECES.values()}
    tags = dict(directory(data, layout, layout.first, wanted))
    inner = tags.get(SUB_DIRECTORIES, ())
    starts = (inner if isinstance(inner, tuple) else (inner,))[:MAX_SUB_DIRECTORIES]
    return [tags, *(dict(directory(data, layout, at, wanted)) for at in starts if isinstance(at, int))]


def _check_end(data: Bytes) -> None:
    """Raise ValueError when strips or tiles of a file that is built like TIFF lie beyond its end or are too small."""
    found = _directories(data)
    is_dng = any(DNG_VERSION in tags for tags in found[:1])
    for tags in found:
        stored = 0
        for begins, sizes in PIECES.items():
            pieces = list(zip(_numbers(tags.get(begins)), _numbers(tags.get(sizes)), strict=False))
            stored += sum(size for _, size in pieces)
            if any(begin + size > len(data) for begin, size in pieces):
                raise ValueError(CUT_OFF)
        (width,), (height,) = (_numbers(tags.get(side, 0))[:1] or [0] for side in SIDES)
        if is_dng and tags.get(PHOTOMETRIC) == FILTER_ARRAY and stored * MAX_SITES_PER_BYTE < width * height:
            raise ValueError(CUT_OFF)


def _numbers(value: Any) -> list[int]:
    return [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, int)]


def exposure_with_makers(raw: Any, stated: Exposure) -> Exposure | None:
    """What the standard tags state; where they are silent, what LibRaw finds in the maker's own."""
    if stated.time_s and stated.iso and stated.f_number:
        return stated
    other = getattr(raw, "other", None)  # unpacks the sensor values
    facts = (getattr(other, name, None) for name in ("shutter_speed", "iso_speed", "aperture"))
    found = [number and float(f"{number:.7g}") for number in map(positive, facts)]
    exposure = Exposure(
        stated.time_s or found[0], stated.iso or found[1], stated.f_number or found[2], stated.bias_ev
    )
    return None if exposure == Exposure() else exposure


def _rawpy() -> Any:
    try:
        import rawpy
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading camera RAW needs 'rawpy', which", "raw") from error
    return rawpy


FORMAT = Format(recognise, probe, read)
