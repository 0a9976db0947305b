"""The `tmap` item of AVIF and HEIC files: a gain map's facts, and which images they join (ISO 21496-1, annex C.3)."""

from __future__ import annotations

import struct

from openhdr.core.image import Chromaticities
from openhdr.io.containers.boxes import Item, Pictures
from openhdr.io.format import Source
from openhdr.io.gainmap import GainFacts, UnusableMap, from_iso
from openhdr.io.metadata.cicp import Coding
from openhdr.io.metadata.profiles import primaries_of


def gain_map_of(source: Source, found: Pictures) -> tuple[GainFacts | None, int, tuple[str, ...]]:
    """Facts of the gain map, where there is one that is wanted and known, and the number of its item; and notes.

    Raises ValueError for damaged facts.
    """
    numbers = None if source.base else found.gain_map()
    if numbers is None:
        return None, 0, ()
    data = found.data(source.data, numbers[0])
    try:
        if data[:1] != b"\0":
            raise UnusableMap("its gain map has a later version")
        return from_iso(data[1:]), numbers[1], ()
    except UnusableMap as error:
        return None, 0, (f"Only the standard-range photo was read: {error}.",)


def gain_primaries(found: Pictures, facts: GainFacts) -> Chromaticities | None:
    """In which the gains hold: None = those of the shown image, else those of the `tmap` item."""
    numbers = found.gain_map()
    if facts.base_colours or numbers is None:
        return None
    item = found.items[numbers[0]]
    profile, coding = profile_of(item), coding_of_item(item)
    return primaries_of(profile) if profile else coding.chromaticities if coding else None


def coding_of_item(item: Item) -> Coding | None:
    """Code points of an image; None where a profile or nothing says what its colours are."""
    if profile_of(item):
        return None
    for kind, content in item.properties:
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            return Coding(*struct.unpack_from(">HH", content, 4))
    return None


def profile_of(item: Item) -> bytes | None:
    """The colour profile of an image."""
    for kind, content in item.properties:
        if kind == b"colr" and content[:4] in (b"prof", b"rICC"):
            return content[4:]
    return None
