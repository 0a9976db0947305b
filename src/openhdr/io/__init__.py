"""Images from files and to files.

    image = read("photo.jpg")          # pixels, encoding, exposure, metadata, notes
    facts = probe("photo.jpg")         # the same facts without decoding pixels
    notes = write("image.exr", image)

A file is read by the one format whose signature (first bytes) it carries, whatever its name says. The
format of an output file is chosen by its extension. To add a format: one file like the others, one row in
`file_formats`.
"""

from __future__ import annotations

from openhdr.core.files import images_in
from openhdr.io.file_formats import (
    ENDINGS,
    FORMATS,
    OF_GAIN_MAPS,
    FormatRow,
    may_hold_sensor_values,
    row_by_extension,
    stores_light,
    takes_sdr,
)
from openhdr.io.format import ImageInfo, WriteOptions, as_result, is_result
from openhdr.io.reading import probe, read, read_isolated, read_mosaic
from openhdr.io.writing import check_output, write, write_mosaic

__all__ = [
    "ENDINGS",
    "FORMATS",
    "OF_GAIN_MAPS",
    "FormatRow",
    "ImageInfo",
    "WriteOptions",
    "as_result",
    "check_output",
    "images_in",
    "is_result",
    "may_hold_sensor_values",
    "probe",
    "read",
    "read_isolated",
    "read_mosaic",
    "row_by_extension",
    "stores_light",
    "takes_sdr",
    "write",
    "write_mosaic",
]
