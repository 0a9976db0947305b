"""`openhdr expand`: one photo -> HDR, and an honest account of what was measured and what is invented."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.light_files import LightFiles
from openhdr.cli.shared.outputs import apart, outputs, writable
from openhdr.cli.shared.process import isolate_option
from openhdr.cli.shared.several import each
from openhdr.cli.shared.terminal import echo_json, echo_notes, echo_notes_of_files, echo_written, progress_bar
from openhdr.core.errors import RequestError
from openhdr.core.options import argument, nested, option
from openhdr.pipeline.pipeline_options import ExpandOptions

if TYPE_CHECKING:
    from openhdr.pipeline.photo_to_hdr import Expansion

_HEAVY_CLIPPING = 0.3  # share of pixels from which another, shorter photo is worth more than any method


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    photos: tuple[Path, ...] = argument("PHOTO...")
    output: Path = option(
        "HDR file (.exr, .hdr, .tif; for screens .jpg, .avif, .jxl, .png), or a folder for several.",
        flags=("-o", "--output"),
    )
    options: ExpandOptions = nested(ExpandOptions)
    keep_stack: Path | None = option(
        "Folder for the exposures and masks that stack-itm predicts.", None, flags=("--save-stack",)
    )
    origin_map: Path | None = option(
        "Write what was measured (grey), recovered (yellow, orange) and invented (red).",
        None,
        flags=("--map",),
    )
    files: LightFiles = nested(LightFiles)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("expand", Request)
def expand(request: Request) -> None:
    """Turn one photo into an HDR image. Light above the clipping level is an estimate, not a measurement.

    \b
    openhdr expand photo.jpg -o out.exr --preview out.png --map map.png
    openhdr expand *.jpg -o expanded/

    In the result 1.0 is the level at which the photo clips.
    """
    jobs = [(*job, request) for job in zip(request.photos, _outputs(request), strict=True)]
    _refuse_early(request, [job[1] for job in jobs])
    with progress_bar():
        facts = each("expanding", jobs, _one)
    if request.as_json:
        echo_json(facts[0] if len(jobs) == 1 and facts else facts)
        return
    for one in facts:
        click.echo(_printed(one))
    echo_written((request.files.preview, request.origin_map, request.keep_stack) if facts else ())


def _outputs(request: Request) -> list[Path]:
    singles = {
        "--preview": request.files.preview,
        "--map": request.origin_map,
        "--save-stack": request.keep_stack,
    }
    asked = [name for name, path in singles.items() if path]
    if len(request.photos) > 1 and asked:
        raise RequestError(f"{asked[0]} takes one photo; got {len(request.photos)}: expand them one by one")
    return outputs(request.photos, request.output, ".exr")


def _refuse_early(request: Request, paths: list[Path]) -> None:
    """What can be refused before the work."""
    from openhdr.pipeline.scale import check_anchor

    check_anchor(request.options.anchor)
    request.files.refuse(paths[0])
    writable(request.origin_map)
    apart(request.photos, (*paths, request.files.preview, request.origin_map))


def _one(photo: Path, output: Path, request: Request) -> dict[str, Any]:
    """Expand one photo and write all that was asked for; the facts."""
    from openhdr.pipeline.photo_to_hdr import expand_photo

    options = replace(request.options, keep_stack=request.keep_stack is not None)
    expansion = expand_photo(photo, options)
    written = _write(expansion, output, request)
    facts = _facts(expansion, output, request)
    echo_notes(photo.name, expansion.result.image.notes)
    echo_notes_of_files(written)
    if facts["recovered"] + facts["invented"] > _HEAVY_CLIPPING:
        share = 100 * (facts["recovered"] + facts["invented"])
        echo_notes(
            photo.name, (f"{share:.0f} % of it clips; a shorter exposure and `openhdr merge` show more",)
        )
    return facts


def _write(expansion: Expansion, output: Path, request: Request) -> list[tuple[Path, tuple[str, ...]]]:
    """Write all that is asked for; each image with its notes."""
    from openhdr import io
    from openhdr.core.image import Image
    from openhdr.pipeline.delivery import storage, write_preview, write_result

    image, files = expansion.result.image, request.files
    options = storage(files.delivery, expansion.image)
    written = [(output, write_result(output, expansion.image, options, files.operator))]
    if files.preview:
        written.append((files.preview, write_preview(files.preview, image, files.operator)))
    if request.origin_map:
        written.append(
            (request.origin_map, io.write(request.origin_map, Image(expansion.result.map(), "srgb")))
        )
    if request.keep_stack:
        _write_stack(expansion, request.keep_stack)
    return written


def _write_stack(expansion: Expansion, folder: Path) -> None:
    """up.png photo.png down.png in 16 bits, masks.png (red: up, green: photo, blue: down), stack.json."""
    from openhdr import io
    from openhdr.core.files import make_folder, whole_file
    from openhdr.core.image import Image

    make_folder(folder, "choose another folder")
    for frame in expansion.stack:
        pixels = _codes(frame.image.pixels, 65535)
        io.write(folder / f"{frame.name}.png", Image(pixels, "srgb"))
    if expansion.masks is not None:
        io.write(folder / "masks.png", Image(_codes(expansion.masks, 255), "srgb"))
    facts = {"frames": [{"file": f"{frame.name}.png", "ev": frame.ev} for frame in expansion.stack]}
    with whole_file(folder / "stack.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n")


def _codes(values: Any, top: int) -> Any:
    """0..1 -> 8- or 16-bit codes."""
    import numpy as np

    return np.rint(values * np.float32(top)).astype(np.uint8 if top == 255 else np.uint16)


def _facts(expansion: Expansion, output: Path, request: Request) -> dict[str, Any]:
    """What `--json` prints."""
    from openhdr.color.dynamic_range import stops

    image = expansion.result.image
    return {
        "output": str(output),
        "width": image.width,
        "height": image.height,
        "method": expansion.method,
        "response": request.options.response,
        "anchor": request.options.anchor,
        "stops": stops(image.pixels),
        **asdict(expansion.result.claims),
        "stack": [{"name": frame.name, "ev": frame.ev} for frame in expansion.stack],
    }


def _printed(facts: dict[str, Any]) -> str:
    shares = ", ".join(f"{100 * facts[part]:.1f} % {part}" for part in ("measured", "recovered", "invented"))
    claim = f"up to {facts['stops_above_clip']:.1f} stops above the clipping level"
    return (
        f"{facts['output']}: {facts['width']}x{facts['height']}, {facts['stops']:.1f} stops; "
        f"method {facts['method']}\n  {shares}; claims {claim}"
    )
