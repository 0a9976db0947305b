"""Put trained weights of one of openhdr's own networks into the package.

    python scripts/ship_own.py RUN/best.safetensors

writes the ONNX files that the row of its method names (in src/openhdr/merging or src/openhdr/expansion), checked
against PyTorch; their SHA-256 into that row; and src/openhdr/models/weights/NAME.safetensors, from which training goes
on. All are stored as halves. The ONNX file of the network for one photo lies there itself; training goes on from that.
Afterwards scripts/weight_row.py prints the row of what is there. NAME is in the file's header; a new one needs a row
first.

The mergers share the file of the refining part: who ships one with another refining part ships it for both, and has to
give the other's .safetensors the same.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
import numpy as np
import onnx
from onnx import helper, numpy_helper

from openhdr import models
from openhdr.core.files import sha256_of
from openhdr.expansion import INVERSE_TONE_MAPPERS, InverseToneMapperRow
from openhdr.merging import MERGERS, LearnedRow
from openhdr.models import MODELS, checkpoints
from openhdr.models.inference.export import export_module
from openhdr.models.inference.interfaces import INTERFACES

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "openhdr"
PLACES = {
    "merge": ("merging/__init__.py", "merging/trustnet/weights"),
    "expand": ("expansion/__init__.py", "models/weights"),
}
"""What a network is for -> the table with its row, the folder of its files."""
LARGE = 256  # bytes: smaller ones are not worth a conversion


@click.command(help=__doc__.partition("\n")[0])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(file: Path) -> None:
    name = checkpoints.read(file)[1].get("network", "")
    if name not in MODELS or not MODELS[name].inside:
        raise click.ClickException(
            f"{file}: holds weights of '{name}', which is none of openhdr's own networks"
        )
    table, folder = (PACKAGE / place for place in PLACES[MODELS[name].purpose])
    row = MERGERS[name] if name in MERGERS else INVERSE_TONE_MAPPERS[name]
    if not isinstance(row, LearnedRow | InverseToneMapperRow) or not row.sha256:
        raise click.ClickException(f"{table}: has no row '{name}' with files; add one, sha256 of any text")
    net = models.load(name, file).half().float()
    for target, _ in row.sha256:
        part = Path(target).stem.rpartition("-")[2] if MODELS[name].task == "consistency" else ""
        interface = INTERFACES[MODELS[name].task][part]
        made = export_module(net.get_submodule(part), interface, folder / target, {"network": name})
        onnx.save(halved(onnx.load(made.path)), made.path)
        known = re.compile(rf'\("{re.escape(target)}", "[0-9a-f]*"\)')
        table.write_text(known.sub(f'("{target}", "{sha256_of(made.path)}")', table.read_text()))
        click.echo(f"{made.path}: {made.largest_difference:.1e} from PyTorch")
    if MODELS[name].purpose == "merge":
        checkpoints.save(net.half(), name, PACKAGE / "models" / "weights" / f"{name}.safetensors")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with its weights stored as halves, which they fit; products are not made in them."""
    graph = model.graph
    for weight in [one for one in graph.initializer if one.data_type == onnx.TensorProto.FLOAT]:
        if len(weight.raw_data) > LARGE:
            half = numpy_helper.to_array(weight).astype(np.float16)
            kept = numpy_helper.from_array(half, weight.name + checkpoints.HALF)
            graph.initializer.remove(weight)
            graph.initializer.append(kept)
            graph.node.insert(
                0, helper.make_node("Cast", [kept.name], [weight.name], to=onnx.TensorProto.FLOAT)
            )
    return model


if __name__ == "__main__":
    main()
