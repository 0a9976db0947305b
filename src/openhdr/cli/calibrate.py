"""`openhdr calibrate`: a bracket -> the camera's response."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.outputs import writable
from openhdr.cli.shared.terminal import echo_json, echo_notes, format_table, progress_bar
from openhdr.core.errors import RequestError
from openhdr.core.options import argument, nested, option
from openhdr.pipeline.pipeline_options import CalibrateOptions

if TYPE_CHECKING:
    from openhdr.camera.response import Response

SHOWN = (8, 16, 32, 64, 96, 128, 160, 192, 224, 240, 250)  # codes in the table


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("IMG...")
    output: Path | None = option("File of the curve (.json).", None, flags=("-o", "--output"))
    options: CalibrateOptions = nested(CalibrateOptions)
    remember: bool = option("Keep it for this camera: merge then finds it by itself.", False)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@command("calibrate", Request)
def calibrate(request: Request) -> None:
    """Recover a camera's response, the curve from light to codes, from a bracket.

    \b
    openhdr calibrate shots/ -o camera.json
    openhdr calibrate DSC1.jpg DSC2.jpg DSC3.jpg --remember

    Best is a scene with all brightnesses, from a tripod, in many exposures. Merge uses a curve by --response
    camera.json; one that lies beside the photos or was remembered it finds by the camera's name, and takes it
    unless the photos themselves show a better one.
    """
    from openhdr.camera import remembered
    from openhdr.merging.measured import percent
    from openhdr.pipeline.bracket_to_response import calibrate as recover

    writable(request.output, ".json")
    with progress_bar():
        response = recover(request.images, request.options)
    files = [request.output] if request.output else []
    if request.remember:
        if not response.camera:
            raise RequestError("--remember: the photos do not name their camera; use -o and merge --response")
        files.append(remembered.file_of(response.camera))
        files[-1].parent.mkdir(parents=True, exist_ok=True)
    for path in files:
        response.save(path)
    if request.as_json:
        echo_json(_facts(response, files))
        return
    click.echo("light at a code, in stops over that at code 128")
    click.echo(format_table(_stops(response)))
    if not files:
        echo_notes("", ("the curve was not kept; give -o FILE or --remember",))
    for path in files:
        click.echo(
            f"{path}: {response.name}" + (f", {percent(response.error)} error" if response.error else "")
        )


def _facts(response: Response, files: list[Path]) -> dict[str, Any]:
    return {
        "files": [str(path) for path in files],
        "camera": response.camera,
        "error": response.error / 255 if response.error else None,
        "curve": response.curve.tolist(),
    }


def _stops(response: Response) -> list[dict[str, str]]:
    """Light of some codes in stops relative to code 128, beside sRGB's."""
    import numpy as np

    from openhdr.camera.response import analytic

    ours, srgb = (one.table(np.dtype(np.uint8))[list(SHOWN)] for one in (response, analytic("srgb")))
    ours, srgb = (np.log2(np.maximum(one, 1e-6) / one[SHOWN.index(128)]) for one in (ours, srgb))
    names = ("red", "green", "blue")
    return [
        {
            "code": str(code),
            **{name: f"{row[k]:+.2f}" for k, name in enumerate(names)},
            "sRGB": f"{plain[0]:+.2f}",
        }
        for code, row, plain in zip(SHOWN, ours, srgb, strict=True)
    ]
