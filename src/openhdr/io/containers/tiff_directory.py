"""The directories of a TIFF structure: numbered entries with values, as EXIF blocks, TIFF files and maker notes have.

Nothing outside the given bytes is looked at, and a damaged entry is skipped. TIFF 6.0; BigTIFF.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterator
from typing import Any

_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q",
            17: "q", 18: "Q"}  # fmt: skip
_MAX_VALUE_BYTES = 1 << 16
_MAX_ENTRIES = 4096


class Layout:
    """Byte order, offset size and first directory of a TIFF structure."""

    def __init__(self, order: str, big: bool, first: int) -> None:
        self.order, self.big, self.first = order, big, first


def tiff_layout(tiff: Any) -> Layout | None:
    """The layout of a TIFF or BigTIFF structure, or None when it is neither."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None or len(tiff) < 16:
        return None
    big = struct.unpack(order + "H", tiff[2:4])[0] == 43
    first = struct.unpack(order + ("Q" if big else "I"), tiff[8:16] if big else tiff[4:8])[0]
    return Layout(order, big, first)


def directory(tiff: Any, layout: Layout, start: int, wanted: Collection[int]) -> Iterator[tuple[int, Any]]:
    """The readable (tag, value) pairs that are wanted in the directory at `start`.

    Values: str, bytes where the type is undefined, a number, or a tuple of numbers; rationals are float (x/0 is inf or
    nan).
    """
    for tag, entry in _entries(tiff, layout, start):
        value = _value(tiff, layout, entry) if tag in wanted else None
        if value is not None:
            yield tag, value


def place_of(tiff: Any, layout: Layout, start: int, tag: int) -> int | None:
    """Where the value of a tag begins in the structure, if it is too long to stand in the directory."""
    entry = next((entry for found, entry in _entries(tiff, layout, start) if found == tag), None)
    if entry is None:
        return None
    place = struct.unpack(
        layout.order + ("Q" if layout.big else "I"), entry[12:] if layout.big else entry[8:]
    )
    return int(place[0])


def _entries(tiff: Any, layout: Layout, start: int) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of each entry."""
    count_size, entry_size, count_code = (8, 20, "Q") if layout.big else (2, 12, "H")
    if not 8 <= start <= len(tiff) - count_size:
        return
    count = struct.unpack(layout.order + count_code, tiff[start : start + count_size])[0]
    start += count_size
    table = tiff[start : start + min(count, _MAX_ENTRIES) * entry_size]
    for position in range(0, len(table) - entry_size + 1, entry_size):
        entry = table[position : position + entry_size]
        yield struct.unpack_from(layout.order + "H", entry)[0], entry


def _value(tiff: Any, layout: Layout, entry: bytes) -> Any:
    """The value of a directory entry, or None when it is damaged or of an unknown type."""
    kind, count = struct.unpack_from(layout.order + ("HQ" if layout.big else "HI"), entry, 2)
    content = entry[12:] if layout.big else entry[8:]
    length = _SIZES.get(kind, 0) * count
    if not 0 < length <= _MAX_VALUE_BYTES:
        return None
    if length > len(content):
        place = struct.unpack(layout.order + ("Q" if layout.big else "I"), content)[0]
        content = tiff[place : place + length]
    if length > len(content):
        return None
    raw = content[:length]
    if kind == 2:
        return raw.split(b"\0")[0].decode("utf-8", "replace").strip()
    if kind == 7:
        return bytes(raw)
    if kind in (5, 10):
        pairs = struct.unpack(f"{layout.order}{2 * count}{'I' if kind == 5 else 'i'}", raw)
        values = tuple(_ratio(*pair) for pair in zip(pairs[::2], pairs[1::2], strict=True))
    else:
        values = struct.unpack(f"{layout.order}{count}{_NUMBERS[kind]}", raw)
    return values[0] if count == 1 else values


def _ratio(numerator: int, denominator: int) -> float:
    if denominator == 0:
        return math.inf if numerator else math.nan
    return numerator / denominator
