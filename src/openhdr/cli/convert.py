"""`openhdr convert`: between file formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from openhdr.cli.batch import each, outputs
from openhdr.cli.common import echo_json, echo_notes, progress_bar, writable


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...]
    output: Path
    suffix: str
    full_float: bool
    compression: str
    quality: int
    as_json: bool


@click.command("convert")
@click.argument("images", nargs=-1, required=True, metavar="IN...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File, or a folder for several."
)
@click.option("--to", "suffix", default=".exr", show_default=True, help="Extension of the files in a folder.")
@click.option("--float", "full_float", is_flag=True, help="32-bit floats in EXR instead of half.")
@click.option(
    "--compression",
    default="zip",
    show_default=True,
    help="Of EXR: none, rle, zips, zip, piz, pxr24, dwaa, dwab.",
)
@click.option(
    "--quality", default=95, show_default=True, type=click.IntRange(1, 100), help="Of JPEG, WebP, AVIF."
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def convert(**options: Any) -> None:
    """Convert between image formats; exposure and metadata are kept.

    \b
    openhdr convert in.hdr -o out.exr
    openhdr convert *.hdr -o folder/ --to .exr

    Linear images are clipped to 0..1 and sRGB-encoded for JPEG, PNG, WebP and AVIF: use tonemap to compress
    their range instead.
    """
    from openhdr import io

    request = Request(**options)
    storage = io.WriteOptions(
        exr_half=not request.full_float,
        exr_compression=request.compression,
        jpeg_quality=request.quality,
        webp_quality=request.quality,
        avif_quality=request.quality,
    )
    jobs = list(zip(request.images, outputs(request.images, request.output, request.suffix), strict=True))
    writable(jobs[0][1])
    with progress_bar():
        facts = each("converting", [(*job, storage) for job in jobs], _one)
    if request.as_json:
        echo_json(facts)


def _one(path: Path, output: Path, options: Any) -> dict[str, Any]:
    from openhdr import io

    image = io.read(path)
    notes = io.write(output, image, options)
    echo_notes(path.name, (*image.notes, *notes))
    return {"input": str(path), "output": str(output), "width": image.width, "height": image.height}
