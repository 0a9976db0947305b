"""Images and sensor values -> files, in the format that the name's extension says; whole or not at all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from openhdr.core.errors import MissingExtraError
from openhdr.core.files import writable_file, write_whole
from openhdr.core.image import Image
from openhdr.io.file_formats import row_by_extension
from openhdr.io.format import WriteOptions, encoding

if TYPE_CHECKING:
    from openhdr.camera.mosaic import Mosaic


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


def write_mosaic(path: str | Path, mosaic: Mosaic, options: WriteOptions | None = None) -> None:
    """Write sensor values as DNG: integer codes as they are, floats as half floats unless `options` say otherwise."""
    from openhdr.io.dng import encode_mosaic

    writable_file(path)
    with encoding(Path(path), "dng"):
        data, _ = encode_mosaic(mosaic, options or WriteOptions())
    write_whole(path, data)


def check_output(path: str | Path) -> None:
    """Raise FileError when the extension names no format that can be written, or the file must not change.

    Raises MissingExtraError when the format's extra is not installed.
    """
    row = row_by_extension(Path(path))
    if row.module and importlib.util.find_spec(row.module) is None:
        raise MissingExtraError(f"'{Path(path).suffix}' needs '{row.module}', which", row.extra)
    writable_file(path)
