"""Light -> a file: tone-mapped first where the format keeps an SDR picture beside the light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.core.image import Image
from openhdr.io.pixels import in_primaries
from openhdr.io.screen import beyond_white
from openhdr.tonemapping import tonemap


def write(
    path: str | Path, image: Image, options: io.WriteOptions | None = None, operator: str | None = None
) -> tuple[str, ...]:
    """Write a picture in the format of the path's extension; what it could not keep is returned, one sentence each.

    Light above `options.white` is delivered as HDR: JPEG gets a gain map beside the SDR picture that `operator` makes
    (`options.sdr`, where given, is used instead). See `io.write`. Raises FileError or RequestError.
    """
    options = options or io.WriteOptions()
    if io.takes_sdr(path, options) and options.sdr is None and beyond_white(image, options):
        image = in_primaries(image, options.primaries)
        options = replace(options, sdr=tonemap(image, operator, dtype="uint8"))
    return io.write(path, image, options)


def write_preview(path: str | Path, image: Image, operator: str | None = None) -> tuple[str, ...]:
    """Write a picture to look at: tone-mapped, and in a format with gain maps HDR where the screen is.

    image: linear light, or codes that are ready for a screen.
    """
    if image.encoding == "linear" and not io.takes_sdr(path, io.WriteOptions()):
        image = tonemap(image, operator)
    if image.encoding == "srgb" and image.pixels.dtype == np.float32:
        image = image.with_pixels(np.rint(image.pixels * np.float32(255)).astype(np.uint8))
    return write(path, image, operator=operator)
