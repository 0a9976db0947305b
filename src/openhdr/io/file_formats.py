"""The table of file formats, and what the name of a file says of the one that it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openhdr.core.errors import FileError
from openhdr.core.table import Row, Table
from openhdr.io.format import WriteOptions


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


OF_GAIN_MAPS = ("headroom", "sdr", "map_quality", "map_scale", "operator")
"""The options that change a file with a gain map, beside those of its row."""

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


def row_by_extension(path: Path) -> FormatRow:
    """The format that a file of this name is written in. Raises FileError where it names none."""
    for row in FORMATS.values():
        if row.writable and path.suffix.lower() in row.extensions:
            return row
    known = [row.extensions[0] for row in FORMATS.values() if row.writable]
    found = f"extension '{path.suffix}'" if path.suffix else "no extension"
    raise FileError(path, f"has {found}, which names no format to write", f"use one of {', '.join(known)}")


def stores_light(path: str | Path) -> bool:
    """Whether a file of this extension keeps light above 1.0. Raises FileError as `check_output` does."""
    return row_by_extension(Path(path)).light


def takes_sdr(path: str | Path, options: WriteOptions) -> bool:
    """Whether such a file keeps light beside an SDR image. Raises FileError as `check_output` does."""
    kind = row_by_extension(Path(path)).gain_map
    return kind == "always" or (kind == "on request" and options.gain_map)


def may_hold_sensor_values(path: str | Path) -> bool:
    """Whether the name's extension is one of camera RAW or DNG."""
    rows = [FORMATS[name] for name in MOSAICS]
    return Path(path).suffix.lower() in {extension for row in rows for extension in row.extensions}
