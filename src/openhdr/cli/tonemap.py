"""`openhdr tonemap`: HDR -> displayable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openhdr.cli.common import echo_json, echo_notes, progress_bar, writable
from openhdr.cli.options import command
from openhdr.cli.process import isolate_option
from openhdr.cli.several import each, outputs
from openhdr.core.options import argument, choice, option
from openhdr.tonemapping import DEFAULT, OPERATORS


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("IN...")
    output: Path = option("Picture, or a folder for several.", flags=("-o", "--output"))
    operator: str | None = option(choice(OPERATORS, DEFAULT), None)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("tonemap", Request)
def tonemap(request: Request) -> None:
    """Turn HDR images into displayable ones.

    \b
    openhdr tonemap in.exr -o out.png
    openhdr tonemap in.exr -o out.jpg --operator reinhard-local
    openhdr tonemap *.exr -o previews/
    """
    operator = OPERATORS[request.operator or DEFAULT].name
    images = request.images
    jobs = list(zip(images, outputs(images, request.output, ".png"), strict=True))
    writable(jobs[0][1])
    with progress_bar():
        facts = each("tone mapping", [(*job, operator) for job in jobs], _one)
    if request.as_json:
        echo_json(facts)


def _one(path: Path, output: Path, operator: str) -> dict[str, Any]:
    import numpy as np

    from openhdr import io
    from openhdr.core.errors import RequestError
    from openhdr.pipeline.hdr_to_display import tonemap as apply

    image = io.read(path)
    if image.encoding != "linear":
        raise RequestError(
            f"{path}: is an ordinary photo; tone mapping needs an HDR image (.exr, .hdr, float .tif)"
        )
    shown = apply(image, operator)
    notes = io.write(output, shown.with_pixels(np.round(shown.pixels * 255).astype(np.uint8)))
    echo_notes(path.name, (*image.notes, *notes))
    return {"input": str(path), "output": str(output), "operator": operator}
