"""Radiance .hdr: linear RGB light as three 8-bit mantissas with one shared exponent, run-length coded.

Format: G. Ward, "Real Pixels", Graphics Gems II (1991); Radiance reference manual, "Picture file format".
A value is mantissa * 2^(exponent - 136). Radiance itself adds half a mantissa step when reading, because it
truncates when writing; here, as in most programs of the field, nothing is added when reading and writing
rounds to nearest.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from openhdr.color.primaries import REC709, Chromaticities, same, to_xyz
from openhdr.core.errors import FileError
from openhdr.core.image import Image
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
from openhdr.io.pixels import clean, linear_values
from openhdr.io.rgbe import decode_pixels, encode_pixels, encode_rgbe

MAX_HEADER_BYTES, MAX_TEXT = 1 << 16, 200
LEAST_NUMBER = 1e-30  # of an exposure; its inverse is the largest
RESOLUTION = re.compile(rb"([-+])([XY]) +(\d{1,9}) +([-+])([XY]) +(\d{1,9})\s*$")


@dataclass(frozen=True)
class Header:
    """What stands before the pixels. lines, line_length: as stored; axes: such as `-Y+X`."""

    lines: int
    line_length: int
    axes: str
    start: int
    exposure: float = 1.0
    primaries: Chromaticities | None = None
    software: str = ""
    white_luminance: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright image."""
        return (self.line_length, self.lines) if self.axes[1] == "Y" else (self.lines, self.line_length)


def recognise(data: Bytes) -> bool:
    """`#?` and the program's name; programs other than Radiance write `#?RGBE`."""
    return data[:10] == b"#?RADIANCE" or data[:6] == b"#?RGBE"


def probe(source: Source) -> ImageInfo:
    """Facts from the text header."""
    header = _header(source)
    return ImageInfo(
        source.path, "radiance", *header.size, channels=3, bits=8, sample="float", encoding="linear",
        metadata=_metadata(header), notes=_notes(header), primaries=header.primaries or REC709,
    )  # fmt: skip


def read(source: Source) -> Image:
    """float32, linear, Rec.709; EXPOSURE undone, so that values are the recorded radiance."""
    header = _header(source)
    with decoding(source, "Radiance"):
        stored = decode_pixels(source.data[header.start :], header.lines, header.line_length)
    pixels, notes = np.ascontiguousarray(_upright(stored, header.axes)), _notes(header)
    if header.exposure != 1.0:
        with np.errstate(over="ignore"):
            pixels /= np.float32(header.exposure)
    pixels, changed = clean(pixels)
    primaries = header.primaries or REC709
    return Image(pixels, "linear", None, _metadata(header), notes + changed, primaries)


def encode(image: Image, options: WriteOptions) -> Encoded:
    """Run-length coded RGBE, `-Y +X`. Exposure times have no place in this format."""
    pixels, notes = linear_values(image, options.primaries)
    lines = ["#?RADIANCE", f"SOFTWARE={SOFTWARE}"]
    if image.metadata.get("white_luminance"):
        lines.append(f"WHITE_LUMINANCE={image.metadata['white_luminance']:g}")
    if not same(options.primaries, REC709):
        lines.append("PRIMARIES=" + " ".join(f"{value:g}" for value in options.primaries))
    lines += ["FORMAT=32-bit_rle_rgbe", "", f"-Y {image.height} +X {image.width}", ""]
    data = "\n".join(lines).encode("ascii") + encode_pixels(encode_rgbe(pixels))
    return data, (*notes, "The Radiance format does not keep exposure facts.") if image.exposure else notes


def _header(source: Source) -> Header:
    """Parse the header. Raises FileError when it is damaged or the pixels are not RGBE."""
    text = source.data[:MAX_HEADER_BYTES]
    end = re.search(rb"\n\r?\n", text)
    stop = text.find(b"\n", end.end()) if end else -1
    resolution = RESOLUTION.match(text[end.end() : stop]) if end and stop > 0 else None
    if end is None or resolution is None or resolution[2] == resolution[5]:
        raise FileError(source.path, "damaged or unsupported Radiance file (no image size in the header)")
    lines, length = int(resolution[3]), int(resolution[6])
    check_size(source, length, lines)
    axes = b"".join(resolution.group(1, 2, 4, 5)).decode("ascii")
    return Header(lines, length, axes, stop + 1, **_facts(source, text[: end.start()]))


def _facts(source: Source, text: bytes) -> dict[str, Any]:
    """Header lines `NAME=value` that matter; EXPOSURE lines multiply."""
    facts: dict[str, Any] = {}
    exposure = 1.0
    for line in text.decode("latin-1").splitlines():
        name, _, value = line.partition("=")
        name, value = name.strip().upper(), value.strip()
        if name == "FORMAT" and value != "32-bit_rle_rgbe":
            raise FileError(
                source.path, f"stores '{value[:40]}'", "openhdr reads RGBE; convert with ra_xyze -r"
            )
        if name == "EXPOSURE":
            exposure *= _number(source, name, value)
        elif name == "PRIMARIES":
            facts["primaries"] = _primaries(source, value)
        elif name == "WHITE_LUMINANCE":
            facts["white_luminance"] = _number(source, name, value)
        elif name == "SOFTWARE":
            facts["software"] = value[:MAX_TEXT]
    if not LEAST_NUMBER < exposure < 1 / LEAST_NUMBER:
        raise FileError(
            source.path, f"its EXPOSURE lines multiply to {exposure:g}", "expected a number above 0"
        )
    return facts | {"exposure": exposure}


def _number(source: Source, name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not LEAST_NUMBER < number < 1 / LEAST_NUMBER:
        raise FileError(source.path, f"header says {name}={value[:40]}", "expected a number above 0")
    return number


def _primaries(source: Source, value: str) -> Chromaticities | None:
    """Eight chromaticities; all zero, as some programs write, says nothing."""
    with decoding(source, "Radiance"):
        numbers = tuple(float(number) for number in value.split())
        if len(numbers) != 8:
            raise ValueError(f"PRIMARIES={value[:40]}")
        if not any(numbers):
            return None
        to_xyz(numbers)  # refuses impossible ones
        return numbers


def _metadata(header: Header) -> dict[str, object]:
    facts = {"software": header.software, "white_luminance": header.white_luminance}
    return {name: value for name, value in facts.items() if value}


def _notes(header: Header) -> tuple[str, ...]:
    if header.exposure == 1.0:
        return ()
    return (f"The header says EXPOSURE={header.exposure:g}; values were divided by it.",)


def _upright(stored: np.ndarray, axes: str) -> np.ndarray:
    """(lines, length, 4) as stored -> upright. `-Y+X`: lines go down, pixels to the right."""
    if axes[1] == "X":  # lines are columns
        return _upright(stored.transpose(1, 0, 2), axes[2:] + axes[:2])
    if axes[0] == "+":
        stored = stored[::-1]
    return stored[:, ::-1] if axes[2] == "-" else stored


FORMAT = Format(recognise, probe, read, encode)
