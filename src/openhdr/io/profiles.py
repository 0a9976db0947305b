"""Embedded colour profiles of photos: named in a note when they are not sRGB."""

from __future__ import annotations

import struct

SRGB_NAMES = ("srgb", "iec 61966-2", "iec61966-2")


def profile_notes(icc: bytes | None) -> tuple[str, ...]:
    """A note when `icc` is not an sRGB profile; the code values are then still read as sRGB."""
    if not icc:
        return ()
    name = profile_name(icc)
    if any(known in name.lower() for known in SRGB_NAMES) or name == "c2":  # c2: a small sRGB profile
        return ()
    return (f"The embedded colour profile is '{name}', not sRGB; its code values were read as sRGB.",)


def profile_name(icc: bytes) -> str:
    """The description of an ICC profile (ICC.1:2022, 7.2 and 9.2.41), or 'unknown'."""
    count = struct.unpack_from(">I", icc, 128)[0] if len(icc) >= 132 else 0
    for index in range(min(count, 100)):
        entry = icc[132 + 12 * index : 144 + 12 * index]
        if len(entry) == 12 and entry[:4] == b"desc":
            start, size = struct.unpack(">II", entry[4:])
            return _description(icc[start : start + size]) or "unknown"
    return "unknown"


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc" and len(tag) > 12:  # ICC v2: length, ASCII
        return tag[12 : 12 + struct.unpack_from(">I", tag, 8)[0]].split(b"\0")[0].decode("latin-1").strip()
    if tag[:4] == b"mluc" and len(tag) >= 28:  # ICC v4: the first of several languages, UTF-16
        length, offset = struct.unpack_from(">II", tag, 20)
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\0 ")
    return ""
