"""`openhdr export`: a network with its weights as an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.outputs import writable
from openhdr.cli.shared.terminal import echo_json, progress_bar
from openhdr.core.options import argument, option

if TYPE_CHECKING:
    from openhdr.models.inference.export import Exported


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    name: str = argument("NAME")
    output: Path = option("The file: .onnx.", flags=("-o", "--output"))
    weights: str | None = option("The name of shipped weights, or a file.  [default: the shipped ones]", None)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@command("export", Request)
def export(request: Request) -> None:
    """Write a network of `openhdr models` for other runtimes (ONNX), with its weights and for any image size.

    \b
    openhdr export gsanet -o gsanet.onnx

    The file appears when ONNX Runtime and PyTorch agree on it, at other sizes than it was made with. What goes
    in and comes out is written in its metadata. It works on whole images: large ones need much memory.

    `trustnet` is two networks with a merger between them (openhdr/merging/trustnet/merger.py): of FILE.onnx it makes
    FILE-decide.onnx and FILE-refine.onnx.
    """
    writable(request.output, ".onnx")
    from openhdr.models import MODELS

    MODELS[request.name].load()  # says what has to be installed
    from openhdr.models.inference.export import export_files

    with progress_bar():
        files = export_files(request.name, request.output, request.weights)
    facts = [facts_of(done, request.name) for done in files]
    if request.as_json:
        echo_json(facts[0] if len(facts) == 1 else {"network": request.name, "files": facts})
        return
    for done, one in zip(files, facts, strict=True):
        click.echo(f"{done.path}: {one['megabytes']:.1f} MB, ONNX opset {done.opset}")
        for tensor, shape in done.shapes.items():
            click.echo(f"  {tensor}: {' x '.join(map(str, shape))}")
        sizes = ", ".join("x".join(map(str, size.values())) for size in done.checked)
        apart = f"{done.largest_difference:.1e}"
        click.echo(f"checked at {sizes}: largest difference from PyTorch {apart} in ONNX Runtime")


def facts_of(done: Exported, name: str) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "output": str(done.path),
        "network": name,
        "megabytes": done.path.stat().st_size / 1e6,
        "opset": done.opset,
        "shapes": done.shapes,
        "checked": [dict(sizes) for sizes in done.checked],
        "largest_difference": done.largest_difference,
    }
