"""DNG with floating-point light: behind a colour filter array or as a picture. Integer DNG is read as camera RAW.

Layout: a small JPEG and all facts in the first directory, the light in a sub-directory, as Adobe's converter lays files
out. The white level is where the reference clips; brighter light lies above it. Specification: Digital Negative 1.7.1.
"""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from openhdr.camera.demosaic import develop
from openhdr.camera.mosaic import Mosaic, camera_to_rgb
from openhdr.camera.noise import NoiseModel
from openhdr.color.primaries import to_xyz
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.io.containers.tiff_directory import Layout, directory, tiff_layout
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
    BIAS,
    DNG_VERSION,
    EXIF_DIRECTORY,
    ORIENTATION,
    PHOTOMETRIC,
    SUB_DIRECTORIES,
    exposure_of,
    metadata_of,
    number_tags,
    orientation_of,
    read_tags,
    text_tags,
)
from openhdr.io.pixels import clean, linear_values, orient

CFA, LINEAR_RAW = 32803, 34892
SAMPLE_FORMAT, FLOAT = 339, 3
BLACK_LEVEL, WHITE_LEVEL, NOISE_PROFILE = 50714, 50717, 51041
WANTED = {
    *(DNG_VERSION, PHOTOMETRIC, SUB_DIRECTORIES, SAMPLE_FORMAT, BLACK_LEVEL, WHITE_LEVEL, NOISE_PROFILE),
    *(254, 256, 257, 258, 277, 33421, 33422, 50721, 50728),
}
MAX_SUB_DIRECTORIES = 8
BYTES_PER_PIXEL = 30  # of memory: values, colours, logarithms
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SIGNED_RATIONAL, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 12
PREVIEW_SIDE = 1024  # pixels of its longer side
TILE = 256
D65 = 21  # the illuminant's number in EXIF
PLACE_OF_EXIF = (
    34664  # stands where the EXIF directory's number will: tifffile writes that itself or not at all
)
HIGHEST, LEAST_WHITE = (
    32000,
    64,
)  # LibRaw makes whole numbers of floats, and scales files with higher ones anew
DENOMINATOR = 1_000_000

Tag = tuple[int, int, int, Any, bool]


def recognise(data: Bytes) -> bool:
    """A DNG whose light is stored as floats."""
    return bool(np.any(np.equal(_light_directory(data).get(SAMPLE_FORMAT, 0), FLOAT)))


def _light_directory(data: Bytes) -> dict[int, Any]:
    """The tags of the directory that holds the light, with the first directory's; empty where the file is no DNG."""
    layout = tiff_layout(data)
    if layout is None:
        return {}
    first = dict(directory(data, layout, layout.first, WANTED))
    if DNG_VERSION not in first:
        return {}
    inner = first.get(SUB_DIRECTORIES, ())
    starts = (inner if isinstance(inner, tuple) else (inner,))[:MAX_SUB_DIRECTORIES]
    every = [first, *(dict(directory(data, layout, at, WANTED)) for at in starts if isinstance(at, int))]
    return next(
        (first | one for one in every if one.get(254, 0) == 0 and one.get(PHOTOMETRIC) in (CFA, LINEAR_RAW)),
        {},
    )


def probe(source: Source) -> ImageInfo:
    """Facts from the directories."""
    with decoding(source, "DNG"):
        facts = _light_directory(source.data)
        width, height, channels = (int(facts.get(tag, 1)) for tag in (256, 257, 277))
        check_size(source, width, height, BYTES_PER_PIXEL)
        tags = read_tags(source.data)
        if orientation_of(tags) > 4:
            width, height = height, width
        bits = np.atleast_1d(facts[258])[0]
        return ImageInfo(
            source.path, "dng", width, height, channels, int(bits), "float", "linear", orientation_of(tags),
            exposure_of(tags), metadata_of(tags),
        )  # fmt: skip


def read(source: Source) -> Image:
    """float32, linear Rec.709, 1.0 = the white level, brighter light above it."""
    info = probe(source)
    with decoding(source, "DNG"):
        facts, values = _light(source)
        if facts[PHOTOMETRIC] == CFA:
            pixels = develop(_mosaic(source, info, facts, values))
        else:
            neutral = _numbers(facts.get(50728), 3, np.ones(3))
            balanced = np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values[..., :3]
            balanced = balanced * (neutral.max() / neutral).astype(np.float32)
            matrix = _numbers(facts.get(50721), 9, None) if values.ndim == 3 else None
            to_rgb = camera_to_rgb(neutral, None if matrix is None else matrix.reshape(3, 3))
            pixels = np.maximum(cv2.transform(balanced, to_rgb), 0)
        pixels, notes = clean(orient(pixels, info.orientation))
    return Image(pixels, "linear", info.exposure, info.metadata, info.notes + notes)


def read_mosaic(source: Source) -> Mosaic | None:
    """The sensor's light; None where it is a picture already."""
    info = probe(source)
    with decoding(source, "DNG"):
        facts, values = _light(source)
        return _mosaic(source, info, facts, values) if facts[PHOTOMETRIC] == CFA else None


def _light(source: Source) -> tuple[dict[int, Any], np.ndarray]:
    """The tags, and (H, W) or (H, W, C) float32 with black at 0 and white at 1."""
    import tifffile

    logging.getLogger("tifffile").addHandler(
        logging.NullHandler()
    )  # what matters of damaged tags also raises
    facts = _light_directory(source.data)
    source.data.seek(0)
    with tifffile.TiffFile(source.data) as file:
        first = file.pages.first
        pages = [first, *(first.pages or ())]
        page = next(one for one in pages if one.photometric in (CFA, LINEAR_RAW))
        check_segments(source, page)
        values = page.asarray(maxworkers=2).astype(np.float32)
    white = float(_numbers(facts.get(WHITE_LEVEL), 1, np.ones(1))[0])
    black = float(_numbers(facts.get(BLACK_LEVEL), 1, np.zeros(1))[0])
    if not 0 <= black < white:
        raise ValueError(f"the white level {white:g} is not above the black level {black:g}")
    values -= np.float32(black)
    values /= np.float32(white - black)
    return facts, np.nan_to_num(values, copy=False, posinf=0)


def _mosaic(source: Source, info: ImageInfo, facts: dict[int, Any], values: np.ndarray) -> Mosaic:
    rows, columns = (int(side) for side in facts[33421])
    pattern = np.frombuffer(bytes(np.atleast_1d(facts[33422]).astype(np.uint8)), np.uint8).reshape(
        rows, columns
    )
    matrix = _numbers(facts.get(50721), 9, None)
    noise = _numbers(facts.get(NOISE_PROFILE), 2, None)
    return Mosaic(
        values, pattern, np.zeros(pattern.shape), np.ones(pattern.shape), _numbers(facts.get(50728), 3, np.ones(3)),
        None if matrix is None else matrix.reshape(3, 3), None if noise is None else noise_of(noise),
        info.orientation, info.exposure, info.metadata, info.notes,
    )  # fmt: skip


def noise_of(profile: np.ndarray) -> NoiseModel:
    """The first plane of a NoiseProfile, (S, O, ...) float64: variance = S x + O, x = 1 at the white level."""
    return NoiseModel(max(float(profile[0]), 1e-9), max(float(profile[1]), 0.0) ** 0.5)


def _numbers(value: Any, least: int, otherwise: Any) -> Any:
    """The first numbers of a tag as float64."""
    found = np.atleast_1d(value if value is not None else ())
    return found[:least].astype(np.float64) if len(found) >= least else otherwise


def encode_mosaic(mosaic: Mosaic, options: WriteOptions) -> Encoded:
    """The sensor's light as it is, or demosaiced (`dng_linear`); white balance and matrix beside it."""
    rows = slice(0, mosaic.shape[0])
    linear = options.dng_linear and not mosaic.monochrome
    floats = mosaic.values.dtype == np.float32 or linear
    preview = _preview(develop(mosaic))
    image = Image(np.zeros((1, 1, 3), np.float32), "linear", mosaic.exposure, mosaic.metadata)
    main = _main_tags(image, mosaic.neutral, mosaic.matrix, mosaic.orientation, floats)
    if mosaic.noise:
        planes = 1 if mosaic.monochrome else 3
        main.append(
            (NOISE_PROFILE, DOUBLE, 2 * planes, [mosaic.noise.shot, mosaic.noise.read**2] * planes, True)
        )
    values: np.ndarray = mosaic.values
    levels: list[Tag] = [(WHITE_LEVEL, LONG, 1, round(float(mosaic.white.min())), True)]
    if linear:  # in the camera's colours, so that editors treat it like the camera's own files
        values, levels = _stored(develop(replace(mosaic, matrix=None)) / mosaic.gains, options)
    elif floats:
        values, levels = _stored(mosaic.light(rows), options)
    elif mosaic.black.any():
        black = [round(float(code)) for code in mosaic.black.ravel()]  # RawTherapee reads no fractions
        levels += [(50713, SHORT, 2, mosaic.black.shape, True), (BLACK_LEVEL, SHORT, len(black), black, True)]
    array: list[Tag] = [
        (33421, SHORT, 2, mosaic.pattern.shape, True),
        (33422, BYTE, mosaic.pattern.size, mosaic.pattern.tobytes(), True),
        (50710, BYTE, 3, bytes((0, 1, 2)), True),
        (50711, SHORT, 1, 1, True),
    ]
    demosaiced = linear or mosaic.monochrome
    photometric, more = (LINEAR_RAW, levels) if demosaiced else (CFA, levels + array)
    return _file(preview, main, values, photometric, more, image), ()


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Light in the primaries of `options`, as a picture that needs no demosaicing."""
    pixels, notes = linear_values(image, options.primaries)
    matrix = np.linalg.inv(to_xyz(options.primaries))
    main = _main_tags(image, np.ones(3), matrix, 1, floats=True)
    values, levels = _stored(pixels, options)
    return _file(_preview(linear_values(image)[0]), main, values, LINEAR_RAW, levels, image), notes


def _stored(light: np.ndarray, options: WriteOptions) -> tuple[np.ndarray, list[Tag]]:
    """Light as floats on the file's scale, and its white level: all stays within what LibRaw takes as it is."""
    white = max(HIGHEST // max(float(light.max()), 1.0), LEAST_WHITE)
    scaled = np.maximum(light, 0) * np.float32(white)
    if options.dng_half:
        scaled = np.minimum(scaled, np.finfo(np.float16).max).astype(np.float16)
    return scaled, [(WHITE_LEVEL, LONG, 1, int(white), True)]


def _preview(light: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, as the reference photo shows it."""
    scale = min(PREVIEW_SIDE / max(light.shape[:2]), 1)
    size = (max(round(light.shape[1] * scale), 1), max(round(light.shape[0] * scale), 1))
    small = cv2.resize(np.clip(light, 0, 1), size, interpolation=cv2.INTER_AREA)
    return np.rint(srgb_encode(small) * 255).astype(np.uint8)


def _main_tags(
    image: Image, neutral: np.ndarray, matrix: np.ndarray | None, orientation: int, floats: bool
) -> list[Tag]:
    make, model = (str(image.metadata.get(name) or "") for name in ("make", "model"))
    backward = bytes((1, 4, 0, 0)) if floats else bytes((1, 1, 0, 0))
    matrix = np.linalg.inv(to_xyz(image.primaries)) if matrix is None else matrix
    tags: list[Tag] = [
        (ORIENTATION, SHORT, 1, orientation, True),
        (DNG_VERSION, BYTE, 4, bytes((1, 4, 0, 0)), True),
        (50707, BYTE, 4, backward, True),
        (50708, ASCII, 0, f"{make} {model}".strip() or SOFTWARE, True),
        (50721, SIGNED_RATIONAL, 9, _rationals(matrix.ravel(), DENOMINATOR), True),
        (50728, RATIONAL, 3, _rationals(neutral / neutral.max(), DENOMINATOR), True),
        (50730, SIGNED_RATIONAL, 1, (0, 1), True),
        (50778, SHORT, 1, D65, True),
        (PLACE_OF_EXIF, LONG, 1, 0, True),
    ]
    texts = {tag: text for tag, text in text_tags(image).items() if tag < 0x9000 and tag != 305}
    return tags + [(tag, ASCII, 0, text, True) for tag, text in texts.items()]


def _rationals(values: Any, denominator: int) -> tuple[int, ...]:
    return tuple(part for value in values for part in (round(float(value) * denominator), denominator))


def _file(
    preview: np.ndarray, main: list[Tag], light: np.ndarray, photometric: int, more: list[Tag], image: Image
) -> memoryview:
    import tifffile

    file = io.BytesIO()
    floats = light.dtype.kind == "f"
    # RawTherapee takes whole numbers in strips only, and floats that are compressed in tiles only
    pieces: dict[str, Any] = (
        {"tile": (TILE, TILE), "compression": "zlib", "predictor": True}
        if floats
        else {"rowsperstrip": len(light)}
    )
    grey = (
        photometric == LINEAR_RAW and light.ndim == 2
    )  # of a monochrome sensor: tifffile wants three samples
    with tifffile.TiffWriter(file, byteorder="<") as writer:
        writer.write(
            preview, photometric="rgb", compression="jpeg", compressionargs={"level": 90},
            rowsperstrip=preview.shape[0], subfiletype=1, subifds=1, metadata=None, extratags=main,
            software=SOFTWARE if floats else False,  # whole numbers are a sensor's: such a file stands for a photo
        )  # fmt: skip
        writer.write(
            light,
            photometric="minisblack" if grey else photometric,
            planarconfig="contig" if light.ndim == 3 else None,
            subfiletype=0,
            software=False,
            metadata=None,
            extratags=more,
            **pieces,
        )
    first = 8  # where tifffile begins
    exif = append_directory(file, _exif_entries(image))
    _replace_entry(file, first, PLACE_OF_EXIF, struct.pack("<HHII", EXIF_DIRECTORY, LONG, 1, exif))
    if grey:
        inner = dict(directory(file.getvalue(), Layout("<", False, first), first, (SUB_DIRECTORIES,)))[
            SUB_DIRECTORIES
        ]
        _replace_entry(file, inner, PHOTOMETRIC, struct.pack("<HHII", PHOTOMETRIC, SHORT, 1, LINEAR_RAW))
    return file.getbuffer()


def _exif_entries(image: Image) -> list[tuple[int, int, int, bytes]]:
    """(tag, type, count, value) of the EXIF directory, in ascending order."""
    entries: list[tuple[int, int, int, bytes]] = []
    for tag, text in text_tags(image).items():
        coded = text.encode("ascii", "replace") + b"\0"
        if tag >= 0x9000:
            entries.append((tag, ASCII, len(coded), coded))
    for tag, value in number_tags(image).items():
        if isinstance(value, int):
            entries.append((tag, LONG, 1, struct.pack("<I", value)))
        else:
            ratio = Fraction(value).limit_denominator(DENOMINATOR)
            kind = SIGNED_RATIONAL if tag == BIAS else RATIONAL
            form = "<iI" if tag == BIAS else "<II"
            entries.append((tag, kind, 1, struct.pack(form, ratio.numerator, ratio.denominator)))
    return sorted(entries)


def append_directory(file: io.BytesIO, entries: list[tuple[int, int, int, bytes]]) -> int:
    """A directory at the end of the file, and where it begins."""
    start = file.seek(0, io.SEEK_END)
    start += start % 2
    body, behind = struct.pack("<H", len(entries)), b""
    end = start + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", end + len(behind))
        behind += value.ljust(len(value) + len(value) % 2, b"\0") if len(value) > 4 else b""
        body += struct.pack("<HHI", tag, kind, count) + place
    file.seek(start)
    file.write(body + bytes(4) + behind)
    return start


def _replace_entry(file: io.BytesIO, start: int, tag: int, entry: bytes) -> None:
    """Put another entry in the place of one, in the directory at `start`."""
    file.seek(start)
    (count,) = struct.unpack("<H", file.read(2))
    for place in range(start + 2, start + 2 + 12 * count, 12):
        file.seek(place)
        if struct.unpack("<H", file.read(2))[0] == tag:
            file.seek(place)
            file.write(entry)


FORMAT = Format(recognise, probe, read, encode)
