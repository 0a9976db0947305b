"""`openhdr convert`: between file formats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.outputs import outputs, writable
from openhdr.cli.shared.process import isolate_option
from openhdr.cli.shared.several import each
from openhdr.cli.shared.terminal import echo_json, echo_notes, progress_bar
from openhdr.core.errors import printable
from openhdr.core.options import argument, choice, nested, option
from openhdr.pipeline.pipeline_options import DeliveryOptions
from openhdr.tonemapping import DEFAULT as DEFAULT_OPERATOR
from openhdr.tonemapping import OPERATORS
from openhdr.tonemapping import parse as parse_operator


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("IN...")
    output: Path = option("File, or a folder for several.", flags=("-o", "--output"))
    suffix: str = option("Extension of the files in a folder.", ".exr", flags=("--to",))
    delivery: DeliveryOptions = nested(DeliveryOptions)
    operator: str | None = option(
        "Of the SDR image beside a gain map, unless the input has one: "
        + choice(OPERATORS, DEFAULT_OPERATOR, "a preset (.toml)"),
        None,
    )
    base: bool = option("Leave a gain map out: the photo as any screen shows it.", False)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("convert", Request)
def convert(request: Request) -> None:
    """Convert between image formats; light, exposure and metadata are kept.

    \b
    openhdr convert in.hdr -o out.exr
    openhdr convert in.exr -o photo.jpg                # HDR by a gain map, a photo anywhere
    openhdr convert in.exr -o photo.avif --bits 12     # PQ
    openhdr convert *.hdr -o folder/ --to .jxl --lossless

    Light above white goes into JPEG as a gain map, and into AVIF, JPEG XL and PNG as PQ; tonemap makes SDR
    images instead. What a format cannot keep is noted.
    """
    if request.operator:
        parse_operator(request.operator)
    jobs = list(zip(request.images, outputs(request.images, request.output, request.suffix), strict=True))
    writable(jobs[0][1])
    request.delivery.refuse_unused(jobs[0][1], request.operator)
    with progress_bar():
        facts = each("converting", [(*job, request) for job in jobs], _one)
    if request.as_json:
        echo_json(facts)
        return
    for one in facts:
        click.echo(printable(f"{one['output']}: {one['width']}x{one['height']}"))


def _one(path: Path, output: Path, request: Request) -> dict[str, Any]:
    from openhdr import io
    from openhdr.pipeline.delivery import storage, write

    image = io.read(path, base=request.base, primaries=None)
    how = storage(request.delivery, image)
    if how.sdr is None and request.operator is None and io.takes_sdr(output, how) and io.probe(path).gain_map:
        how = replace(
            how, sdr=io.read(path, base=True, primaries=None)
        )  # the photo's own, not another rendition
    notes = write(output, image, how, request.operator)
    echo_notes(path.name, (*image.notes, *notes))
    return {
        "input": str(path),
        "output": str(output),
        "width": image.width,
        "height": image.height,
        "notes": [*image.notes, *notes],
    }
