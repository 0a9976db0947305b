"""What the head of a JPEG XL codestream says: size, samples, orientation and colours (ISO/IEC 18181-1, annex D and E).

Decoders hand the samples over as they are coded; how they stand for light stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

from openhdr.io.metadata.cicp import SRGB, Coding

CODESTREAM = b"\xff\x0a"
RATIOS = (0.0, 1.0, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2.0)  # width to height
GREY, XYB = 1, 2  # colour spaces
CUSTOM = 2
PRIMARIES = {1: 1, 9: 9, 11: 12}  # of JPEG XL -> of H.273
MAX_CHANNELS = 64


class Bits:
    """Reads numbers from bytes, lowest bit first. Raises ValueError at their end."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self.left:
            raise ValueError("the header ends early")
        found = self.value & (1 << count) - 1
        self.value >>= count
        self.left -= count
        return found

    def flag(self) -> bool:
        return self.take(1) == 1

    def choice(self, *forms: tuple[int, int]) -> int:
        """A number whose form two bits choose: (least, bits)."""
        least, bits = forms[self.take(2)]
        return least + self.take(bits)

    def enum(self) -> int:
        return self.choice((0, 0), (1, 0), (2, 4), (18, 6))


@dataclass(frozen=True)
class Header:
    """width, height: as stored. bits: of a sample. coding None: an ICC profile or custom colours."""

    width: int
    height: int
    bits: int
    floating: bool
    channels: int
    orientation: int
    coding: Coding | None
    gamma: float | None = None


def parse(data: bytes) -> Header:
    """The head of a codestream. Raises ValueError for damage."""
    if data[:2] != CODESTREAM:
        raise ValueError("no JPEG XL codestream")
    bits = Bits(data[2:])
    width, height = _size(bits)
    if bits.flag():  # everything as usual
        return Header(width, height, 8, False, 3, 1, Coding())
    orientation = _extra_fields(bits) if bits.flag() else 1
    floating, depth = _depth(bits)
    bits.flag()  # 16-bit buffers suffice
    extra = bits.choice((0, 0), (1, 0), (2, 4), (1, 12))
    if extra > MAX_CHANNELS:
        raise ValueError(f"{extra} extra channels")
    for _ in range(extra):
        _extra_channel(bits)
    bits.flag()  # XYB
    colours, coding, gamma = _colours(bits)
    return Header(width, height, depth, floating, colours + extra, orientation, coding, gamma)


def _size(bits: Bits) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.choice((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.take(3)
    return (int(height * RATIOS[ratio] + 1e-6) if ratio else side()), height


def _extra_fields(bits: Bits) -> int:
    """Orientation; what is said of previews and animations is passed over."""
    orientation = bits.take(3) + 1
    if bits.flag():
        _size(bits)
    if bits.flag():
        _preview(bits)
    if bits.flag():  # animation: ticks a second, loops, time codes
        bits.choice((100, 0), (1000, 0), (1, 10), (1, 30))
        bits.choice((1, 0), (1001, 0), (1, 8), (1, 10))
        bits.choice((0, 0), (0, 3), (0, 16), (0, 32))
        bits.flag()
    return orientation


def _preview(bits: Bits) -> None:
    eighths = ((16, 0), (32, 0), (1, 5), (33, 9))
    plain = ((1, 6), (65, 8), (321, 10), (1345, 12))
    forms = eighths if bits.flag() else plain
    bits.choice(*forms)
    if bits.take(3) == 0:
        bits.choice(*forms)


def _depth(bits: Bits) -> tuple[bool, int]:
    if bits.flag():
        depth = bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)  # of the exponent
        return True, depth
    return False, bits.choice((8, 0), (10, 0), (12, 0), (1, 6))


def _extra_channel(bits: Bits) -> None:
    if bits.flag():  # alpha
        return
    kind = bits.enum()
    _depth(bits)
    bits.choice((0, 0), (3, 0), (4, 0), (1, 3))
    for _ in range(bits.choice((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.take(8)
    if kind == 0:
        bits.flag()
    elif kind == 2:
        bits.take(64)
    elif kind == 5:
        bits.choice((1, 0), (0, 2), (3, 4), (19, 8))


def _colours(bits: Bits) -> tuple[int, Coding | None, float | None]:
    """(channels, code points, gamma); None where a profile or custom numbers say what colours are."""
    if bits.flag():
        return 3, Coding(), None
    profile, space = bits.flag(), bits.enum()
    channels = 1 if space == GREY else 3
    if profile or space == XYB:
        return channels, None, None
    custom = _white(bits)
    primaries = 1
    if space != GREY:
        primaries = bits.enum()
        if primaries == CUSTOM:
            for _ in range(6):
                bits.choice((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
    if bits.flag():
        gamma = bits.take(24) * 1e-7
        return channels, None, gamma
    transfer = bits.enum()
    if custom or primaries not in PRIMARIES:
        return channels, None, None
    return channels, Coding(PRIMARIES[primaries], transfer if transfer != CUSTOM else SRGB), None


def _white(bits: Bits) -> bool:
    """Whether the white is another than D65."""
    white = bits.enum()
    if white == CUSTOM:
        for _ in range(2):
            bits.choice((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
    return white != 1
