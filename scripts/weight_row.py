"""Print the row of a file of trained weights, for the table in src/openhdr/models/weights/__init__.py.

    python scripts/weight_row.py src/openhdr/models/weights/FILE.safetensors [--score "METRIC, DATA=VALUE" ...]
        [--from RUN/best.safetensors]

The row that the file has already gives its words (and its scores, unless new ones are given); the network comes
from the file's header, the hash from its bytes. A new file gets the words of its network's other weights, if any.
--from: first put the weights of a training run there, as 16-bit floats; score what is there then.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from openhdr.core.files import sha256_of
from openhdr.models import checkpoints
from openhdr.models.rows import WeightRow
from openhdr.models.weights import WEIGHTS

FOLDER = Path(__file__).resolve().parents[1] / "src" / "openhdr" / "models" / "weights"


def row_of(path: Path, scores: dict[str, float]) -> WeightRow:
    """The file's row, as it should be now. A file without the digest of its tensors gets one."""
    state, stated = checkpoints.read(path)
    network = stated.get("network", "")
    if not network:
        raise click.ClickException(
            f"{path}: its header names no network; write it with openhdr.models.checkpoints.save"
        )
    if path.suffix == ".safetensors" and checkpoints.DIGEST not in stated:
        checkpoints.write(path, state, stated)
    known = [row for row in WEIGHTS.values() if row.target == path.name]
    like = known + [row for row in WEIGHTS.values() if row.network == network]
    start = like[0] if like else WeightRow("", "SAY WHAT THEY ARE FOR", "", licence="CC0-1.0")
    return replace(
        start,
        name=start.name if known else path.stem,
        target=path.name,
        network=network,
        sha256=sha256_of(path),
        scores=scores or dict(start.scores),
    )


def halved(source: Path, target: Path) -> None:
    """Write the weights of `source` to `target` as 16-bit floats."""
    state, stated = checkpoints.read(source)
    checkpoints.write(target, {name: tensor.half() for name, tensor in state.items()}, stated)


def source_of(row: WeightRow) -> str:
    """The row as Python code."""
    words = [row.name, row.summary, row.target]
    facts = {name: getattr(row, name) for name in ("network", "sha256", "licence", "training_data")}
    facts["scores"] = dict(row.scores)
    lines = [*(json.dumps(word) for word in words), *(f"{key}={json.dumps(v)}" for key, v in facts.items())]
    if row.ev_steps:
        lines.append(f"ev_steps={row.ev_steps}")
    return "\n".join(("    WeightRow(", *(f"        {line}," for line in lines), "    ),"))


@click.command(help=__doc__.partition("\n")[0])
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--score", "scores", multiple=True, help="METRIC, DATA=VALUE; may be repeated.")
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), help="Weights to put there.")
def main(file: Path, scores: tuple[str, ...], source: Path | None) -> None:
    if file.resolve().parent != FOLDER:
        raise click.ClickException(f"{file}: weights are shipped from {FOLDER}; put it and its card there")
    if not file.with_suffix(".md").is_file():
        raise click.ClickException(f"{file}: its model card {file.with_suffix('.md').name} is not there")
    if source:
        halved(source, file)
    given = {name: float(value) for name, _, value in (score.rpartition("=") for score in scores)}
    click.echo(source_of(row_of(file.resolve(), given)))


if __name__ == "__main__":
    main()
