"""Gain maps: an image for any screen, and a second one that says how many stops brighter a pixel really is.

    light = (base + base offset) * 2^gain - alternate offset
    gain  = low + (high - low) * code^(1 / gamma),  code 0..1, bilinear between the samples of the map

in linear light, 1.0 = the white of an SDR image. Formulas and the binary form: ISO 21496-1:2025; the XMP form:
Adobe, "Gain Map Specification" 1.0; Apple's form before ISO: its developer documentation, "Applying Apple HDR effect".
How the map is drawn: from the base as a decoder sees it, three channels, offsets of 1/1024 (the customary 1/64 loses
shadows that the base lifts), the bright end at the true maximum, the dark end at a quantile.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as Xml
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, log2

import numpy as np

from openhdr.color.channels import look_up
from openhdr.color.transfer import srgb_decode
from openhdr.io.pixels import in_strips

Triple = tuple[float, float, float]  # one number for red, green and blue

OFFSET = 1 / 1024
DARK_QUANTILE = 0.0005  # of the gains; what lies below is moved up to it
LEAST_HEADROOM = 1 / 16  # stops; a file cannot declare none
LARGEST_STOPS = 64.0  # of any number in a map's facts; more is damage

ISO_THREE, ISO_BASE_COLOURS, ISO_ONE_DENOMINATOR = 0x80, 0x40, 0x08  # flags of the binary form
HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
APPLE = "http://ns.apple.com/HDRGainMap/1.0/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MAX_XMP_BYTES = 1 << 20


class UnusableMap(ValueError):
    """The map is of a later version, missing, or of unknown strength: the base alone is to be shown."""


@dataclass(frozen=True)
class GainFacts:
    """How codes of a map stand for gain. Numbers in stops but for gamma and the offsets (linear light).

    base_headroom, alternate_headroom: peaks of the two renditions over SDR white.
    base_colours: whether gains hold in the base's primaries, else in those of the other rendition.
    apple: codes are sRGB-coded shares of the linear gain 2^alternate_headroom - 1.
    """

    low: Triple
    high: Triple
    base_headroom: float
    alternate_headroom: float
    gamma: Triple = (1.0, 1.0, 1.0)
    base_offset: Triple = (OFFSET, OFFSET, OFFSET)
    alternate_offset: Triple = (OFFSET, OFFSET, OFFSET)
    base_colours: bool = True
    apple: bool = False

    def __post_init__(self) -> None:
        numbers = (*self.low, *self.high, *self.gamma, *self.base_offset, *self.alternate_offset)
        headrooms = (self.base_headroom, self.alternate_headroom)
        if not all(isfinite(number) and abs(number) <= LARGEST_STOPS for number in (*numbers, *headrooms)):
            raise ValueError("the gain map declares an impossible number")
        if min(self.gamma) <= 0 or min(headrooms) < 0:
            raise ValueError("the gain map declares a gamma or a headroom below 0")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("the gain map declares a lowest gain above its highest")

    @property
    def headroom(self) -> float:
        """Stops over SDR white of the brighter rendition."""
        return max(self.base_headroom, self.alternate_headroom)

    @property
    def base_is_hdr(self) -> bool:
        """Whether the base is the brighter rendition, and the map leads down to SDR."""
        return self.base_headroom > self.alternate_headroom


def draw(light: np.ndarray, base: np.ndarray, headroom: float) -> tuple[GainFacts, np.ndarray]:
    """The map from `base` to `light`: facts and (H, W, 3) uint8 codes.

    light: (H, W, 3) float32, linear, >= 0, 1.0 = SDR white. base: (H, W, 3) uint8 sRGB codes as a decoder sees them, in
    the same primaries. headroom: stops to declare at most; light above is cut. Gains are computed twice rather than
    kept: to have as much memory again takes longer.
    """
    peak = min(float(light.max()), 2.0**headroom)
    shown = np.repeat(srgb_decode(np.arange(256) / 255)[:, None] + OFFSET, 3, axis=1).astype(np.float32)
    every = max(light.size // 1_000_000, 1)

    def gain(rows: slice) -> np.ndarray:
        part = np.minimum(light[rows], np.float32(peak))
        part += np.float32(OFFSET)
        part /= look_up(base[rows], shown)
        return np.log2(part, out=part)

    def measure(rows: slice) -> tuple[float, np.ndarray]:
        part = gain(rows)
        return float(part.max()), part.ravel()[::every].copy()

    highest, some = zip(*in_strips(measure, len(light)), strict=True)
    low = min(float(np.quantile(np.concatenate(some), DARK_QUANTILE)), 0.0)
    high = max(*highest, low + LEAST_HEADROOM)
    scale = np.float32(255 / (high - low))
    codes: np.ndarray = np.empty(light.shape, np.uint8)

    def encode(rows: slice) -> None:
        part = gain(rows)
        part -= np.float32(low)
        part *= scale
        codes[rows] = np.clip(np.rint(part, out=part), 0, 255, out=part)

    in_strips(encode, len(light))
    facts = GainFacts((low,) * 3, (high,) * 3, 0.0, max(log2(peak) if peak > 0 else 0.0, LEAST_HEADROOM))
    return facts, codes


def apply(base: np.ndarray, codes: np.ndarray, facts: GainFacts) -> np.ndarray:
    """The brighter rendition from the darker, (H, W, 3) float32, linear, 1.0 = SDR white; `base` is overwritten.

    base: (H, W, 3) float32, linear. codes: (h, w, 3) uint8 or uint16 of the map.
    """
    height, width = base.shape[:2]
    scale = np.float32(1 / np.iinfo(codes.dtype).max)
    if codes.shape[:2] != (height, width):
        import cv2

        codes = cv2.resize(codes.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    first, last = np.array(facts.base_offset, np.float32), np.array(facts.alternate_offset, np.float32)

    def work(rows: slice) -> None:
        base[rows] += first
        base[rows] *= _factors(codes[rows] * scale, facts)
        base[rows] -= last

    in_strips(work, height)
    return np.maximum(base, 0, out=base)


def _factors(share: np.ndarray, facts: GainFacts) -> np.ndarray:
    """What linear light is multiplied by. share: float32 codes 0..1."""
    if facts.apple:
        return 1 + np.float32(2.0**facts.alternate_headroom - 1) * srgb_decode(share).astype(np.float32)
    if facts.gamma != (1.0, 1.0, 1.0):
        share = share ** (1 / np.array(facts.gamma, np.float32))
    low, high = np.array(facts.low, np.float32), np.array(facts.high, np.float32)
    return np.exp2(low + (high - low) * share)


def to_iso(facts: GainFacts) -> bytes:
    """The binary form, ISO 21496-1, annex C.2: big-endian fractions."""
    flags = ISO_THREE | (ISO_BASE_COLOURS if facts.base_colours else 0)
    out = (
        struct.pack(">HHB", 0, 0, flags)
        + _fraction(facts.base_headroom)
        + _fraction(facts.alternate_headroom)
    )
    lists = (facts.low, facts.high, facts.gamma, facts.base_offset, facts.alternate_offset)
    return out + b"".join(_fraction(value) for channel in zip(*lists, strict=True) for value in channel)


def _fraction(value: float) -> bytes:
    ratio = Fraction(value).limit_denominator(1 << 20)
    return struct.pack(">iI", ratio.numerator, ratio.denominator)


def from_iso(data: bytes) -> GainFacts:
    """The facts in the binary form. Raises ValueError (damage) or UnusableMap."""
    if len(data) < 5:
        raise ValueError("the gain map's facts end early")
    least, _, flags = struct.unpack_from(">HHB", data)
    if least != 0:
        raise UnusableMap(f"the gain map needs a reader of version {least}")
    channels = 3 if flags & ISO_THREE else 1
    signs = "II" + "iiIii" * channels  # headrooms; of each channel low, high, gamma and the two offsets
    try:
        if flags & ISO_ONE_DENOMINATOR:
            bottom, *tops = struct.unpack_from(">I" + signs, data, 5)
            bottoms = [bottom] * len(tops)
        else:
            pairs = struct.unpack_from(">" + "".join(sign + "I" for sign in signs), data, 5)
            tops, bottoms = list(pairs[::2]), list(pairs[1::2])
    except struct.error as error:
        raise ValueError("the gain map's facts end early") from error
    if 0 in bottoms:
        raise ValueError("the gain map declares a fraction x/0")
    values = [top / bottom for top, bottom in zip(tops, bottoms, strict=True)]
    low, high, gamma, base, alternate = (_triple(values[2 + place :: 5]) for place in range(5))
    base_colours = bool(flags & ISO_BASE_COLOURS)
    return GainFacts(low, high, values[0], values[1], gamma, base, alternate, base_colours)


def _triple(values: list[float]) -> Triple:
    if len(values) not in (1, 3):
        raise ValueError(f"the gain map gives {len(values)} numbers for three channels")
    red, green, blue = values * (3 // len(values))
    return red, green, blue


def to_xmp(facts: GainFacts) -> bytes:
    """The XMP packet of the map. One number for all channels: readers in use take no lists."""
    numbers = {
        "GainMapMin": facts.low[0],
        "GainMapMax": facts.high[0],
        "Gamma": facts.gamma[0],
        "OffsetSDR": facts.base_offset[0],
        "OffsetHDR": facts.alternate_offset[0],
        "HDRCapacityMin": facts.base_headroom,
        "HDRCapacityMax": facts.alternate_headroom,
    }
    inside = "".join(f' hdrgm:{name}="{value:.7g}"' for name, value in numbers.items())
    return xmp_packet(f'xmlns:hdrgm="{HDRGM}" hdrgm:Version="1.0"{inside} hdrgm:BaseRenditionIsHDR="False"')


def xmp_packet(attributes: str, content: str = "") -> bytes:
    """An XMP packet with one description."""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="openhdr"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {attributes}>{content}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def properties(xmp: bytes, namespace: str) -> dict[str, list[str]]:
    """Properties of a namespace in an XMP packet: name -> values. Raises ValueError for damaged XML."""
    if len(xmp) > MAX_XMP_BYTES or b"<!DOCTYPE" in xmp or b"<!ENTITY" in xmp:
        raise ValueError("the XMP packet is too large or declares entities")
    begin = xmp.find(b"<x:xmpmeta")
    try:
        tree = Xml.fromstring(xmp[max(begin, 0) :].rstrip(b"\0 \n").partition(b"<?xpacket end")[0])
    except Xml.ParseError as error:
        raise ValueError(f"the XMP packet is damaged ({error})") from error
    found: dict[str, list[str]] = {}
    for element in tree.iter():
        for name, value in element.attrib.items():
            if name.startswith(f"{{{namespace}}}"):
                found[name.partition("}")[2]] = [value]
        if element.tag.startswith(f"{{{namespace}}}"):
            items = [item.text or "" for item in element.iter(f"{{{RDF}}}li")]
            found[element.tag.partition("}")[2]] = items or [element.text or ""]
    return found


def from_xmp(xmp: bytes) -> GainFacts | None:
    """The facts in a map's XMP packet, or None where it holds none. Raises ValueError or UnusableMap."""
    found = properties(xmp, HDRGM)
    if "Version" not in found:
        return None
    if found["Version"] != ["1.0"]:
        raise UnusableMap(f"the gain map has version {found['Version'][0][:20]}")

    def numbers(name: str, default: float | None) -> Triple:
        if name not in found and default is None:
            raise ValueError(f"the gain map's XMP has no {name}")
        return _triple([float(value) for value in found.get(name, [str(default)])])

    least, most = numbers("HDRCapacityMin", 0.0)[0], numbers("HDRCapacityMax", None)[0]
    hdr_base = found.get("BaseRenditionIsHDR", ["False"])[0].strip().lower() == "true"
    return GainFacts(
        numbers("GainMapMin", 0.0), numbers("GainMapMax", None),
        *((most, least) if hdr_base else (least, most)),
        numbers("Gamma", 1.0), numbers("OffsetSDR", 1 / 64), numbers("OffsetHDR", 1 / 64),
    )  # fmt: skip


def from_apple(stops: float) -> GainFacts:
    """The facts of Apple's own map, whose highest code adds `stops`."""
    return GainFacts(
        (0.0,) * 3, (stops,) * 3, 0.0, stops, apple=True, base_offset=(0.0,) * 3, alternate_offset=(0.0,) * 3
    )


def apple_stops(note_33: float | None, note_48: float | None) -> float | None:
    """Headroom from numbers 33 and 48 of Apple's maker note; None where they are missing.

    Piecewise linear, by Apple's documentation. Without number 48 it is taken as 0, the most headroom.
    """
    if note_33 is None:
        return None
    gain = note_48 or 0.0
    if note_33 < 1:
        stops = -20 * gain + 1.8 if gain <= 0.01 else -0.101 * gain + 1.601
    else:
        stops = -70 * gain + 3.0 if gain <= 0.01 else -0.303 * gain + 2.303
    return max(stops, 0.0)
