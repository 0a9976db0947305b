"""`openhdr export`: a network with its weights as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.common import echo_json, progress_bar, writable
from openhdr.core.errors import RequestError

if TYPE_CHECKING:
    from openhdr.models.export import Exported


@click.command("export")
@click.argument("name", metavar="NAME")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file: .onnx.")
@click.option("--weights", help="The name of shipped weights, or a file.  [default: the shipped ones]")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def export(name: str, output: Path, weights: str | None, as_json: bool) -> None:
    """Write a network of `openhdr models` for other runtimes (ONNX), with its weights and for any image size.

    \b
    openhdr export gsanet -o gsanet.onnx

    The file appears when ONNX Runtime and PyTorch agree on it, at other sizes than it was made with. What goes
    in and comes out is written in its metadata. It works on whole images: large ones need much memory.
    """
    writable(output, ".onnx")
    from openhdr.models import MODELS

    _refuse_own(name)
    MODELS[name].load()  # says what has to be installed
    from openhdr.models.export import export_network

    with progress_bar():
        done = export_network(name, output, weights)
    facts = facts_of(done, name)
    if as_json:
        echo_json(facts)
        return
    click.echo(f"{output}: {facts['megabytes']:.1f} MB, ONNX opset {done.opset}")
    for tensor, shape in done.shapes.items():
        click.echo(f"  {tensor}: {' x '.join(map(str, shape))}")
    sizes = ", ".join("x".join(map(str, one.values())) for one in done.checked)
    click.echo(
        f"checked at {sizes}: largest difference from PyTorch {done.largest_difference:.1e} in ONNX Runtime"
    )


def _refuse_own(name: str) -> None:
    """openhdr's own networks are ONNX files of the package, and of little use without the merger between them."""
    from openhdr.merging import MERGERS, LearnedRow

    if name in MERGERS and isinstance(MERGERS[name], LearnedRow):
        raise RequestError(
            f"'{name}' is not exported: it is ONNX already, as steps of a classical merger that goes between them "
            "(openhdr/merging/learned.py); its files are in openhdr/merging/weights"
        )


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
