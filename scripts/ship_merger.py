"""Put trained weights of openhdr's own merger into the package.

    python scripts/ship_merger.py RUN/best.safetensors

writes NAME-decide.onnx and NAME-refine.onnx into src/openhdr/merging/trustnet/weights, checked against PyTorch, their
SHA-256 and size into the row of src/openhdr/merging/__init__.py, and src/openhdr/models/weights/NAME.safetensors, from
which training goes on; its row is printed by scripts/weight_row.py. NAME is in the file's header; a new one needs a
row first.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from openhdr import models
from openhdr.core.files import sha256_of
from openhdr.models import checkpoints

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "openhdr"
TABLE = PACKAGE / "merging" / "__init__.py"


def with_row(source: str, name: str, hashes: dict[str, str], params: int) -> str:
    """The table's source with the row of a merger brought up to date."""
    head, found, tail = source.partition(f'LearnedRow(\n        "{name}",')
    if not found:
        raise click.ClickException(f"{TABLE} has no LearnedRow '{name}'; add one, with sha256 of any text")
    tail = re.sub(r"params=[\d_]+", f"params={params:_}", tail, count=1)
    for part, digest in hashes.items():
        tail = re.sub(rf'\("{part}", "[0-9a-f]*"\)', f'("{part}", "{digest}")', tail, count=1)
    return head + found + tail


@click.command(help=__doc__.partition("\n")[0])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(file: Path) -> None:
    from openhdr.models.inference.export import export_parts

    name = checkpoints.read(file)[1].get("network", "")
    if name not in models.MODELS or models.MODELS[name].task != "trust":
        raise click.ClickException(f"{file}: holds weights of '{name}', which is no part of a merger")
    net = models.load(name, file)
    with_row(TABLE.read_text(), name, {}, 0)  # the row is there, before anything is written
    made = export_parts(
        net, name, PACKAGE / "merging" / "trustnet" / "weights" / f"{name}.onnx", {"network": name}
    )
    hashes = {one.path.stem.removeprefix(f"{name}-"): sha256_of(one.path) for one in made}
    params = sum(p.numel() for p in net.parameters())
    TABLE.write_text(with_row(TABLE.read_text(), name, hashes, params))
    kept = PACKAGE / "models" / "weights" / f"{name}.safetensors"
    if file.resolve() != kept:  # else the files of shipped weights were made again
        shutil.copyfile(file, kept)
    for one in made:
        click.echo(f"{one.path}: {one.largest_difference:.1e} from PyTorch")


if __name__ == "__main__":
    main()
