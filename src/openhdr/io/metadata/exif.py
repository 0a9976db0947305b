"""What the camera wrote about a shot: EXIF tags to Exposure and metadata, and back.

Reads the directory of any TIFF structure: the EXIF block of JPEG, PNG, WebP and AVIF, and TIFF files and
TIFF-based RAW files themselves. Only the tags below are looked at, and nothing outside the given bytes;
a damaged entry is skipped, because a photo is worth reading without its EXIF.
Tag numbers: Exif 2.32 (CIPA DC-008-2019), tables 4, 7, 8; TIFF 6.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from openhdr.core.image import Exposure, Image
from openhdr.io.containers.tiff_directory import Layout, directory, tiff_layout
from openhdr.io.format import SOFTWARE
from openhdr.io.metadata.maker_notes import MAKER_NOTE, series_facts

ORIENTATION, EXIF_DIRECTORY = 0x0112, 0x8769
EXPOSURE_TIME, F_NUMBER, BIAS = 0x829A, 0x829D, 0x9204
SHUTTER_SPEED_APEX, APERTURE_APEX = 0x9201, 0x9202
# Sensitivity: the 16-bit tag saturates at 65535; the real value is then in one of the later ones.
ISO_TAGS = (0x8827, 0x8833, 0x8832, 0x8831)
ISO_SATURATED = 65535
MAKE = 0x010F
TEXTS = {MAKE: "make", 0x0110: "model", 0xA434: "lens", 0x9003: "date", 0x0131: "software",
         0x013B: "artist", 0x8298: "copyright"}  # fmt: skip
SOFTWARE_TAG = 0x0131
DATE_FALLBACKS = (0x9004, 0x0132)
FOCAL_LENGTH, FOCAL_LENGTH_35 = 0x920A, 0xA405
GPS_DIRECTORY = 0x8825
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)
PLACES = {"latitude": (LATITUDE_REF, LATITUDE, "NS"), "longitude": (LONGITUDE_REF, LONGITUDE, "EW")}
APPLE_HEADROOM, APPLE_GAIN = 33, 48  # of the maker note
SUBSECOND, EXPOSURE_MODE, SERIAL = 0x9291, 0xA402, 0xA431
AUTO_BRACKET = 2  # an exposure mode
LENGTHS = {"focal_length": FOCAL_LENGTH, "focal_length_35mm": FOCAL_LENGTH_35}  # millimetres
DNG_VERSION, PHOTOMETRIC, SUB_DIRECTORIES = 0xC612, 0x0106, 0x014A
WANTED = {
    *(ORIENTATION, EXIF_DIRECTORY, EXPOSURE_TIME, F_NUMBER, BIAS, SHUTTER_SPEED_APEX, APERTURE_APEX),
    *(*ISO_TAGS, *TEXTS, *DATE_FALLBACKS, DNG_VERSION, PHOTOMETRIC, SUB_DIRECTORIES),
    *(FOCAL_LENGTH, FOCAL_LENGTH_35, GPS_DIRECTORY, MAKER_NOTE, SUBSECOND, EXPOSURE_MODE, SERIAL),
}
GPS_WANTED = range(LATITUDE_REF, ALTITUDE + 1)

Tags = Mapping[int | str, Any]
SERIES = "series"  # key of what the maker note says, beside the numbers of tags


def read_tags(tiff: Any) -> dict[int | str, Any]:
    """Wanted tags of the first directory and its EXIF directory. tiff: bytes-like, from the byte-order mark.

    Values as `directory` gives them; those of the GPS directory stand under its tag, those of the maker under SERIES.
    """
    layout = tiff_layout(tiff)
    if layout is None:
        return {}
    tags: dict[int | str, Any] = dict(directory(tiff, layout, layout.first, WANTED))
    start = tags.get(EXIF_DIRECTORY)
    if isinstance(start, int):
        tags |= {tag: value for tag, value in directory(tiff, layout, start, WANTED) if tag != EXIF_DIRECTORY}
        if MAKER_NOTE in tags:
            tags[SERIES] = series_facts(tiff, layout, start, str(tags.get(MAKE, "")))
    start = tags.pop(GPS_DIRECTORY, None)
    if isinstance(start, int):
        tags[GPS_DIRECTORY] = dict(directory(tiff, layout, start, GPS_WANTED))
    return tags


def positive(value: Any) -> float | None:
    """`value` as a finite number above 0, else None (manual lenses say f/0 or f/inf)."""
    if isinstance(value, tuple):
        value = value[0]
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return None
    return float(value)


def exposure_of(tags: Tags) -> Exposure | None:
    """Exposure from tags, or None when they say nothing about it."""
    bias = tags.get(BIAS)
    exposure = Exposure(
        time_s=positive(tags.get(EXPOSURE_TIME)) or _apex(tags.get(SHUTTER_SPEED_APEX), -1.0),
        iso=_iso(tags),
        f_number=positive(tags.get(F_NUMBER)) or _apex(tags.get(APERTURE_APEX), 0.5),
        bias_ev=float(bias) if isinstance(bias, int | float) and math.isfinite(bias) else None,
    )
    return None if exposure == Exposure() else exposure


def _apex(value: Any, power: float) -> float | None:
    """APEX units (Exif 2.32, annex C): time = 2^-Tv, f-number = 2^(Av/2)."""
    if not isinstance(value, int | float) or not abs(value) < 64 or (power > 0 and value <= 0):
        return None
    return 2.0 ** (power * value)


def _iso(tags: Tags) -> float | None:
    found = [iso for iso in (positive(tags.get(tag)) for tag in ISO_TAGS) if iso]
    return next((iso for iso in found if iso != ISO_SATURATED), None) or (found[0] if found else None)


def metadata_of(tags: Tags) -> dict[str, Any]:
    """`make`, `model`, `lens`, `date` ("YYYY:MM:DD hh:mm:ss"), ... where the tags have them."""
    texts = {name: tags[tag] for tag, name in TEXTS.items() if isinstance(tags.get(tag), str) and tags[tag]}
    date = next((tags[tag] for tag in DATE_FALLBACKS if isinstance(tags.get(tag), str) and tags[tag]), None)
    lengths = {name: positive(tags.get(tag)) for name, tag in LENGTHS.items()}
    facts = (
        texts
        | {name: length for name, length in lengths.items() if length}
        | _place_of(tags)
        | _series_of(tags)
    )
    return facts if date is None else {"date": date} | facts


def _series_of(tags: Tags) -> dict[str, Any]:
    """What distinguishes shots of one series from others; not written to files.

    `subsecond` (0 to 1, of the date), `serial` (of the camera), `exposure_mode` (0 auto, 1 manual, 2 auto bracket), and
    of the maker `bracketing` and `sequence`, see `maker_notes`.
    """
    digits, serial, mode = tags.get(SUBSECOND), tags.get(SERIAL), tags.get(EXPOSURE_MODE)
    facts: dict[str, Any] = dict(tags.get(SERIES, {}))
    if isinstance(digits, str) and digits.isascii() and digits.isdecimal():
        facts["subsecond"] = float(f"0.{digits}")
    if isinstance(serial, str) and serial:
        facts["serial"] = serial
    if mode in (0, 1, AUTO_BRACKET):
        facts |= {"exposure_mode": mode} | ({"bracketing": True} if mode == AUTO_BRACKET else {})
    return facts


def _place_of(tags: Tags) -> dict[str, float]:
    """Where the photo was taken: `latitude`, `longitude` in degrees (north, east > 0), `altitude` in metres."""
    gps, place = tags.get(GPS_DIRECTORY, {}), {}
    for name, (reference, angle, signs) in PLACES.items():
        parts = gps.get(angle)
        if isinstance(parts, tuple) and len(parts) == 3 and gps.get(reference) in tuple(signs):
            degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
            if math.isfinite(degrees) and degrees <= 180:
                place[name] = degrees if gps[reference] == signs[0] else -degrees
    height = gps.get(ALTITUDE)
    if isinstance(height, float) and math.isfinite(height):
        place["altitude"] = -height if gps.get(ALTITUDE_REF) == 1 else height
    return place


def apple_notes(tags: Tags) -> tuple[float | None, float | None]:
    """Numbers 33 and 48 of Apple's maker note, of which the strength of its gain maps follows; None where missing."""
    raw = tags.get(MAKER_NOTE)
    note = raw if isinstance(raw, bytes) else b""
    order = {b"MM": ">", b"II": "<"}.get(note[12:14])
    if note[:10] != b"Apple iOS\0" or order is None:
        return None, None
    found = dict(directory(note, Layout(order, False, 14), 14, (APPLE_HEADROOM, APPLE_GAIN)))
    numbers = (found.get(APPLE_HEADROOM), found.get(APPLE_GAIN))
    head, gain = (one if isinstance(one, float) and math.isfinite(one) else None for one in numbers)
    return head, gain


def orientation_of(tags: Tags) -> int:
    """EXIF orientation 1..8; 1 when missing or out of range."""
    value = tags.get(ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def exif_block(image: Image) -> bytes | None:
    """The TIFF structure of an EXIF block with the image's exposure and metadata; None when there is none."""
    from PIL.Image import Exif

    main = {tag: value for tag, value in text_tags(image).items() if tag < 0x9000}
    detail = {tag: value for tag, value in text_tags(image).items() if tag >= 0x9000} | number_tags(image)
    place = _place_tags(image)
    if not main and not detail and not place:
        return None
    exif = Exif()
    exif.update(main)
    if detail:
        exif.get_ifd(EXIF_DIRECTORY).update(detail)
    if place:
        exif.get_ifd(GPS_DIRECTORY).update(place)
    return exif.tobytes().removeprefix(b"Exif\0\0")


def text_tags(image: Image) -> dict[int, str]:
    """Text tags to write: tag -> value. Non-text metadata of the same name is left out.

    HDR light was made by openhdr, whatever the camera's software was; so say the files.
    """
    texts = {tag: image.metadata[name] for tag, name in TEXTS.items()
             if isinstance(image.metadata.get(name), str) and image.metadata[name]}  # fmt: skip
    return texts | {SOFTWARE_TAG: SOFTWARE} if image.encoding == "linear" else texts


def number_tags(image: Image) -> dict[int, Any]:
    """Exposure tags to write: tag -> number."""
    exposure = image.exposure or Exposure()
    tags: dict[int, Any] = {
        EXPOSURE_TIME: exposure.time_s,
        F_NUMBER: exposure.f_number,
        BIAS: exposure.bias_ev,
    }
    if exposure.iso is not None:
        iso = round(exposure.iso)
        tags[ISO_TAGS[0]] = min(iso, ISO_SATURATED) or None
        if iso >= ISO_SATURATED:
            tags[ISO_TAGS[2]] = iso
    tags[FOCAL_LENGTH] = positive(image.metadata.get("focal_length"))
    equivalent = positive(image.metadata.get("focal_length_35mm"))
    tags[FOCAL_LENGTH_35] = equivalent and (min(round(equivalent), 65535) or None)
    return {tag: value for tag, value in tags.items() if value is not None}


def _place_tags(image: Image) -> dict[int, Any]:
    """GPS tags to write; angles as degrees, minutes and seconds."""
    tags: dict[int, Any] = {}
    for name, (reference, angle, signs) in PLACES.items():
        degrees = image.metadata.get(name)
        if isinstance(degrees, float):
            seconds = round(abs(degrees) * 3_600_000)  # thousandths
            parts = (seconds // 3_600_000, seconds // 60_000 % 60, Fraction(seconds % 60_000, 1000))
            tags |= {reference: signs[degrees < 0], angle: tuple(float(part) for part in parts)}
    height = image.metadata.get("altitude")
    if isinstance(height, float):
        tags |= {ALTITUDE_REF: b"\1" if height < 0 else b"\0", ALTITUDE: abs(height)}
    return tags
