"""`openhdr info`: what files hold, and which of them form brackets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.batch import each
from openhdr.cli.common import echo_json, format_table, progress_bar
from openhdr.cli.options import command
from openhdr.cli.process import isolate_option
from openhdr.core.errors import printable
from openhdr.core.options import argument, option

if TYPE_CHECKING:
    from openhdr.camera.grouping import Shot
    from openhdr.core.image import Image
    from openhdr.io import ImageInfo


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("FILE...")
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("info", Request)
def info(request: Request) -> None:
    """Describe images: size, exposure, dynamic range, clipping, HDR facts, and how photos group into brackets.

    The range in stops goes from the darkest areas of 9x9 pixels, in which noise averages out to its level, to the
    brightest pixels, but for 0.1 % at either end; black pixels are left out.
    """
    with progress_bar():
        images = each("reading", [(path,) for path in request.images], describe)
    camera = [one for one in images if not _is_result(one)]
    brackets = _brackets(camera)
    grouped = {name for names in brackets for name in names}
    singles = [one["name"] for one in images if one["name"] not in grouped]
    photos = [one for one in camera if one["encoding"] == "srgb" or one["format"] == "raw" or one["gain_map"]]
    why = "" if brackets else _why_none(photos)
    if request.as_json:
        echo_json({"images": images, "brackets": brackets, "singles": singles, "why_no_bracket": why or None})
        return
    if images:
        click.echo(format_table([_printed(one) for one in images]))
    for names in brackets:
        click.echo(printable(f"bracket of {len(names)}: {' '.join(names)}"))
    if why:
        click.echo(f"no bracket: {why}")
    for one in images:
        for note in (*_hdr_facts(one), *one["notes"]):
            click.echo(printable(f"{one['name']}: {note}"))


def describe(path: Path) -> dict[str, Any]:
    """Facts about one file."""
    from openhdr import io
    from openhdr.camera.clipping import clip_code
    from openhdr.camera.response import analytic
    from openhdr.color.dynamic_range import stops
    from openhdr.color.primaries import name_of

    facts, image = io.probe(path), io.read(path, primaries=None)
    clip = clip_code([image])
    light = analytic("srgb").decode(image)
    exposure, highest = image.exposure, float(light.max())
    white = image.metadata.get("white_luminance")
    return {
        "name": str(path),
        "format": facts.format,
        "width": image.width,
        "height": image.height,
        "channels": facts.channels,
        "bits": facts.bits,
        "encoding": image.encoding,
        "time_s": exposure.time_s if exposure else None,
        "iso": exposure.iso if exposure else None,
        "f_number": exposure.f_number if exposure else None,
        "camera": f"{image.metadata.get('make', '')} {image.metadata.get('model', '')}".strip(),
        "date": image.metadata.get("date"),
        "software": image.metadata.get("software", ""),
        "clipped": float((image.pixels.max(axis=2) >= 0.99 * clip).mean()),
        "black": float((image.pixels.max(axis=2) == 0).mean()),
        "highest": highest,
        "peak_cd_m2": highest * white if white else None,
        "stops": stops(light),
        "headroom_stops": _headroom(facts, image, highest),
        "primaries": name_of(facts.primaries),
        "gain_map": None if facts.gain_map is None else asdict(facts.gain_map),
        "notes": list(image.notes),
    }


def _is_result(one: dict[str, Any]) -> bool:
    """Whether it is HDR light of openhdr: it has the exposure of one of its photos, but is none of them."""
    return one["encoding"] == "linear" and one["software"].startswith("openhdr")


def _headroom(facts: ImageInfo, image: Image, highest: float) -> float | None:
    """Stops over white, 1.0, of an HDR picture: what a gain map declares, else of its brightest light."""
    if facts.gain_map is not None:
        return facts.gain_map.headroom
    return max(math.log2(highest), 0.0) if image.encoding == "linear" and highest > 0 else None


def _hdr_facts(one: dict[str, Any]) -> list[str]:
    """What a viewer of HDR pictures wants to know, in words."""
    said = []
    if one["gain_map"]:
        low, high = min(one["gain_map"]["low"]), max(one["gain_map"]["high"])
        said.append(f"gain map of {low:+.2f} to {high:+.2f} stops")
    if one["headroom_stops"]:
        nits = f", {one['peak_cd_m2']:.0f} cd/m2" if one["peak_cd_m2"] else ""
        said.append(f"headroom {one['headroom_stops']:.2f} stops over white; peak {one['highest']:.4g}{nits}")
    if one["primaries"] != "rec709":
        said.append(f"primaries {one['primaries']}")
    return said


def _brackets(files: list[dict[str, Any]]) -> list[list[str]]:
    from openhdr.camera.grouping import group

    return [[files[i]["name"] for i in members] for members in group(_shots(files))]


def _why_none(photos: list[dict[str, Any]]) -> str:
    """Why photos that form no bracket do not, and what to do; "" for a single one."""
    from openhdr.camera.grouping import GAP_S, why_none

    found = why_none(_shots(photos)) if len(photos) > 1 else None
    if found is None:
        return ""
    what, index = found
    one, before = (Path(photos[i]["name"]).name for i in (index, index - 1))
    sizes = [f"{photos[i]['width']}x{photos[i]['height']}" for i in (index, index - 1)]
    known = "merge takes the exposures from --ev or --times, or measures them with --ev auto"
    return {
        "unknown exposure": f"{one} has no shutter time in its metadata; {known}",
        "same exposure": f"the metadata give {before} and {one} the same exposure; if they differ, {known}",
        "other size": f"{one} is {sizes[0]}, but {before} {sizes[1]}; export all frames at one size",
        "other camera": f"{one} and {before} name different cameras; merge takes them if they show one scene",
        "long pause": f"{one} was not taken within {GAP_S:g} s after {before}; merge takes them if they show one scene",
    }[what]


def _shots(files: list[dict[str, Any]]) -> list[Shot]:
    from openhdr.camera.exposure import relative_ev
    from openhdr.camera.grouping import Shot
    from openhdr.core.image import Exposure

    shots = []
    for one in files:
        exposure = Exposure(one["time_s"], one["iso"], one["f_number"])
        ev = relative_ev(exposure) if exposure.time_s else None
        shots.append(
            Shot((one["width"], one["height"]), one["camera"], ev, exposure.time_s or 0.0, one["date"])
        )
    return shots


def _printed(one: dict[str, Any]) -> dict[str, str]:
    time_s = one["time_s"]
    shutter = "" if time_s is None else f"{time_s:g} s" if time_s >= 0.3 else f"1/{1 / time_s:.0f} s"
    return {
        "file": Path(one["name"]).name,
        "format": f"{one['format']} {one['bits']}-bit",
        "size": f"{one['width']}x{one['height']}",
        "shutter": shutter,
        "ISO": f"{one['iso']:g}" if one["iso"] else "",
        "aperture": f"f/{one['f_number']:g}" if one["f_number"] else "",
        "range": f"{one['stops']:.1f} stops",
        "highest": f"{one['highest']:.4g}",
        "clipped": f"{100 * one['clipped']:.1f} %",
    }
