"""`openhdr info`: what files hold, and which of them form brackets."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.outputs import writable
from openhdr.cli.shared.process import isolate_option
from openhdr.cli.shared.several import each
from openhdr.cli.shared.terminal import echo_json, format_table, progress_bar
from openhdr.core.errors import printable
from openhdr.core.options import argument, option

if TYPE_CHECKING:
    from openhdr.core.image import Image
    from openhdr.io import ImageInfo

FEW = 4  # files whose pixels are read without being asked for
SHOWN = 5  # names of a bracket that are printed; --json and --plan have all


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("FILE|FOLDER...")
    pixels: bool | None = option(
        f"Read pixels, for range and clipping.  [default: of up to {FEW} files that are named]", None
    )
    plan: Path | None = option("Write the brackets as a file to edit, for `openhdr batch --plan`.", None)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("info", Request)
def info(request: Request) -> None:
    """Describe images: size, exposure, dynamic range, clipping, HDR facts, and how photos group into brackets.

    \b
    openhdr info photo.jpg
    openhdr info DCIM/ --plan plan.toml

    Photos are grouped by what the camera wrote about them; a folder is its photos and those of the folders in it. The
    range of HDR files and RAW, in stops, goes from the darkest areas of 9x9 pixels, in which noise averages out to its
    level, to the brightest pixels, but for 0.1 % at either end; black pixels are left out. Other photos show none:
    their codes tell light only through their camera's curve.
    """
    from openhdr import io
    from openhdr.batch.card import brackets_of, photos_in
    from openhdr.batch.plan import Plan, common_folder, write_plan

    writable(request.plan, ".toml")
    files = [file for path in request.images for file in photos_in(path)]
    few = len(files) <= FEW and not any(path.is_dir() for path in request.images)
    pixels = few if request.pixels is None else request.pixels
    with progress_bar():
        found = each("reading", [(path, pixels) for path in files], _described if pixels else _probed)
    brackets = [[str(photo.path) for photo in members] for members in brackets_of([one for one, _ in found])]
    grouped = {name for members in brackets for name in members}
    photos = [
        photo
        for photo, _ in found
        if not io.is_result(photo.metadata)
        and (photo.encoding == "srgb" or io.may_hold_sensor_values(photo.path) or photo.gain_map)
    ]
    report = {
        "images": [facts for _, facts in found],
        "brackets": brackets,
        "singles": [facts["name"] for _, facts in found if facts["name"] not in grouped],
        "why_no_bracket": None if brackets else _why_none(photos) or None,
    }
    folder = common_folder(request.images)
    if request.plan:
        write_plan(request.plan, Plan.of([photo for photo, _ in found], folder))
    if request.as_json:
        echo_json(report)
    else:
        _print(report, Path(folder), pixels)


def _print(report: dict[str, Any], folder: Path, pixels: bool) -> None:
    """The report as a table and sentences. Names are short where they have more than the root in common."""

    def short(name: str) -> str:
        return name if folder == folder.parent else os.path.relpath(name, folder)

    images = [{**one, "name": short(one["name"])} for one in report["images"]]
    if images:
        click.echo(format_table([_printed(one, pixels) for one in images]))
    groups = [(f"bracket of {len(members)}", members) for members in report["brackets"]]
    if groups and report["singles"]:
        groups.append(("in no bracket", report["singles"]))
    for what, members in groups:
        shown = [short(name) for name in members]
        shown = [*shown[: SHOWN - 1], "...", shown[-1]] if len(shown) > SHOWN else shown
        click.echo(printable(f"{what}: {' '.join(shown)}"))
    if report["why_no_bracket"]:
        click.echo(f"no bracket: {report['why_no_bracket']}")
    said: dict[str, list[str]] = {}
    for one in images:
        for note in (*_hdr_facts(one), *one["notes"]):
            said.setdefault(note, []).append(one["name"])
    for note, names in said.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        click.echo(printable(f"{names[0]}{more}: {note}"))


def _probed(path: Path, pixels: bool) -> tuple[ImageInfo, dict[str, Any]]:
    from openhdr import io

    facts = io.probe(path)
    return facts, _facts(facts)


def _described(path: Path, pixels: bool) -> tuple[ImageInfo, dict[str, Any]]:
    """With what only pixels tell."""
    from openhdr import io
    from openhdr.camera.clipping import clip_code
    from openhdr.camera.response import analytic
    from openhdr.color.dynamic_range import stops

    facts, image = io.probe(path), io.read(path, primaries=None)
    clip = clip_code([image])
    light = analytic("srgb").decode(image)
    highest = float(light.max())
    white = image.metadata.get("white_luminance")
    return facts, _facts(facts) | {
        "clipped": float((image.pixels.max(axis=2) >= 0.99 * clip).mean()),
        "black": float((image.pixels.max(axis=2) == 0).mean()),
        "highest": highest,
        "peak_cd_m2": highest * white if white else None,
        "stops": stops(light) if image.encoding == "linear" else None,
        "headroom_stops": _headroom(facts, image, highest),
        "notes": list(image.notes),
    }


def _facts(facts: ImageInfo) -> dict[str, Any]:
    """About one file, as `--json` prints it; what only pixels tell is None."""
    from openhdr.camera.remembered import camera_of
    from openhdr.color.primaries import name_of

    exposure = facts.exposure
    return {
        "name": str(facts.path),
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "channels": facts.channels,
        "bits": facts.bits,
        "encoding": facts.encoding,
        "time_s": exposure.time_s if exposure else None,
        "iso": exposure.iso if exposure else None,
        "f_number": exposure.f_number if exposure else None,
        "camera": camera_of(facts.metadata),
        "date": facts.metadata.get("date"),
        "software": facts.metadata.get("software", ""),
        "clipped": None,
        "black": None,
        "highest": None,
        "peak_cd_m2": None,
        "stops": None,
        "headroom_stops": facts.gain_map.headroom if facts.gain_map else None,
        "primaries": name_of(facts.primaries),
        "gain_map": None if facts.gain_map is None else asdict(facts.gain_map),
        "notes": list(facts.notes),
    }


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
        peak = f"; peak {one['highest']:.4g}{nits}" if one["highest"] else ""
        said.append(f"headroom {one['headroom_stops']:.2f} stops over white{peak}")
    if one["primaries"] != "rec709":
        of_its_own = one["primaries"].split()
        pairs = zip(("red", "green", "blue", "white"), of_its_own[::2], of_its_own[1::2], strict=False)
        named = ", ".join(f"{name} {x} {y}" for name, x, y in pairs)
        said.append(f"primaries of its own (x y): {named}" if named else f"primaries {one['primaries']}")
    return said


def _why_none(photos: list[ImageInfo]) -> str:
    """Why photos that form no bracket do not, and what to do; "" for a single one."""
    from openhdr.batch.card import shot_of
    from openhdr.bracketing.grouping import LONGEST_PAUSE, why_none

    # a mask or a screenshot among photos is not what keeps them apart
    kinds = {(photo.format, photo.width, photo.height) for photo in photos if photo.exposure}
    alike = [photo for photo in photos if (photo.format, photo.width, photo.height) in kinds]
    photos = alike if len(alike) > 1 else photos
    found = why_none([shot_of(photo) for photo in photos]) if len(photos) > 1 else None
    if found is None:
        return ""
    what, index = found
    one, before = (photos[i].path.name for i in (index, index - 1))
    sizes = [f"{photos[i].width}x{photos[i].height}" for i in (index, index - 1)]
    known = "merge takes the exposures from --ev or --times, or measures them with --ev auto"
    scene = "merge takes them if they show one scene"
    return {
        "unknown exposure": f"{one} has no shutter time in its metadata; {known}",
        "same exposure": f"the metadata give {before} and {one} the same exposure; if they differ, {known}",
        "other size": f"{one} is {sizes[0]}, but {before} {sizes[1]}; export all frames at one size",
        "other camera": f"{one} and {before} name different cameras; {scene}",
        "long pause": f"{one} was not taken within {LONGEST_PAUSE:g} s after {before}; {scene}",
        "no bracket": f"exposures and times of {before} and {one} look like photos taken one by one; {scene}",
    }[what]


def _printed(one: dict[str, Any], pixels: bool) -> dict[str, str]:
    time_s = one["time_s"]
    shutter = "" if time_s is None else f"{time_s:g} s" if time_s >= 0.3 else f"1/{1 / time_s:.0f} s"
    told = {
        "file": printable(one["name"]),
        "format": f"{one['format']} {one['bits']}-bit",
        "size": f"{one['width']}x{one['height']}",
        "shutter": shutter,
        "ISO": f"{one['iso']:g}" if one["iso"] else "",
        "aperture": f"f/{one['f_number']:g}" if one["f_number"] else "",
    }
    if not pixels:
        return told
    return told | {
        "range": "" if one["stops"] is None else f"{one['stops']:.1f} stops",
        "highest": f"{one['highest']:.4g}",
        "clipped": f"{100 * one['clipped']:.1f} %",
    }
