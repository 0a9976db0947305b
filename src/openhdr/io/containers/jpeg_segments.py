"""JPEG files as containers: marker segments, and a gain map as a second image behind the first.

Segments: ISO/IEC 10918-1, annex B. Several images in a file: CIPA DC-007 (MPF), and Google's container of XMP. The
order that is written, JFIF first, then EXIF, XMP, profile, ISO 21496-1 and MPF, is the one that phones accept.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from math import log2

from openhdr.io.format import Bytes
from openhdr.io.gainmap import (
    APPLE,
    HDRGM,
    GainFacts,
    UnusableMap,
    apple_stops,
    from_apple,
    from_iso,
    from_xmp,
    properties,
    to_iso,
    to_xmp,
    xmp_packet,
)
from openhdr.io.metadata.exif import apple_notes, read_tags

APP1, APP2, START_OF_SCAN, END_OF_IMAGE = 0xE1, 0xE2, 0xDA, 0xD9
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
ISO, MPF, ICC = b"urn:iso:std:iso:ts:21496:-1\0", b"MPF\0", b"ICC_PROFILE\0"
START, JFIF = b"\xff\xd8", b"\xff\xe0"
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
MAX_SEGMENTS, MAX_PICTURES = 2000, 16
CONTAINER = "http://ns.google.com/photos/1.0/container/"
ITEM = CONTAINER + "item/"
MPF_COUNT, MPF_ENTRIES = 0xB001, 0xB002
Contents = dict[bytes, tuple[int, bytes]]
MPF_PRIMARY = 0x030000  # kind: the image that programs without MPF show


def segments(data: Bytes, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """(marker, begin, end) of the segments' contents from a start of image to the first scan."""
    place = start + 2
    for _ in range(MAX_SEGMENTS):
        head = data[place : place + 4]
        if head[:2] == b"\xff\xff":  # fill byte
            place += 1
            continue
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker, length = struct.unpack(">xBH", head)
        if length < 2:
            return
        yield marker, place + 4, min(place + 2 + length, len(data))
        if marker == START_OF_SCAN:
            return
        place += 2 + length


def contents(data: Bytes, start: int = 0) -> Contents:
    """First segment of each kind that matters here: mark -> (place in the file of what follows the mark, bytes)."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for marker, begin, end in segments(data, start):
        if marker not in (APP1, APP2):
            continue
        for mark in (EXIF, XMP, ISO, MPF):
            if mark not in found and data[begin : begin + len(mark)] == mark:
                found[mark] = begin + len(mark), data[begin + len(mark) : end]
    return found


def gain_map(file: Bytes) -> tuple[GainFacts, bytes] | None:
    """The facts of the gain map and the JPEG image of its codes; None where the file holds none.

    Raises ValueError for a damaged map, UnusableMap where only the first image can be shown.
    """
    primary = contents(file)
    announced = ISO in primary or HDRGM.encode() in primary.get(XMP, (0, b""))[1]
    listed = ITEM.encode() in primary.get(XMP, (0, b""))[1]
    if not announced and not listed and MPF not in primary:
        return None
    data = file[:]
    for begin, end in _others(data, primary):
        facts = _facts(primary, contents(data, begin))
        if facts is not None:
            return facts, data[begin:end]
    if announced:
        raise UnusableMap("the gain map that it announces is missing")
    return None


def _facts(primary: Contents, found: Contents) -> GainFacts | None:
    """The facts that a second image carries, None where it is no gain map."""
    xmp = found.get(XMP, (0, b""))[1]
    if ISO in found:
        try:
            return from_iso(found[ISO][1])
        except UnusableMap:
            if HDRGM.encode() not in xmp:
                raise
    if HDRGM.encode() in xmp:
        return from_xmp(xmp)
    return _apple_facts(primary, properties(xmp, APPLE)) if APPLE.encode() in xmp else None


def _apple_facts(primary: Contents, found: dict[str, list[str]]) -> GainFacts:
    if "HDRGainMapHeadroom" in found:
        return from_apple(log2(max(float(found["HDRGainMapHeadroom"][0]), 1.0)))
    stops = apple_stops(*apple_notes(read_tags(primary.get(EXIF, (0, b""))[1])))
    if stops is None:
        raise UnusableMap("the file does not say how strong its gain map is")
    return from_apple(stops)


def _others(data: bytes, primary: Contents) -> Iterator[tuple[int, int]]:
    """(begin, end) of the images behind the first: by MPF, by the container's lengths, else by looking for them."""
    seen = set()
    for begin, end in (*_by_mpf(primary), *_by_container(data, primary), *_by_looking(data)):
        if begin not in seen and 0 < begin < end <= len(data) and data[begin : begin + 3] == START + b"\xff":
            seen.add(begin)
            yield begin, end


def _by_mpf(primary: Contents) -> list[tuple[int, int]]:
    """From the entries of the multi-picture index; offsets count from its byte-order mark."""
    base, index = primary.get(MPF, (0, b""))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(index[:4])
    if order is None or len(index) < 10:
        return []
    first = struct.unpack_from(order + "I", index, 4)[0]
    if first + 2 > len(index):
        return []
    entries = struct.unpack_from(order + "H", index, first)[0]
    for number in range(min(entries, 16)):
        place = first + 2 + 12 * number
        if place + 12 > len(index):
            break
        tag, _, length, offset = struct.unpack_from(order + "HHII", index, place)
        if tag == MPF_ENTRIES:
            table = index[offset : offset + min(length, 16 * MAX_PICTURES)]
            rows = struct.iter_unpack(order + "IIIHH", table[: len(table) // 16 * 16])
            return [(base + start, base + start + size) for _, size, start, _, _ in rows if start]
    return []


def _by_container(data: bytes, primary: Contents) -> list[tuple[int, int]]:
    """From the lengths in the container's directory: the images stand at the end of the file, one after another."""
    xmp = primary.get(XMP, (0, b""))[1]
    if ITEM.encode() not in xmp:
        return []
    lengths = [int(text) for text in re.findall(rb":Length\s*=\s*[\"'](\d{1,10})[\"']", xmp)][:MAX_PICTURES]
    found, end = [], len(data)
    for length in reversed(lengths):
        found.append((end - length, end))
        end -= length
    return found


def _by_looking(data: bytes) -> Iterator[tuple[int, int]]:
    """The image that follows the first one's end."""
    place = end_of_picture(data, 0)
    begin = -1 if place is None else data.find(START + b"\xff", place)
    if begin > 0:
        yield begin, len(data)


def end_of_picture(data: bytes, start: int) -> int | None:
    """Where a JPEG image ends, behind its end marker; None when it is cut off."""
    place = start + 2
    for marker, _, end in segments(data, start):
        place = end
        if marker == START_OF_SCAN:
            break
    for _ in range(MAX_SEGMENTS):
        found = NEXT_MARKER.search(data, place)
        if found is None:
            return None
        if data[found.start() + 1] == END_OF_IMAGE:
            return found.end()
        if found.end() + 2 > len(data):
            return None
        place = found.end() + struct.unpack_from(">H", data, found.end())[0]
    return None


def with_segments(jpeg: bytes, *parts: bytes) -> bytes:
    """A bare JPEG with segments behind its JFIF segment."""
    place = _behind_jfif(jpeg)
    return jpeg[:place] + b"".join(parts) + jpeg[place:]


def _behind_jfif(jpeg: bytes) -> int:
    return 4 + struct.unpack_from(">H", jpeg, 4)[0] if jpeg[2:4] == JFIF else 2


def exif_segment(exif: bytes | None) -> bytes:
    return _segment(APP1, EXIF + exif) if exif else b""


def icc_segment(profile: bytes | None) -> bytes:
    return _segment(APP2, ICC + b"\1\1" + profile) if profile else b""


def join(base: bytes, gain: bytes, facts: GainFacts, exif: bytes | None, profile: bytes | None) -> bytes:
    """One file from two bare JPEGs, the SDR image and the map's codes, with all that readers look for."""
    gain = with_segments(gain, _segment(APP1, XMP + to_xmp(facts)), _segment(APP2, ISO + to_iso(facts)))
    directory = (
        '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource">'
        '<Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource">'
        f'<Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{len(gain)}"/></rdf:li>'
        "</rdf:Seq></Container:Directory>"
    )
    spaces = f'xmlns:Container="{CONTAINER}" xmlns:Item="{ITEM}" xmlns:hdrgm="{HDRGM}" hdrgm:Version="1.0"'
    parts = exif_segment(exif) + _segment(APP1, XMP + xmp_packet(spaces, directory)) + icc_segment(profile)
    parts += _segment(APP2, ISO + b"\0\0\0\0")
    whole = len(with_segments(base, parts, _index(0, 0, 0)))
    origin = _behind_jfif(base) + len(parts) + 4 + len(MPF)  # of the index's byte-order mark
    return with_segments(base, parts, _index(whole, len(gain), whole - origin)) + gain


def _index(first: int, second: int, offset: int) -> bytes:
    """The multi-picture index of two pictures: their sizes, and where the second begins."""
    entries = struct.pack(">IIIHH", MPF_PRIMARY, first, 0, 0, 0) + struct.pack(
        ">IIIHH", 0, second, offset, 0, 0
    )
    tags = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", MPF_COUNT, 4, 1, 2)
    tags += struct.pack(">HHII", MPF_ENTRIES, 7, len(entries), 50)  # behind head, count, tags and end
    return _segment(APP2, MPF + b"MM\0*" + struct.pack(">IH", 8, 3) + tags + struct.pack(">I", 0) + entries)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
