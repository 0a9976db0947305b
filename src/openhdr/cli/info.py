"""`openhdr info`: what files hold, and which of them form brackets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.batch import each
from openhdr.cli.common import echo_json, format_table, progress_bar

if TYPE_CHECKING:
    from openhdr.camera.grouping import Shot


@click.command("info")
@click.argument("images", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def info(images: tuple[Path, ...], as_json: bool) -> None:
    """Describe images: size, exposure, dynamic range, clipping, and how photos group into brackets.

    The range in stops goes from the darkest areas of 9x9 pixels, in which noise averages out to its level, to the
    brightest pixels, but for 0.1 % at either end; black pixels are left out.
    """
    with progress_bar():
        files = each("reading", [(path,) for path in images], describe)
    brackets = _brackets(files)
    why = (
        ""
        if brackets
        else _why_none([one for one in files if one["encoding"] == "srgb" or one["format"] == "raw"])
    )
    if as_json:
        echo_json({"files": files, "brackets": brackets, "why_no_bracket": why or None})
        return
    if files:
        click.echo(format_table([_printed(one) for one in files]))
    for names in brackets:
        click.echo(f"bracket of {len(names)}: {' '.join(names)}")
    if why:
        click.echo(f"no bracket: {why}")
    for one in files:
        for note in one["notes"]:
            click.echo(f"{one['name']}: {note}")


def describe(path: Path) -> dict[str, Any]:
    """Facts about one file."""
    from openhdr import io
    from openhdr.camera.clipping import clip_code
    from openhdr.camera.response import analytic
    from openhdr.color.dynamic_range import stops

    facts, image = io.probe(path), io.read(path)
    clip = clip_code([image])
    light = analytic("srgb").decode(image)
    exposure = image.exposure
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
        "clipped": float((image.pixels.max(axis=2) >= 0.99 * clip).mean()),
        "black": float((image.pixels.max(axis=2) == 0).mean()),
        "highest": float(light.max()),
        "stops": stops(light),
        "notes": list(image.notes),
    }


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
