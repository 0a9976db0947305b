"""The run folder.

run.json            what the run is made of, see `logger`
checkpoints/        to resume from, see `checkpoint`
cache/              prepared data, unless the recipe names prepared ones
best.safetensors    weights with the best validation score; choice.json says why
last.safetensors    weights at the end
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from openhdr import provenance
from openhdr.core.config import plain
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import make_folder
from openhdr.data.files import read_json
from openhdr.metrics import METRICS
from openhdr.train.logger import RUN, write_text
from openhdr.train.recipe import Recipe
from openhdr.train.settings import differences

BEST, LAST, CHOICE = "best.safetensors", "last.safetensors", "choice.json"
FIXED = ("network.name", "network.variant", "objective.name")  # what a resumed run cannot change


def prepare_folder(folder: Path, resume: bool, recipe: Recipe) -> None:
    """Make the folder of a run. Raises FileError when it holds a run that is not to be resumed, RequestError
    when it holds one of another network.
    """
    make_folder(folder, "choose another as `output`")
    for remains in folder.glob(".*-*"):  # of files that were being written when the run was killed
        if remains.is_file():
            remains.unlink()
    if not (folder / RUN).is_file():
        return
    if not resume:
        raise FileError(
            folder, "holds a run already", "continue it with `resume=True`, or choose another as `output`"
        )
    changed = differences(read_json(folder / RUN).get("recipe", {}), recipe_facts(recipe))
    for name, (before, now) in changed.items():
        if name.startswith(FIXED):
            raise RequestError(
                f"{folder} holds a run with {name} = {before}, not {now}; choose another folder as `output`"
            )


def describe_run(
    folder: Path, recipe: Recipe, machine: tuple[torch.device, int], step: int, data: Mapping[str, str]
) -> None:
    """Write run.json, or add a resumption to it. machine: this process's device, number of processes."""
    path = folder / RUN
    device, processes = machine
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    facts: dict[str, Any] = {
        "recipe": recipe_facts(recipe),
        "data": dict(data),
        "versions": provenance.software(),
        "commit": provenance.commit(),
        "hardware": {**provenance.hardware(), "device": name, "processes": processes},
        "resumed": [],
    }
    if path.is_file():
        first = read_json(path)
        changes = differences(first["recipe"], facts["recipe"])
        entry = {key: facts[key] for key in ("versions", "commit", "hardware") if facts[key] != first[key]}
        entry |= {"at_step": step, "changes": {name: list(pair) for name, pair in changes.items()}}
        facts = {**first, "resumed": [*first["resumed"], entry]}
    write_text(path, json.dumps(facts, indent=1) + "\n")


def recipe_facts(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as run.json holds it."""
    facts = plain(recipe)
    facts["objective"] = {"name": recipe.objective.name, **facts["objective"]}
    return facts


def write_choice(folder: Path, recipe: Recipe, what: str, history: Sequence[Mapping[str, Any]]) -> None:
    """Write down which weights were chosen, by what, and what the others scored."""
    row = METRICS[recipe.validation.metric]
    pick = max if row.higher_is_better else min
    best = pick(scored_by(row.name, history), key=lambda entry: entry[row.name])
    choice = {
        "chosen": best,
        "file": BEST,
        "rule": f"{'highest' if row.higher_is_better else 'lowest'} mean {row.name} on validation scenes",
        "scenes": what,
        "history": list(history),
    }
    write_text(folder / CHOICE, json.dumps(choice, indent=1) + "\n")


def scored_by(metric: str, history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The validations of the network that used a metric (a resumed run may have changed it)."""
    return [entry for entry in history if isinstance(entry["step"], int) and metric in entry]
