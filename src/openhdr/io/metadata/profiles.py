"""ICC colour profiles: of photos that are read, as primaries and tone curves; of images that are written.

Specification: ICC.1:2022. A profile of three primaries and curves keeps the photo's own primaries, so that clipped
codes stay clipped codes; one of tables goes through Little CMS.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from openhdr.color.primaries import (
    D50_XYZ,
    PRIMARIES,
    REC2020,
    adaptation,
    chromaticities,
    same,
    title_of,
    to_xyz,
)
from openhdr.color.transfer import SRGB_CODE_BREAK, SRGB_GAMMA, SRGB_OFFSET, SRGB_SLOPE, srgb_encode
from openhdr.core.image import REC709, Chromaticities, Image

SRGB_STEP = 0.4 / 255  # curves that differ less from sRGB, in code values, are sRGB
COLORANT_TOLERANCE = 0.003
MAX_CURVE_POINTS = 1 << 16
PARAMETERS = (1, 3, 4, 5, 7)  # of parametric curves of types 0 to 4

Curve = Callable[[np.ndarray], np.ndarray]  # code 0..1 -> light 0..1


@dataclass(frozen=True)
class Profile:
    """What an embedded profile says. curves: of red, green and blue; None for tables of colours, which a colour
    management system has to convert."""

    name: str
    primaries: Chromaticities
    curves: tuple[Curve, ...] | None
    data: bytes


def parse(icc: bytes | None) -> Profile | None:
    """A profile for RGB or grey; None where there is none. Raises ValueError for a damaged one."""
    if not icc:
        return None
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ValueError("no ICC profile")
    space, tags, name = icc[16:20], _tags(icc), profile_name(icc)
    if space == b"GRAY" and b"kTRC" in tags:
        return Profile(name, REC709, (_curve(tags[b"kTRC"]),) * 3, icc)
    if space != b"RGB ":
        raise ValueError(f"it is for {space.decode('latin-1').strip()} colours")
    if b"A2B0" in tags or not {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"} <= set(tags):
        return Profile(name, REC2020, None, icc)
    columns = [
        struct.unpack_from(">3i", tags[name].ljust(20, b"\0"), 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")
    ]
    curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    return Profile(name, _chromaticities(np.array(columns).T / 65536), curves, icc)


def primaries_of(icc: bytes | None) -> Chromaticities:
    """The primaries that `with_profile` gives a photo."""
    try:
        profile = parse(icc)
    except (ValueError, struct.error):
        profile = None
    return REC709 if profile is None else profile.primaries


def _tags(icc: bytes) -> dict[bytes, bytes]:
    count = min(struct.unpack_from(">I", icc, 128)[0], 100)
    entries = struct.iter_unpack(">4sII", icc[132 : 132 + 12 * count][: (len(icc) - 132) // 12 * 12])
    return {name: icc[start : start + size] for name, start, size in entries}


def _chromaticities(colorants: np.ndarray) -> Chromaticities:
    """Of named primaries where the colorants (columns, XYZ under D50) are theirs, else those under D50."""
    for primaries in PRIMARIES.values():
        native = to_xyz(primaries)
        expected = adaptation(native.sum(1), D50_XYZ) @ native
        if np.abs(colorants - expected).max() < COLORANT_TOLERANCE:
            return primaries
    columns = np.column_stack([colorants, D50_XYZ])
    sums = columns.sum(0)
    if (sums <= 0).any():
        raise ValueError("colorants of no colour")
    found = chromaticities((columns[:2] / sums).T.ravel())
    to_xyz(found)  # refuses impossible ones
    return found


def _curve(tag: bytes) -> Curve:
    """A tone curve (ICC.1:2022, 10.6 and 10.18). Raises ValueError for damage."""
    if tag[:4] == b"curv" and len(tag) >= 12:
        count = struct.unpack_from(">I", tag, 8)[0]
        points = np.frombuffer(tag[12 : 12 + 2 * min(count, MAX_CURVE_POINTS)], ">u2")
        if len(points) != count:
            raise ValueError("a tone curve ends early")
        if count < 2:
            gamma = points[0] / 256 if count else 1.0
            return lambda code: code**gamma
        places = np.linspace(0, 1, count)
        return lambda code: np.interp(code, places, points / 65535)
    kind = struct.unpack_from(">H", tag, 8)[0] if tag[:4] == b"para" and len(tag) >= 12 else len(PARAMETERS)
    if kind >= len(PARAMETERS) or len(tag) < 12 + 4 * PARAMETERS[kind]:
        raise ValueError("an unknown tone curve")
    given = [value / 65536 for value in struct.unpack_from(f">{PARAMETERS[kind]}i", tag, 12)]
    gamma, a, b, c, d, e, f = given + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(given) - 1 :]
    if kind == 1 and a:  # begins at -b / a
        d, c = -b / a, 0.0
    elif kind == 2 and a:
        d, e, f, c = -b / a, c, c, 0.0
    return lambda code: np.where(code >= d, np.maximum(a * code + b, 0) ** gamma + e, c * code + f)


def with_profile(image: Image, icc: bytes | None) -> Image:
    """The photo in the sRGB curve and the primaries of its profile; code values become uint16 where they change.

    image: code values as stored, or linear light, which takes the primaries alone.
    """
    try:
        profile = parse(icc)
    except (ValueError, struct.error) as error:
        name = f" '{profile_name(icc)}'" if icc else ""
        return image.with_notes(
            f"The colour profile{name} cannot be used ({error}); colours were read as Rec.709."
        )
    if profile is None:
        return image
    if profile.curves is None:
        return image if image.encoding == "linear" else _through_tables(image, profile)
    image = replace(image, primaries=profile.primaries)
    if image.encoding == "linear":
        return image
    codes = np.arange(int(image.full_scale) + 1) / image.full_scale
    curves = [srgb_encode(np.clip(curve(codes), 0, 1)) for curve in profile.curves]
    if np.abs(curves - codes).max() < SRGB_STEP:
        return image
    table = np.rint(np.stack(curves, 1) * 65535).astype(np.uint16)
    pixels = np.stack([table[:, channel][image.pixels[..., channel]] for channel in range(3)], axis=2)
    note = f"The tone curve of the profile '{profile.name}' was converted to that of sRGB."
    return image.with_pixels(pixels).with_notes(note)


def _through_tables(image: Image, profile: Profile) -> Image:
    """A profile with tables of colours, by Little CMS, into Rec.2020."""
    import imagecodecs

    target = display_profile(REC2020)
    try:
        pixels = imagecodecs.cms_transform(
            image.pixels, profile.data, target, colorspace="rgb", outcolorspace="rgb", outdtype=np.uint16
        )
    except (imagecodecs.CmsError, ValueError) as error:
        return image.with_notes(
            f"The profile '{profile.name}' cannot be used ({error}); colours were read as Rec.709."
        )
    note = f"Colours were converted from the profile '{profile.name}' to Rec.2020."
    return replace(image, pixels=np.ascontiguousarray(pixels), primaries=REC2020, notes=(*image.notes, note))


def profile_name(icc: bytes) -> str:
    """The description of an ICC profile (ICC.1:2022, 7.2 and 9.2.41), or 'unknown'."""
    count = struct.unpack_from(">I", icc, 128)[0] if len(icc) >= 132 else 0
    for index in range(min(count, 100)):
        entry = icc[132 + 12 * index : 144 + 12 * index]
        if len(entry) == 12 and entry[:4] == b"desc":
            start, size = struct.unpack(">II", entry[4:])
            return _description(icc[start : start + size]) or "unknown"
    return "unknown"


def display_profile(primaries: Chromaticities, gamma: float | None = None) -> bytes:
    """An ICC profile (version 4.3) of these primaries, with the sRGB curve or a gamma (ICC.1:2022, 7 and 8.3)."""
    white = to_xyz(primaries).sum(1)
    adapt = adaptation(white, D50_XYZ)
    columns = (adapt @ to_xyz(primaries)).T
    parts = (1 / (1 + SRGB_OFFSET), SRGB_OFFSET / (1 + SRGB_OFFSET), 1 / SRGB_SLOPE, SRGB_CODE_BREAK)
    numbers = (SRGB_GAMMA, *parts) if gamma is None else (gamma,)
    curve = b"para" + struct.pack(">IHH", 0, 3 if gamma is None else 0, 0) + _fixed(*numbers)
    name = "sRGB" if same(primaries, REC709) else title_of(primaries)
    tags = {b"desc": _text(name), b"cprt": _text("No copyright, use freely"), b"wtpt": _xyz(D50_XYZ)}
    tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(*adapt.ravel())
    tags |= {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    table, data, start = struct.pack(">I", len(tags) + 3), b"", 132 + 12 * (len(tags) + 3)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    for tag in (b"rTRC", b"gTRC", b"bTRC"):
        table += tag + struct.pack(">II", start + len(data), len(curve))
    data += curve
    head = struct.pack(">I4sI", start + len(data), bytes(4), 0x04300000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*D50_XYZ)
    return head.ljust(128, b"\0") + table + data


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _text(text: str) -> bytes:
    return (
        b"mluc"
        + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", 2 * len(text), 28)
        + text.encode("utf-16-be")
    )


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc" and len(tag) > 12:  # ICC v2: length, ASCII
        return tag[12 : 12 + struct.unpack_from(">I", tag, 8)[0]].split(b"\0")[0].decode("latin-1").strip()
    if tag[:4] == b"mluc" and len(tag) >= 28:  # ICC v4: the first of several languages, UTF-16
        length, offset = struct.unpack_from(">II", tag, 20)
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\0 ")
    return ""
