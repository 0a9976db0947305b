"""What the header of an OpenEXR file declares, read before the decoder allocates for it.

Layout: "OpenEXR File Layout" (openexr.com): magic number, version and flags, then for each part attributes
(name, type, size, value) up to an empty name; with the multi-part flag an empty header ends the parts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from openhdr.io.format import Bytes

MULTI_PART = 0x1000  # of the version field
SAMPLE_BYTES = {0: 4, 1: 2, 2: 4}  # unsigned, half, float
MAX_HEADER_BYTES = 1 << 20
BROKEN = "the header is cut off, damaged or longer than a megabyte"
TILES_AT_ONCE = 10  # packed, unpacked, by several threads; measured


@dataclass(frozen=True)
class PartHeader:
    """One image in the file. sample_bytes: of each channel by name; sampling: of each, pixels to a sample."""

    sample_bytes: dict[str, int]
    sampling: dict[str, int]
    width: int
    height: int
    tile: tuple[int, int] = (0, 0)
    kind: str = ""

    @property
    def decoded_bytes(self) -> int:
        """Of memory, for all channels and the tiles in work."""
        pixels = self.width * self.height
        samples = sum(size * pixels // self.sampling[name] for name, size in self.sample_bytes.items())
        return samples + TILES_AT_ONCE * prod(self.tile) * sum(self.sample_bytes.values())


def part_headers(data: Bytes) -> list[PartHeader]:
    """The parts of a file, in order. Raises ValueError when the header is damaged."""
    text = data[:MAX_HEADER_BYTES]
    if len(text) < 8:
        raise ValueError(BROKEN)
    many = struct.unpack_from("<I", text, 4)[0] & MULTI_PART
    attributes, place = _attributes(text, 8)
    parts = [_part(attributes)]
    while many and text[place : place + 1] != b"\0":
        attributes, place = _attributes(text, place)
        parts.append(_part(attributes))
    return parts


def _attributes(text: bytes, place: int) -> tuple[dict[bytes, bytes], int]:
    """The values of one header by name, and where it ends."""
    found: dict[bytes, bytes] = {}
    while text[place : place + 1] != b"\0":
        name_end = text.find(b"\0", place, place + 257)
        kind_end = text.find(b"\0", name_end + 1, name_end + 258)
        if name_end < 0 or kind_end < 0 or kind_end + 5 > len(text):
            raise ValueError(BROKEN)
        begin = kind_end + 5
        size = struct.unpack_from("<i", text, kind_end + 1)[0]
        if size < 0 or begin + size > len(text):
            raise ValueError(BROKEN)
        found[text[place:name_end]] = text[begin : begin + size]
        place = begin + size
    return found, place + 1


def _part(attributes: dict[bytes, bytes]) -> PartHeader:
    left, top, right, bottom = struct.unpack("<4i", attributes.get(b"dataWindow", b""))
    size, sampling = {}, {}
    for name, kind, across, down in _channels(attributes.get(b"channels", b"")):
        if kind not in SAMPLE_BYTES or across < 1 or down < 1:
            raise ValueError("a channel is of an unknown kind")
        size[name], sampling[name] = SAMPLE_BYTES[kind], across * down
    tiles = attributes.get(b"tiles", b"")
    tile = struct.unpack_from("<2I", tiles) if len(tiles) >= 8 else (0, 0)
    part = attributes.get(b"type", b"").rstrip(b"\0").decode("latin-1")
    return PartHeader(size, sampling, right - left + 1, bottom - top + 1, tile, part)


def _channels(content: bytes) -> Iterator[tuple[str, int, int, int]]:
    """(name, sample type, pixels to a sample across, down) from a channel list."""
    place = 0
    while content[place : place + 1] not in (b"", b"\0"):
        end = content.find(b"\0", place)
        if end < 0 or end + 17 > len(content):
            raise ValueError("the list of channels is damaged")
        kind, _, across, down = struct.unpack_from("<4i", content, end + 1)
        yield content[place:end].decode("latin-1"), kind, across, down
        place = end + 17
