"""Light -> a file: tone-mapped first where the format keeps an SDR picture beside the light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import io
from openhdr.color.primaries import named
from openhdr.core.errors import FileError
from openhdr.core.image import Image
from openhdr.io.metadata.cicp import REFERENCE_WHITE
from openhdr.io.pixels import in_primaries
from openhdr.io.screen import beyond_white
from openhdr.pipeline.pipeline_options import DeliveryOptions
from openhdr.tonemapping import tonemap


def write(
    path: str | Path,
    image: Image | np.ndarray,
    options: io.WriteOptions | None = None,
    operator: str | None = None,
) -> tuple[str, ...]:
    """Write an image in the format of the path's extension; what it could not keep is returned, one sentence each.

    Light above `options.white` is delivered as HDR: JPEG gets a gain map beside the SDR picture that `operator` makes
    (`options.sdr`, where given, is used instead). An (H, W, 3) array is taken as linear light if it is float, as sRGB
    code values if it is uint8 or uint16. See `io.write`. Raises FileError or RequestError.

    >>> import numpy as np, openhdr
    >>> openhdr.write("grey.exr", np.full((4, 6, 3), 0.18))
    ()
    """
    if not isinstance(image, Image):
        pixels = image.astype(np.float32) if image.dtype.kind == "f" else image
        image = Image(pixels, "linear" if pixels.dtype == np.float32 else "srgb")
    options = options or io.WriteOptions()
    if io.takes_sdr(path, options) and options.sdr is None and beyond_white(image, options):
        image = in_primaries(image, options.primaries)
        options = replace(options, sdr=tonemap(image, operator, dtype="uint8"))
    return io.write(path, image, options)


def write_result(
    path: str | Path, image: Image, options: io.WriteOptions | None = None, operator: str | None = None
) -> tuple[str, ...]:
    """`write` of what was merged or expanded: a photo is tone-mapped even where it needs no gain map.

    Light that nowhere exceeds white may still be dark: of a short reference, say.
    """
    options = options or io.WriteOptions()
    if image.encoding == "linear" and io.takes_sdr(path, options) and not beyond_white(image, options):
        image = tonemap(in_primaries(image, options.primaries), operator, dtype="uint8")
    return write(path, image, options, operator)


def write_preview(path: str | Path, image: Image, operator: str | None = None) -> tuple[str, ...]:
    """Write a picture to look at: tone-mapped, and in a format with gain maps HDR where the screen is.

    image: linear light, or codes that are ready for a screen.
    """
    if image.encoding == "linear" and not io.takes_sdr(path, io.WriteOptions()):
        image = tonemap(image, operator, dtype="uint8")
    if image.encoding == "srgb" and image.pixels.dtype == np.float32:
        image = image.with_pixels(np.rint(image.pixels * np.float32(255)).astype(np.uint8))
    return write_result(path, image, operator=operator)


def storage(asked: DeliveryOptions, image: Image) -> io.WriteOptions:
    """What is asked for as the options of `write`. Raises RequestError, FileError."""
    quality: dict[str, Any] = (
        {}
        if asked.quality is None
        else dict.fromkeys(("jpeg_quality", "webp_quality", "avif_quality", "jxl_quality"), asked.quality)
    )
    in_nits = image.metadata.get("white_luminance") == 1.0
    white = asked.white or (REFERENCE_WHITE if in_nits and image.encoding == "linear" else 1.0)
    half = not asked.full_float
    return io.WriteOptions(
        **quality, primaries=named(asked.primaries), white=white, headroom=asked.headroom,
        sdr=_own_sdr(asked.sdr, image) if asked.sdr else None, map_quality=asked.map_quality,
        map_scale=asked.map_scale, gain_map=asked.gain_map, transfer=asked.transfer, avif_bits=asked.bits,
        lossless=asked.lossless, exr_half=half, exr_compression=asked.compression, dng_half=half,
        dng_linear=asked.dng == "linear",
    )  # fmt: skip


def _own_sdr(path: Path, image: Image) -> Image:
    """The user's SDR picture. Raises FileError when it does not fit."""
    sdr = io.read(path, base=True)
    if sdr.encoding != "srgb":
        raise FileError(path, "holds HDR light", "`sdr` takes an ordinary picture, such as a JPEG")
    if sdr.pixels.shape != image.pixels.shape:
        size = f"{image.width}x{image.height}"
        raise FileError(
            path, f"is {sdr.width}x{sdr.height}, but the HDR image {size}", "export it at that size"
        )
    return sdr
