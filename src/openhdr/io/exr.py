"""OpenEXR: linear light as half or float, with named channels and camera facts.

What is read: R, G, B; or Y with chroma RY, BY at half resolution; or Y alone; of the image without a layer
name, else of the left view, else of the first layer that has them. Names of attributes: OpenEXR standard
attributes. The decoder is the OpenEXR package (its module is not this one).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from openhdr.color.primaries import REC709, Chromaticities, chromaticities, to_xyz
from openhdr.core.errors import FileError, unknown_name
from openhdr.core.image import Exposure, Image
from openhdr.core.threads import cores
from openhdr.io.containers.exr_header import PartHeader, part_headers
from openhdr.io.format import (
    SOFTWARE,
    Bytes,
    Encoded,
    Format,
    ImageInfo,
    Source,
    WriteOptions,
    check_memory,
    check_size,
    decoding,
    quiet,
)
from openhdr.io.metadata.exif import positive
from openhdr.io.pixels import by_rows, clean, linear_values

HALF_MAX = 65504.0
COMPRESSIONS = ("none", "rle", "zips", "zip", "piz", "pxr24", "dwaa", "dwab")
CHANNEL_SETS = (("R", "G", "B"), ("Y", "RY", "BY"), ("Y",))
# EXR attribute -> metadata name
TEXTS = {"cameraMake": "make", "cameraModel": "model", "lensModel": "lens", "capDate": "date",
         "owner": "owner", "artist": "artist", "copyright": "copyright", "comments": "comments",
         "software": "software"}  # fmt: skip
NUMBERS = {"nominalFocalLength": "focal_length", "latitude": "latitude", "longitude": "longitude",
           "altitude": "altitude"}  # fmt: skip
PART_LIMIT = 256


def recognise(data: Bytes) -> bool:
    """The magic number 20000630, little endian."""
    return data[:4] == b"\x76\x2f\x31\x01"


def probe(source: Source) -> ImageInfo:
    """Facts from the header of the part that `read` takes."""
    with decoding(source, "OpenEXR"):
        parts = part_headers(source.data)
        chosen = _choose(source, _opened(source, header_only=True), parts)
        header = chosen.part.header
        width, height = _size(source, header["displayWindow"])
        bits = 8 * parts[chosen.index].sample_bytes[chosen.names[0]]
        return ImageInfo(
            source.path, "openexr", width, height, len(header["channels"]), bits, "float", "linear",
            exposure=_exposure(header), metadata=_metadata(header), notes=_notes(chosen),
            primaries=chromaticities(header.get("chromaticities", REC709)),
        )  # fmt: skip


def read(source: Source) -> Image:
    """float32, linear, Rec.709, the display window."""
    with decoding(source, "OpenEXR"):
        parts = part_headers(source.data)
        declared = _opened(source, header_only=True)
        _choose(source, declared, parts)
        file = _opened(source, header_only=False)
        if len(file.parts) != len(declared.parts):  # the decoder leaves out parts that it cannot decode
            raise ValueError("the pixels are cut off or corrupt")
        chosen = _choose(source, file, parts)
        header = chosen.part.header
        primaries = header.get("chromaticities", REC709)
        to_xyz(primaries)  # refuses impossible ones
        pixels = _on_display(source, _rgb(chosen, primaries), header)
        image = Image(
            pixels,
            "linear",
            _exposure(header),
            _metadata(header),
            _notes(chosen),
            chromaticities(primaries),
        )
    pixels, changed = clean(image.pixels)
    return image.with_pixels(pixels).with_notes(*changed)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Half floats, or floats where asked for or where half cannot hold the brightest value."""
    import OpenEXR

    pixels, notes = linear_values(image, options.primaries)
    half = options.exr_half
    if half and pixels.max() > HALF_MAX:
        half = False
        notes += (f"Values above {HALF_MAX:g}, the half-float maximum: stored as 32-bit floats.",)
    if options.exr_compression not in COMPRESSIONS:
        raise unknown_name("EXR compression", options.exr_compression, COMPRESSIONS)
    header = {
        "compression": getattr(
            OpenEXR, f"{options.exr_compression.upper()}_COMPRESSION".replace("NONE", "NO")
        ),
        "type": OpenEXR.scanlineimage,
        **_attributes(image, options.primaries),
    }
    stored = np.ascontiguousarray(pixels)
    if half:
        stored = by_rows(pixels, _halves, np.float16)
    file = io.BytesIO()
    OpenEXR.set_global_thread_count(cores())
    try:
        OpenEXR.File(header, {"RGB": stored}).write(file)
    finally:
        OpenEXR.set_global_thread_count(0)  # its threads would not live on in a forked process
    return file.getbuffer(), notes


def _halves(rows: np.ndarray) -> np.ndarray:
    """float32 -> float16, many at a time, where NumPy makes one by one. OpenCV has no plain conversion; this is one."""
    import cv2

    return cv2.addWeighted(rows, 1, rows, 0, 0, dtype=cv2.CV_16F)


def _attributes(image: Image, primaries: Chromaticities) -> dict[str, Any]:
    """Standard attributes that say what the values mean and how the image was taken."""
    exposure = image.exposure or Exposure()
    numbers = {
        "expTime": exposure.time_s,
        "isoSpeed": exposure.iso,
        "aperture": exposure.f_number,
        "whiteLuminance": positive(image.metadata.get("white_luminance")),
    }
    places = {name: image.metadata.get(key) for name, key in NUMBERS.items()}
    numbers |= {name: value for name, value in places.items() if isinstance(value, float)}
    texts = {name: image.metadata.get(key) for name, key in TEXTS.items()} | {"software": SOFTWARE}
    return (
        {"chromaticities": primaries}
        | {name: float(value) for name, value in numbers.items() if value is not None}
        | {name: value for name, value in texts.items() if isinstance(value, str) and value}
    )


def _opened(source: Source, header_only: bool) -> Any:
    import OpenEXR

    with decoding(source, "OpenEXR"), quiet():
        source.data.seek(0)
        return OpenEXR.File(source.data, separate_channels=True, header_only=header_only)


@dataclass(frozen=True)
class Chosen:
    """The image in the file that is read. names: of its channels, in the order of `kind`."""

    index: int
    part: Any
    kind: tuple[str, ...]
    names: tuple[str, ...]
    others: int  # channels that are left out
    alpha: bool


def _choose(source: Source, file: Any, parts: list[PartHeader]) -> Chosen:
    """The first part that has colour. Checks sizes, also of the other parts, which are decoded too.

    Raises FileError when there is none, or one that declares far more than the file can hold.
    """
    if len(parts) != len(file.parts) or len(parts) > PART_LIMIT:
        raise ValueError(f"{len(parts)} images in one file")
    if any("deep" in part.kind for part in parts):
        raise FileError(source.path, "holds deep pixels", "flatten it first; openhdr reads one value a pixel")
    for index, part in enumerate(file.parts):
        names = [channel.name for channel in part.header["channels"]]
        kind, prefix = _channels(names)
        if kind:
            header = part.header
            check_size(source, *_size(source, header["displayWindow"]))
            check_size(source, *_size(source, header["dataWindow"]), 24)  # as RGB, and in other primaries
            total = sum(each.decoded_bytes for each in parts) + 24 * parts[index].width * parts[index].height
            check_memory(source, total, f"declares {sum(len(each.sample_bytes) for each in parts)} channels")
            used = tuple(prefix + name for name in kind)
            alpha = prefix + "A" in names
            return Chosen(index, part, kind, used, len(names) - len(used) - alpha, alpha)
    found = [name for part in parts for name in part.sample_bytes]
    raise FileError(
        source.path, f"has no colour channels (found: {', '.join(found[:8])})", "expected R, G, B"
    )


def _channels(names: list[str]) -> tuple[tuple[str, ...], str]:
    """The channel set and layer prefix to read, or ((), "")."""
    layers = sorted(
        {name.rpartition(".")[0] for name in names}, key=lambda layer: (layer != "", layer != "left")
    )
    for layer in layers:
        prefix = layer + "." if layer else ""
        for kind in CHANNEL_SETS:
            if all(prefix + name in names for name in kind):
                return kind, prefix
    return (), ""


def _size(source: Source, window: Any) -> tuple[int, int]:
    (left, top), (right, bottom) = ([int(value) for value in corner] for corner in window)
    return right - left + 1, bottom - top + 1


def _rgb(chosen: Chosen, primaries: Chromaticities) -> np.ndarray:
    """(H, W, 3) float32 of the data window."""
    planes = [chosen.part.channels[name].pixels for name in chosen.names]
    shape = planes[0].shape
    full = chosen.kind != ("Y", "RY", "BY")
    if any(plane.shape != shape for plane in planes) and full:
        raise ValueError("colour channels differ in size")
    pixels = np.empty((*shape, 3), np.float32)
    if full:
        for index in range(3):
            pixels[..., index] = planes[index % len(planes)]
        return pixels
    # Luminance and chroma: RY = (R - Y) / Y, BY = (B - Y) / Y (OpenEXR technical introduction)
    luma = planes[0].astype(np.float32)
    weights = to_xyz(primaries)[1]
    for index, plane in ((0, planes[1]), (2, planes[2])):
        pixels[..., index] = (_upsampled(plane.astype(np.float32), shape) + 1) * luma
    pixels[..., 1] = (luma - weights[0] * pixels[..., 0] - weights[2] * pixels[..., 2]) / weights[1]
    return pixels


def _upsampled(chroma: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Twice the size; samples stand at even pixels, odd ones are a cubic mean (-1, 9, 9, -1) / 16."""
    if chroma.shape == shape:
        return chroma
    if chroma.shape != ((shape[0] + 1) // 2, (shape[1] + 1) // 2):
        raise ValueError("chroma is not stored at half resolution")
    for axis in (0, 1):
        lines = np.moveaxis(chroma, axis, 0)
        padded = np.concatenate([lines[:1], lines, lines[-1:], lines[-1:]])
        out = np.repeat(lines, 2, axis=0)
        out[1::2] = (9 * (padded[1:-2] + padded[2:-1]) - padded[:-3] - padded[3:]) / 16
        chroma = np.moveaxis(out[: shape[axis]], 0, axis)
    return chroma


def _on_display(source: Source, pixels: np.ndarray, header: Any) -> np.ndarray:
    """The data window placed on the display window: what is missing is black, what is beyond is cut."""
    data, display = header["dataWindow"], header["displayWindow"]
    if not _windows_differ(header):
        return pixels
    width, height = _size(source, display)
    left, top = (int(data[0][axis]) - int(display[0][axis]) for axis in (0, 1))
    out = np.zeros((height, width, 3), np.float32)
    inside = pixels[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
    top, left = max(top, 0), max(left, 0)
    out[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return out


def _windows_differ(header: Any) -> bool:
    return not np.array_equal(header["dataWindow"], header["displayWindow"])


def _notes(chosen: Chosen) -> tuple[str, ...]:
    header, layer = chosen.part.header, chosen.names[0].rpartition(".")[0]
    facts = {
        "Luminance and half-resolution chroma were converted to RGB.": len(chosen.kind) == 3
        and "RY" in chosen.kind,
        f"Layer '{layer}' was read.": bool(layer),
        f"{chosen.others} other channels were left out.": chosen.others > 0,
        "Alpha was dropped; colours of see-through pixels stay multiplied by it.": chosen.alpha,
        "The display window was read; it differs from the data window.": _windows_differ(header),
    }
    return tuple(note for note, applies in facts.items() if applies)


def _exposure(header: Any) -> Exposure | None:
    stored = (positive(header.get(name)) for name in ("expTime", "isoSpeed", "aperture"))
    exposure = Exposure(*(number and float(f"{number:.7g}") for number in stored))  # single precision
    return None if exposure == Exposure() else exposure


def _metadata(header: Any) -> dict[str, Any]:
    facts = {key: header.get(name) for name, key in TEXTS.items()}
    for name, key in NUMBERS.items():
        value = header.get(name)
        if isinstance(value, float) and math.isfinite(value):
            facts[key] = float(f"{value:.8g}")  # single precision
    facts["white_luminance"] = positive(header.get("whiteLuminance"))
    return {key: value for key, value in facts.items() if isinstance(value, str | float) and value}


FORMAT = Format(recognise, probe, read, encode)
