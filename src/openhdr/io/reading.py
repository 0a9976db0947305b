"""Files -> images, facts and sensor values, by the one format whose signature a file carries."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import REC709, Chromaticities, Image
from openhdr.io import isolated
from openhdr.io.file_formats import FORMATS, MOSAICS, FormatRow
from openhdr.io.format import Format, ImageInfo, Source, open_source, trailing_zeros
from openhdr.io.pixels import in_primaries

if TYPE_CHECKING:
    from openhdr.camera.mosaic import Mosaic

ZEROS_TO_SAY = 64  # bytes at the end of a file


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


@contextmanager
def _opened(
    path: str | Path, base: bool = False, enough: int = 0
) -> Iterator[tuple[Source, FormatRow, Format]]:
    """The file, and the first format of the table that recognises it."""
    with open_source(Path(path), base, enough) as source:
        row = next((row for row in FORMATS.values() if row.load().recognise(source.data)), None)
        if row is None:
            raise FileError(
                source.path, "is not an image that openhdr knows", f"expected one of {', '.join(FORMATS)}"
            )
        try:
            yield source, row, row.load()
        except RequestError as error:  # of an Image that cannot be
            raise FileError(source.path, f"cannot be used ({error})") from error


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
