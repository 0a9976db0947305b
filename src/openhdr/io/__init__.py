"""Images from files and to files.

    image = read("photo.jpg")          # pixels, encoding, exposure, metadata, notes
    facts = probe("photo.jpg")         # the same facts without decoding pixels
    notes = write("image.exr", image)

A file is read by the one format whose signature (first bytes) it carries, whatever its name says. The
format of an output file is chosen by its extension. To add a format: one file like the others, one row here.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from openhdr.core.errors import FileError, MissingExtraError, RequestError
from openhdr.core.files import images_in as images_in
from openhdr.core.files import writable_file, write_whole
from openhdr.core.image import REC709, Chromaticities, Image
from openhdr.core.table import Row, Table
from openhdr.io import isolated
from openhdr.io.format import Format, ImageInfo, Source, WriteOptions, encoding, open_source, trailing_zeros
from openhdr.io.format import as_result as as_result
from openhdr.io.format import is_result as is_result
from openhdr.io.pixels import in_primaries

if TYPE_CHECKING:
    from openhdr.camera.mosaic import Mosaic

__all__ = [
    *("ENDINGS", "FORMATS", "FormatRow", "ImageInfo", "WriteOptions"),
    *(
        "check_output",
        "images_in",
        "may_hold_sensor_values",
        "probe",
        "read",
        "read_isolated",
        "read_mosaic",
        "row_by_extension",
        "stores_light",
        "takes_sdr",
        "write",
    ),
    "write_mosaic",
]


ZEROS_TO_SAY = 64  # bytes at the end of a file


@dataclass(frozen=True)
class FormatRow(Row):
    """A file format. extensions: lower case with dot; the first is the usual one. also: of another row, but not wrong.

    light: whether it keeps light of any brightness, and not only an image for an SDR screen.
    module: of the extra that encoding needs, too.
    gain_map: whether light is kept beside an SDR picture: never (""), "always", or "on request".
    options: which of those that a user can give (`openhdr.pipeline.pipeline_options`) change such a file; a gain map
        has its own.
    """

    extensions: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    writable: bool = True
    light: bool = False
    gain_map: str = ""
    module: str = ""
    options: tuple[str, ...] = ("primaries",)


FORMATS: Table[FormatRow] = Table(
    "file format",
    FormatRow(
        "jpeg",
        "8-bit photo; HDR by a gain map",
        "openhdr.io.jpeg:FORMAT",
        extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
        light=True,
        gain_map="always",
        options=("quality", "primaries", "white"),
    ),
    FormatRow(
        "png",
        "8 or 16-bit image, lossless; HDR as PQ or HLG",
        "openhdr.io.png:FORMAT",
        extensions=(".png",),
        light=True,
        options=("primaries", "white", "transfer"),
    ),
    FormatRow(
        "openexr",
        "linear HDR, half or float",
        "openhdr.io.exr:FORMAT",
        extensions=(".exr",),
        light=True,
        options=("primaries", "full_float", "compression"),
    ),
    FormatRow(
        "radiance",
        "linear HDR, shared exponent",
        "openhdr.io.radiance:FORMAT",
        extensions=(".hdr", ".pic"),
        light=True,
    ),
    FormatRow(
        "webp",
        "8-bit photo",
        "openhdr.io.webp:FORMAT",
        extensions=(".webp",),
        options=("quality", "primaries"),
    ),
    FormatRow(
        "avif",
        "8, 10 or 12-bit photo; HDR as PQ or HLG or by a gain map",
        "openhdr.io.avif:FORMAT",
        extensions=(".avif",),
        light=True,
        gain_map="on request",
        options=("quality", "primaries", "white", "gain_map", "transfer", "bits"),
    ),
    FormatRow(
        "heif",
        "8, 10 or 12-bit photo of a phone; HDR by a gain map, PQ or HLG",
        "openhdr.io.heif:FORMAT",
        extra="heif",
        module="pillow_heif",
        extensions=(".heic", ".heif", ".hif"),
        light=True,
        options=("quality", "primaries", "white", "transfer", "bits"),
    ),
    FormatRow(
        "jxl",
        "light as lossless floats, PQ or HLG; or 8 or 16-bit photo",
        "openhdr.io.jxl:FORMAT",
        extensions=(".jxl",),
        light=True,
        options=("quality", "primaries", "white", "transfer", "lossless"),
    ),
    FormatRow(  # before raw: of the DNG files, those that store light as floats
        "dng",
        "linear HDR, half or float, behind a colour filter array or not",
        "openhdr.io.dng:FORMAT",
        extensions=(".dng",),
        light=True,
        options=("primaries", "dng", "full_float"),
    ),
    FormatRow(  # before tiff: many camera formats are TIFF files
        "raw",
        "camera RAW, sensor values",
        "openhdr.io.raw:FORMAT",
        extensions=(
            *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".orf", ".rw2", ".raf"),
            *(".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".mrw", ".erf", ".mos", ".mef", ".kdc", ".dcr"),
        ),
        also=(".dng",),
        writable=False,
        light=True,
    ),
    FormatRow(
        "tiff", "8, 16 or 32-bit image", "openhdr.io.tiff:FORMAT", extensions=(".tif", ".tiff"), light=True
    ),
)

ENDINGS = frozenset(ending for row in FORMATS.values() for ending in row.extensions)
"""Of the names of all image files, lower case with dot."""


MOSAICS = {"dng": "openhdr.io.dng", "raw": "openhdr.io.raw"}
"""Formats that may hold sensor values, and the module with their `read_mosaic`."""


def read(
    path: str | Path, *, base: bool = False, primaries: Chromaticities | None = REC709, enough: int = 0
) -> Image:
    """The image in a file, upright, as (H, W, 3) RGB.

    Photos come as uint8 or uint16 code values with encoding `srgb`; HDR files, 32-bit float TIFF and camera
    RAW as float32, `linear`, finite, >= 0. So do photos with a gain map and PQ or HLG pictures: 1.0 = the white of an
    SDR screen. Whatever reading had to change is in `image.notes`.
    base: leave gain maps out, as the frames of a bracket want it: the photo as it was taken, in code values.
    primaries: of the pixels that are returned; None = as stored.
    enough: pixels of the longer side that will do, for previews; a format that gains by it (JPEG) returns a half,
    quarter or eighth of the size, not less than that. 0 = all.
    Raises FileError (missing, empty, truncated, damaged, too large, not an image) or MissingExtraError.

    >>> import numpy as np, openhdr
    >>> notes = openhdr.write("grey.exr", np.full((4, 6, 3), 0.18))
    >>> image = openhdr.read("grey.exr")
    >>> image.pixels.shape, image.encoding
    ((4, 6, 3), 'linear')
    """
    if isolated.wanted():
        return read_isolated(path, base=base, primaries=primaries, enough=enough)
    with _opened(path, base, enough) as (source, row, format):
        image = format.read(source).with_notes(*_misnamed(source.path, row), *_incomplete(source))
    return image if primaries is None else in_primaries(image, primaries)


def read_mosaic(path: str | Path) -> Mosaic | None:
    """The sensor values of a camera RAW or DNG file; None where a file holds a picture.

    Raises FileError or MissingExtraError like `read`.
    """
    with _opened(path) as (source, row, _):
        if row.name not in MOSAICS:
            return None
        module = importlib.import_module(MOSAICS[row.name])
        found: Mosaic | None = module.read_mosaic(source)
        return found and replace(found, notes=found.notes + _misnamed(source.path, row) + _incomplete(source))


def may_hold_sensor_values(path: str | Path) -> bool:
    """Whether the name's extension is one of camera RAW or DNG."""
    rows = [FORMATS[name] for name in MOSAICS]
    return Path(path).suffix.lower() in {extension for row in rows for extension in row.extensions}


def write_mosaic(path: str | Path, mosaic: Mosaic, options: WriteOptions | None = None) -> None:
    """Write sensor values as DNG: integer codes as they are, floats as half floats unless `options` say otherwise."""
    from openhdr.io.dng import encode_mosaic

    writable_file(path)
    with encoding(Path(path), "dng"):
        data, _ = encode_mosaic(mosaic, options or WriteOptions())
    write_whole(path, data)


def probe(path: str | Path) -> ImageInfo:
    """Size, sample type, exposure, orientation and metadata of a file; pixels are not decoded.

    Raises FileError or MissingExtraError like `read`; damage further in the file goes unseen.
    """
    if isolated.wanted():
        return isolated.call("probe", ImageInfo, path, {}, isolated.MEMORY_GB, isolated.SECONDS)
    with _opened(path) as (source, row, format):
        info = format.probe(source)
        return replace(info, notes=info.notes + _misnamed(source.path, row))


def read_isolated(
    path: str | Path,
    *,
    base: bool = False,
    primaries: Chromaticities | None = REC709,
    enough: int = 0,
    memory_gb: float = isolated.MEMORY_GB,
    seconds: float = isolated.SECONDS,
) -> Image:
    """As `read`, in a child process: a file that crashes its decoder or keeps it busy becomes a FileError.

    memory_gb: of memory that the child may take. seconds: that it may take. The environment variable OPENHDR_ISOLATE
    makes `read` and `probe` work so, and with them all that reads files.
    """
    options = {"base": base, "primaries": primaries, "enough": enough}
    return isolated.call("read", Image, path, options, memory_gb, seconds)


def write(path: str | Path, image: Image, options: WriteOptions | None = None) -> tuple[str, ...]:
    """Write an image in the format of the path's extension; the file appears whole or not at all.

    EXR, HDR and TIFF (from float) store linear light: `srgb` images are decoded with the sRGB curve.
    JPEG, WebP, AVIF (8 bits) and PNG, TIFF (8 bits from uint8, else 16) store sRGB code values: `linear`
    images are encoded with the sRGB curve; `srgb` code values are stored as they are. Light above
    1.0 is kept by JPEG as a gain map (up to `options.white`), and clipped by WebP.
    Exposure and metadata are kept. Returns notes: what the format could not keep, one sentence each.
    Raises FileError.
    """
    path = Path(path)
    row = row_by_extension(path)
    writable_file(path)
    with encoding(path, row.name):
        data, notes = row.load().encode(image, options or WriteOptions())
    write_whole(path, data)
    return notes


def check_output(path: str | Path) -> None:
    """Raise FileError when the extension names no format that can be written, or the file must not change.

    Raises MissingExtraError when the format's extra is not installed.
    """
    row = row_by_extension(Path(path))
    if row.module and importlib.util.find_spec(row.module) is None:
        raise MissingExtraError(f"'{Path(path).suffix}' needs '{row.module}', which", row.extra)
    writable_file(path)


def stores_light(path: str | Path) -> bool:
    """Whether a file of this extension keeps light above 1.0. Raises FileError as `check_output` does."""
    return row_by_extension(Path(path)).light


def takes_sdr(path: str | Path, options: WriteOptions) -> bool:
    """Whether such a file keeps light beside an SDR image. Raises FileError as `check_output` does."""
    kind = row_by_extension(Path(path)).gain_map
    return kind == "always" or (kind == "on request" and options.gain_map)


@contextmanager
def _opened(
    path: str | Path, base: bool = False, enough: int = 0
) -> Iterator[tuple[Source, FormatRow, Format]]:
    with open_source(Path(path), base, enough) as source:
        row = _row_by_signature(source)
        try:
            yield source, row, row.load()
        except RequestError as error:  # of an Image that cannot be
            raise FileError(source.path, f"cannot be used ({error})") from error


def _row_by_signature(source: Source) -> FormatRow:
    for row in FORMATS.values():
        if row.load().recognise(source.data):
            return row
    raise FileError(
        source.path, "is not an image that openhdr knows", f"expected one of {', '.join(FORMATS)}"
    )


def row_by_extension(path: Path) -> FormatRow:
    """The format that a file of this name is written in. Raises FileError where it names none."""
    for row in FORMATS.values():
        if row.writable and path.suffix.lower() in row.extensions:
            return row
    known = [row.extensions[0] for row in FORMATS.values() if row.writable]
    found = f"extension '{path.suffix}'" if path.suffix else "no extension"
    raise FileError(path, f"has {found}, which names no format to write", f"use one of {', '.join(known)}")


def _incomplete(source: Source) -> tuple[str, ...]:
    """A note when the file ends in zeros. Where no pixels can be zeros, reading has refused it already."""
    zeros = trailing_zeros(source.data)
    if zeros < ZEROS_TO_SAY:
        return ()
    return (
        f"The last {zeros} of {len(source.data)} bytes are zero: black, or an incomplete copy of the file.",
    )


def _misnamed(path: Path, row: FormatRow) -> tuple[str, ...]:
    """A note when the extension belongs to another format than the content."""
    suffix = path.suffix.lower()
    if suffix in (*row.extensions, *row.also) or not any(
        suffix in other.extensions for other in FORMATS.values()
    ):
        return ()
    return (f"The name ends in {suffix}, but the content is {row.name}; it was read as {row.name}.",)
