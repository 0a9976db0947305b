"""ISO media files that hold images (HEIF): AVIF and HEIC as containers. Items are found, and files put together.

Boxes: ISO/IEC 14496-12 and 23008-12. A gain map is an item of its own; a third item, `tmap`, holds its facts and
names image and map by a `dimg` reference (ISO 21496-1, annex C.3; ISO/IEC 23008-12 amendment 1). Whatever is
declared is checked against the file: counts, lengths and depth are bounded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openhdr.io.format import Bytes

MAX_BOXES, MAX_ITEMS, MAX_META_BYTES = 4000, 4096, 1 << 22
CODED = (b"av01", b"hvc1", b"hev1")  # items of coded images
ENDING = 8  # bytes of a coded image that are never all zero at its end


@dataclass
class Item:
    """One item. places: (offset, length) in the file. properties: (type, content). refers: type -> item numbers."""

    kind: bytes
    places: list[tuple[int, int]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    refers: dict[bytes, list[int]] = field(default_factory=dict)

    def property(self, kind: bytes) -> bytes | None:
        return next((content for name, content in self.properties if name == kind), None)


@dataclass(frozen=True)
class Pictures:
    """What a file holds. primary: number of the item to show; primary_place: (offset, length) of that number.
    alternatives: groups of items, of which a reader shows the first that it knows."""

    primary: int
    primary_place: tuple[int, int]
    items: dict[int, Item]
    alternatives: list[tuple[int, ...]]

    @property
    def shown(self) -> Item:
        return self.items[self.primary]

    def gain_map(self) -> tuple[int, int] | None:
        """Numbers of the `tmap` item that readers prefer to the shown one, and of its map; None where there is none."""
        for number, item in self.items.items():
            inputs = item.refers.get(b"dimg", [])
            groups = [group for group in self.alternatives if self.primary in group]
            preferred = any(number in group[: group.index(self.primary)] for group in groups)
            if item.kind == b"tmap" and len(inputs) == 2 and inputs[0] == self.primary and preferred:
                return number, inputs[1]
        return None

    def data(self, file: Bytes, number: int, limit: int = 1 << 20) -> bytes:
        """The bytes of an item. Raises ValueError for more than `limit` or what lies outside the file."""
        places = self.items[number].places
        if not places or sum(length for _, length in places) > limit:
            raise ValueError(f"item {number} has no bytes, or too many")
        out = b"".join(file[start : start + length] for start, length in places)
        if len(out) != sum(length for _, length in places):
            raise ValueError(f"item {number} ends early")
        return out


def pictures(file: Bytes) -> Pictures:
    """The items of a file. Raises ValueError where its directory is damaged."""
    try:
        for kind, start, end in boxes(file, 0, len(file)):
            if kind == b"meta":
                if end - start > MAX_META_BYTES:
                    raise ValueError("the directory of items is too large")
                return _parse(file[start:end], start)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("the directory of items is damaged") from error
    raise ValueError("no directory of items")


def check_complete(file: Bytes, found: Pictures) -> None:
    """Raise ValueError when a coded image lies beyond the end of the file, or ends in zeros as a broken copy does."""
    for item in found.items.values():
        for start, length in item.places if item.kind in CODED else ():
            if start + length > len(file):
                raise ValueError("it ends early")
            if length > ENDING and not any(file[start + length - ENDING : start + length]):
                raise ValueError("zeros stand where pixels should be")


def boxes(data: Bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of the contents of the boxes in a range."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        head = 16 if size == 1 else 8
        if size == 1:
            size = int.from_bytes(data[start + 8 : start + 16])
        stop = end if size == 0 else start + size
        if stop > end or stop < start + head:
            raise ValueError(f"a box '{kind.decode('latin-1')}' reaches beyond its place")
        yield kind, start + head, stop
        start = stop


def _parse(meta: bytes, origin: int) -> Pictures:
    """The directory. meta: content of the box, at `origin` in the file."""
    children = {kind: (start, end) for kind, start, end in boxes(meta, 4, len(meta))}
    start = children[b"pitm"][0]
    width = 2 if meta[start] == 0 else 4
    primary_place = (origin + start + 4, width)
    primary = int.from_bytes(meta[start + 4 : start + 4 + width])
    items = _items(meta, *children[b"iinf"])
    idat = origin + children.get(b"idat", (0, 0))[0]
    _locations(meta, *children[b"iloc"], items, idat)
    if b"iref" in children:
        _references(meta, *children[b"iref"], items)
    if b"iprp" in children:
        _properties(meta, *children[b"iprp"], items)
    if primary not in items:
        raise ValueError("the item to show is missing")
    groups = []
    for kind, begin, stop in boxes(meta, *children.get(b"grpl", (0, 0))):
        if kind == b"altr" and stop - begin >= 12:
            numbers = meta[begin + 12 : stop]
            groups.append(struct.unpack(f">{len(numbers) // 4}I", numbers[: len(numbers) // 4 * 4]))
    return Pictures(primary, primary_place, items, groups)


def _items(meta: bytes, start: int, end: int) -> dict[int, Item]:
    place = start + (6 if meta[start] == 0 else 8)
    items: dict[int, Item] = {}
    for kind, begin, _ in boxes(meta, place, end):
        if kind == b"infe" and meta[begin] >= 2 and len(items) < MAX_ITEMS:
            wide = meta[begin] >= 3
            number = struct.unpack_from(">I" if wide else ">H", meta, begin + 4)[0]
            name = begin + (10 if wide else 8)
            items[number] = Item(meta[name : name + 4])
    return items


def _locations(meta: bytes, start: int, end: int, items: dict[int, Item], idat: int) -> None:
    version = meta[start]
    offsets, lengths, bases, indices = (
        *(meta[start + 4] >> 4, meta[start + 4] & 15),
        *(meta[start + 5] >> 4, meta[start + 5] & 15),
    )
    wide = 2 if version < 2 else 4
    place = start + 6

    def number(size: int) -> int:
        nonlocal place
        if place + size > end:
            raise ValueError("the table of places ends early")
        place += size
        return int.from_bytes(meta[place - size : place])

    for _ in range(min(number(wide), MAX_ITEMS)):
        item, method = number(wide), number(2) & 15 if version else 0
        number(2)  # data reference
        base = number(bases) + (idat if method == 1 else 0)
        for _ in range(min(number(2), MAX_BOXES)):
            number(indices if version else 0)
            offset, length = number(offsets), number(lengths)
            if item in items:
                items[item].places.append((base + offset, length))


def _references(meta: bytes, start: int, end: int, items: dict[int, Item]) -> None:
    form = ">H" if meta[start] == 0 else ">I"
    width = struct.calcsize(form)
    for kind, begin, stop in boxes(meta, start + 4, end):
        source, count = struct.unpack_from(form + "H", meta, begin)
        begin += width + 2
        count = min(count, (stop - begin) // width)
        targets = [struct.unpack_from(form, meta, begin + width * index)[0] for index in range(count)]
        if source in items:
            items[source].refers[kind] = targets


def _properties(meta: bytes, start: int, end: int, items: dict[int, Item]) -> None:
    known: list[tuple[bytes, bytes]] = []
    for kind, begin, stop in boxes(meta, start, end):
        if kind == b"ipco":
            known = [(name, meta[first:last]) for name, first, last in boxes(meta, begin, stop)]
        elif kind == b"ipma":
            version, flags = meta[begin], meta[begin + 3]
            place = begin + 8
            for _ in range(min(struct.unpack_from(">I", meta, begin + 4)[0], MAX_ITEMS)):
                number = struct.unpack_from(">H" if version == 0 else ">I", meta, place)[0]
                place += 2 if version == 0 else 4
                count, width = meta[place], 2 if flags & 1 else 1
                for index in range(count):
                    entry = int.from_bytes(meta[place + 1 + width * index : place + 1 + width * (index + 1)])
                    entry &= 0x7FFF if flags & 1 else 0x7F
                    if 0 < entry <= len(known) and number in items:
                        items[number].properties.append(known[entry - 1])
                place += 1 + width * count


def showing(file: Bytes, found: Pictures, number: int) -> bytes:
    """A copy of the file that shows another of its items, so that a decoder decodes that one."""
    start, width = found.primary_place
    return file[:start] + number.to_bytes(width) + file[start + width :]


@dataclass(frozen=True)
class NewItem:
    """An item of a file to write. properties: (type, content, essential). refers: type -> item numbers, from 1."""

    kind: bytes
    data: bytes
    properties: tuple[tuple[bytes, bytes, bool], ...] = ()
    refers: dict[bytes, list[int]] = field(default_factory=dict)
    hidden: bool = False


def box(kind: bytes, *content: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, content))) + kind + b"".join(content)


def full_box(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def together(items: list[NewItem], brands: tuple[bytes, ...], alternatives: list[int]) -> bytes:
    """A file of items, numbered from 1; the first is shown. alternatives: items of which a reader shows the first
    that it knows."""
    head = box(b"ftyp", brands[0], bytes(4), *brands)
    known = list(dict.fromkeys((kind, content) for item in items for kind, content, _ in item.properties))
    handler = full_box(b"hdlr", bytes(4), b"pict", bytes(12), b"\0")
    infos = [
        full_box(
            b"infe", struct.pack(">HH4s", number, 0, item.kind), b"\0", version=2, flags=int(item.hidden)
        )
        for number, item in enumerate(items, 1)
    ]
    references = [
        box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
        for number, item in enumerate(items, 1)
        for kind, targets in item.refers.items()
    ]
    associations = b"".join(
        struct.pack(">HB", number, len(item.properties))
        + bytes(
            known.index((kind, content)) + 1 | essential << 7 for kind, content, essential in item.properties
        )
        for number, item in enumerate(items, 1)
    )
    properties = box(
        b"iprp",
        box(b"ipco", *(box(kind, content) for kind, content in known)),
        full_box(b"ipma", struct.pack(">I", len(items)), associations),
    )
    group = full_box(
        b"altr", struct.pack(f">II{len(alternatives)}I", len(items) + 1, len(alternatives), *alternatives)
    )

    def meta(first: int) -> bytes:
        entries, place = b"", first
        for number, item in enumerate(items, 1):
            entries += struct.pack(">HHHII", number, 0, 1, place, len(item.data))
            place += len(item.data)
        return full_box(
            b"meta", handler, full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), entries),
            full_box(b"iinf", struct.pack(">H", len(items)), *infos),
            full_box(b"iref", *references) if references else b"",
            properties, box(b"grpl", group) if alternatives else b"",
        )  # fmt: skip

    directory = meta(len(head) + len(meta(0)) + 8)
    return head + directory + box(b"mdat", *(item.data for item in items))
