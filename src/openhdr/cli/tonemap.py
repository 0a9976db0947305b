"""`openhdr tonemap`: HDR -> displayable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openhdr.cli.batch import each, outputs
from openhdr.cli.common import choice, echo_json, echo_notes, progress_bar, writable
from openhdr.tonemapping import DEFAULT, OPERATORS


@click.command("tonemap")
@click.argument("images", nargs=-1, required=True, metavar="IN...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Picture, or a folder for several."
)
@click.option("--operator", help=choice(OPERATORS, DEFAULT))
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def tonemap(images: tuple[Path, ...], output: Path, operator: str | None, as_json: bool) -> None:
    """Turn HDR images into displayable ones.

    \b
    openhdr tonemap in.exr -o out.png
    openhdr tonemap in.exr -o out.jpg --operator reinhard-local
    openhdr tonemap *.exr -o previews/
    """
    OPERATORS[operator or DEFAULT]
    jobs = list(zip(images, outputs(images, output, ".png"), strict=True))
    writable(jobs[0][1])
    with progress_bar():
        facts = each("tone mapping", [(*job, operator or DEFAULT) for job in jobs], _one)
    if as_json:
        echo_json(facts)


def _one(path: Path, output: Path, operator: str) -> dict[str, Any]:
    import numpy as np

    from openhdr import io
    from openhdr.core.errors import RequestError
    from openhdr.pipeline import tonemap as apply

    image = io.read(path)
    if image.encoding != "linear":
        raise RequestError(
            f"{path}: is an ordinary photo; tone mapping needs an HDR image (.exr, .hdr, float .tif)"
        )
    shown = apply(image, operator)
    notes = io.write(output, shown.with_pixels(np.round(shown.pixels * 255).astype(np.uint8)))
    echo_notes(path.name, (*image.notes, *notes))
    return {"input": str(path), "output": str(output), "operator": operator}
