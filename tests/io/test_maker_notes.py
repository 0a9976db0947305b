"""Series in makers' notes: blocks built byte by byte, and read by ExifTool too where it is installed."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image as Pillow

from openhdr.io import probe

SHORT, LONG, ASCII, UNDEFINED = 3, 4, 2, 7
NOTE = 200  # where the note begins in the EXIF block


def _directory(order: str, tags: list[tuple[int, int, int, bytes]]) -> bytes:
    """tags: (tag, type, count, four bytes of value or offset)."""
    entries = b"".join(struct.pack(order + "HHI", *tag[:3]) + tag[3] for tag in tags)
    return struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0"


def _exif(make: bytes, note: bytes, order: str = "<") -> bytes:
    """An EXIF block with a make and a maker note at NOTE."""
    at = 100
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    first = _directory(
        order,
        [
            (0x010F, ASCII, len(make), struct.pack(order + "I", 60)),
            (0x8769, LONG, 1, struct.pack(order + "I", at)),
        ],
    )
    block = (head + first).ljust(60, b"\0") + make
    block = block.ljust(at, b"\0") + _directory(
        order, [(0x927C, UNDEFINED, len(note), struct.pack(order + "I", NOTE))]
    )
    return block.ljust(NOTE, b"\0") + note


def _short(order: str, tag: int, value: int) -> tuple[int, int, int, bytes]:
    return tag, SHORT, 1, struct.pack(order + "HH", value, 0)


def _canon(mode: int) -> bytes:
    note = _directory("<", [(0x0093, SHORT, 6, struct.pack("<I", NOTE + 18))])
    return note + struct.pack("<6H", 12, 0, 0, mode, 0, 0)


def _sony(mode: int, number: int) -> bytes:
    return b"SONY DSC \0\0\0" + _directory("<", [_short("<", 0xB049, mode), _short("<", 0xB04A, number)])


def _fujifilm(mode: int, number: int) -> bytes:
    note = b"FUJIFILM" + struct.pack("<I", 12)
    return note + _directory("<", [_short("<", 0x1100, mode), _short("<", 0x1101, number)])


def _panasonic(mode: int, number: int) -> bytes:
    tags = [_short("<", 0x2A, mode), (0x2B, LONG, 1, struct.pack("<I", number))]
    return b"Panasonic\0\0\0" + _directory("<", tags)


def _nikon(mode: int) -> bytes:
    return b"Nikon\0\2\x10\0\0MM\0*" + struct.pack(">I", 8) + _directory(">", [_short(">", 0x89, mode)])


def _olympus(mode: int, number: int, bits: int) -> bytes:
    inside = 12 + 18
    note = b"OLYMPUS\0II\3\0" + _directory("<", [(0x2020, LONG, 1, struct.pack("<I", inside))])
    note += _directory("<", [(0x0600, SHORT, 3, struct.pack("<I", inside + 18))])
    return note + struct.pack("<3H", mode, number, bits)


def _photo(folder, exif: bytes):
    path = folder / "a.jpg"
    Pillow.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(path, exif=b"Exif\0\0" + exif)
    return path


CASES = [
    (b"Canon\0", _canon(1), {"bracketing": True}, "BracketMode", "AEB"),
    (b"Canon\0", _canon(0), {"bracketing": False}, "BracketMode", "Off"),
    (b"SONY\0", _sony(5, 2), {"bracketing": True, "sequence": 2}, "SequenceNumber", 2),
    (b"SONY\0", _sony(2, 7), {"bracketing": False}, "ReleaseMode", "Continuous"),
    (b"FUJIFILM\0", _fujifilm(1, 3), {"bracketing": True, "sequence": 3}, "SequenceNumber", 3),
    (b"Panasonic\0", _panasonic(2, 1), {"bracketing": True, "sequence": 1}, "SequenceNumber", 1),
    (b"NIKON\0", _nikon(0x11), {"bracketing": True}, "ShootingMode", "Continuous, Exposure Bracketing"),
    (b"NIKON\0", _nikon(0x51), {"bracketing": False}, "ShootingMode",
     "Continuous, Exposure Bracketing, White-Balance Bracketing"),
    (b"OLYMPUS\0", _olympus(5, 4, 1), {"bracketing": True, "sequence": 4}, "DriveMode", "AE Bracketing, Shot 4"),
    (b"OLYMPUS\0", _olympus(1, 4, 0), {"bracketing": False}, "DriveMode", "Continuous Shooting, Shot 4"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "note", "facts", "tag", "said"), CASES)
def test_series(tmp_path, make, note, facts, tag, said):
    path = _photo(tmp_path, _exif(make, note))
    found = probe(path).metadata
    assert {name: found[name] for name in ("bracketing", "sequence") if name in found} == facts
    if shutil.which("exiftool"):
        told = subprocess.run(["exiftool", "-j", "-m", str(path)], capture_output=True, check=False)
        assert json.loads(told.stdout)[0][tag] == said


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_a_damaged_note_says_nothing_or_the_same(tmp_path, cut):
    for make, note, facts, *_ in CASES:
        found = probe(_photo(tmp_path, _exif(make, note[:cut]))).metadata
        assert found.get("bracketing") in (None, facts["bracketing"])


def test_exif_tells_the_mode_the_fraction_of_a_second_and_the_camera(tmp_path):
    exif = Pillow.Exif()
    exif.get_ifd(0x8769).update({0xA402: 2, 0x9291: "25", 0xA431: "007"})
    found = probe(_photo(tmp_path, exif.tobytes().removeprefix(b"Exif\0\0"))).metadata
    assert (found["exposure_mode"], found["subsecond"], found["serial"]) == (2, 0.25, "007")
    assert found["bracketing"] is True
