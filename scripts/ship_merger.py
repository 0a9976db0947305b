"""Put trained weights of openhdr's own merger into the package.

    python scripts/ship_merger.py RUN/best.safetensors

writes the ONNX files that the network's row in src/openhdr/merging/__init__.py names into
src/openhdr/merging/trustnet/weights, checked against PyTorch; their SHA-256 into every row that names them; and
src/openhdr/models/weights/NAME.safetensors, from which training goes on. Its row is printed by scripts/weight_row.py.
NAME is in the file's header; a new one needs a row first. The networks share the file of the refining part: who ships
one with another refining part ships it for both, and has to give the other's .safetensors the same.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from openhdr import models
from openhdr.core.files import sha256_of
from openhdr.merging import MERGERS, LearnedRow
from openhdr.models import checkpoints

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "openhdr"
TABLE = PACKAGE / "merging" / "__init__.py"
FILES = PACKAGE / "merging" / "trustnet" / "weights"


@click.command(help=__doc__.partition("\n")[0])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(file: Path) -> None:
    from openhdr.models.inference.export import export_module
    from openhdr.models.inference.interfaces import INTERFACES

    name = checkpoints.read(file)[1].get("network", "")
    row = MERGERS.get(name)
    if not isinstance(row, LearnedRow):
        raise click.ClickException(
            f"{file}: holds weights of '{name}', of which {TABLE} has no LearnedRow; "
            "add one with its files, sha256 of any text"
        )
    net = models.load(name, file)
    for target, _ in row.sha256:
        network, _, part = Path(target).stem.rpartition("-")
        made = export_module(
            net.get_submodule(part), INTERFACES["trust"][part], FILES / target, {"network": network}
        )
        known = re.compile(rf'\("{re.escape(target)}", "[0-9a-f]*"\)')
        TABLE.write_text(known.sub(f'("{target}", "{sha256_of(made.path)}")', TABLE.read_text()))
        click.echo(f"{made.path}: {made.largest_difference:.1e} from PyTorch")
    kept = PACKAGE / "models" / "weights" / f"{name}.safetensors"
    if file.resolve() != kept:  # else the files of shipped weights were made again
        shutil.copyfile(file, kept)


if __name__ == "__main__":
    main()
