"""What the maker's own tags say about a shot: is it one of an exposure bracket, and which.

Each maker has a directory of its own in the EXIF tag MakerNote, behind a mark or without one. Offsets in it count from
the EXIF block or from a byte of the note. The makers document none of it; names and meanings are those of ExifTool.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openhdr.io.containers.tiff_directory import Layout, directory, place_of

MAKER_NOTE, HEAD, LEAST = 0x927C, 32, 20  # bytes that are looked at, and that a note has
MOST = 1 << 18  # bytes of a note that are read; one of a RAW file is followed by the sensor's values
CANON_FILE_INFO = 0x0093
SONY_RELEASE_MODE, SONY_SEQUENCE = 0xB049, 0xB04A
FUJIFILM_BRACKETING, FUJIFILM_SEQUENCE = 0x1100, 0x1101
PANASONIC_BURST, PANASONIC_SEQUENCE = 0x002A, 0x002B
OLYMPUS_SETTINGS, OLYMPUS_DRIVE = 0x2020, 0x0600
NIKON_SHOOTING_MODE = 0x0089
WANTED = {
    *(CANON_FILE_INFO, SONY_RELEASE_MODE, SONY_SEQUENCE, FUJIFILM_BRACKETING, FUJIFILM_SEQUENCE),
    *(PANASONIC_BURST, PANASONIC_SEQUENCE, OLYMPUS_DRIVE, NIKON_SHOOTING_MODE),
}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Maker:
    """Where a maker's directory is, and how it is read.

    mark: what the note begins with; empty = it is known by `make`. start: of the directory in the note, or, with
    `pointer`, where its offset is stored. base: byte of the note that offsets count from; None = those of the EXIF
    block. order_at: of the byte order mark; None = as the EXIF block. folder: tag of the directory inside that counts.
    """

    facts: Callable[[dict[int, Any]], Facts]
    mark: bytes = b""
    make: str = ""
    start: int = 0
    pointer: bool = False
    base: int | None = None
    order_at: int | None = None
    folder: int = 0


def series_facts(tiff: Any, layout: Layout, exif: int, make: str) -> Facts:
    """`bracketing` (whether the camera was set to bracket exposures) and `sequence` (number of the shot in its
    bracket, from 1) where the maker says so. exif: start of the EXIF directory in `tiff`.
    """
    place = place_of(tiff, layout, exif, MAKER_NOTE)
    head = b"" if place is None else bytes(tiff[place : place + HEAD])
    maker = next(
        (one for one in MAKERS if (head.startswith(one.mark) if one.mark else make == one.make)), None
    )
    if maker is None or place is None or len(head) < LEAST:
        return {}
    at = maker.order_at
    order = layout.order if at is None else {b"MM": ">", b"II": "<"}.get(head[at : at + 2], "<")
    note = tiff if maker.base is None else tiff[place + maker.base : place + MOST]
    start = place + maker.start if maker.base is None else maker.start - maker.base
    if maker.pointer:
        start = struct.unpack_from(order + "I", head, maker.start)[0]
    inside = Layout(order, False, start)
    if maker.folder:
        start = dict(directory(note, inside, start, (maker.folder,))).get(maker.folder, 0)
    return maker.facts(dict(directory(note, inside, start, WANTED))) if isinstance(start, int) else {}


def _facts(bracketing: bool | None, number: Any = None) -> Facts:
    """Numbers count only in a bracket; 0 and 65535 mean none."""
    facts: Facts = {} if bracketing is None else {"bracketing": bracketing}
    numbered = bracketing and isinstance(number, int) and 0 < number < 65535
    return facts | {"sequence": number} if numbered else facts


def _canon(tags: dict[int, Any]) -> Facts:
    info = tags.get(CANON_FILE_INFO)
    return _facts(info[3] == 1 if isinstance(info, tuple) and len(info) > 3 else None)


def _sony(tags: dict[int, Any]) -> Facts:
    mode = tags.get(SONY_RELEASE_MODE)
    return _facts(mode == 5 if mode in (0, 2, 5, 6, 8) else None, tags.get(SONY_SEQUENCE))


def _fujifilm(tags: dict[int, Any]) -> Facts:
    mode = tags.get(FUJIFILM_BRACKETING)
    return _facts(None if mode is None else mode == 1, tags.get(FUJIFILM_SEQUENCE))


def _panasonic(tags: dict[int, Any]) -> Facts:
    mode = tags.get(PANASONIC_BURST)
    return _facts(None if mode is None else mode == 2, tags.get(PANASONIC_SEQUENCE))


def _olympus(tags: dict[int, Any]) -> Facts:
    """Mode, number of the shot, bits of what is bracketed: 0 and 5 are exposures."""
    drive = tags.get(OLYMPUS_DRIVE)
    if not isinstance(drive, tuple):
        return {}
    mode, number, bits = (*drive, 0)[:3]
    return _facts(mode in (2, 4) or (mode == 5 and bool(bits & 0b100001)), number)


def _nikon(tags: dict[int, Any]) -> Facts:
    """Bit 4 says bracketing; bits 6 and 8, that it is of white balance or of lighting."""
    mode = tags.get(NIKON_SHOOTING_MODE)
    return _facts(mode & 0b101010000 == 0b000010000 if isinstance(mode, int) else None)


MAKERS = (
    Maker(_nikon, mark=b"Nikon\0\2", start=14, pointer=True, base=10, order_at=10),
    Maker(_fujifilm, mark=b"FUJIFILM", start=8, pointer=True, base=0, order_at=HEAD),  # always little-endian
    Maker(_olympus, mark=b"OLYMPUS\0", start=12, base=0, order_at=8, folder=OLYMPUS_SETTINGS),
    Maker(_olympus, mark=b"OM SYSTEM\0", start=16, base=0, order_at=12, folder=OLYMPUS_SETTINGS),
    Maker(_panasonic, mark=b"Panasonic\0", start=12),
    Maker(_sony, mark=b"SONY", start=12),
    Maker(_sony, make="SONY"),
    Maker(_canon, make="Canon"),
)
