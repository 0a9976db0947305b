"""`openhdr train`: a recipe file -> a run folder with trained weights."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.terminal import echo_json, progress_bar
from openhdr.core.errors import FileError, MissingExtraError
from openhdr.core.options import argument, option

if TYPE_CHECKING:
    from openhdr.train.recipe import Recipe


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    recipe: Path = argument("RECIPE")
    data: Path | None = option("Folder of HDR scenes, or of the dataset.", None)
    output: Path | None = option("Run folder; runs/NAME-OF-RECIPE otherwise.", None, flags=("-o", "--output"))
    changes: tuple[str, ...] = option(
        "Change a setting: run.batch=4", (), flags=("--set",), metavar="KEY=VALUE"
    )
    resume: bool = option("Continue the run in the folder, if there is one.", False)
    dry_run: bool = option("Print the plan, the memory, disk and time it needs; train nothing.", False)
    as_json: bool = option("Report as JSON.", False, flags=("--json",))


@command("train", Request)
def train(request: Request) -> None:
    """Train a network by a RECIPE file.

    \b
    openhdr train recipes/small/gsanet.toml --data hdri/
    openhdr train recipes/gsanet.toml --data HDM --set run.batch=16 --resume
    torchrun --standalone --nproc-per-node 4 --no-python openhdr train recipes/adnet.toml --data HDM

    The run folder gets best.safetensors (by validation), last.safetensors, checkpoints to resume from,
    losses and run.json. Killed at any moment, a run goes on with --resume as if nothing had happened.
    """
    if request.data and not request.data.exists():
        raise FileError(request.data, "does not exist", "`data` names a folder of HDR scenes or a dataset")
    recipe = _recipe_of(request)
    if request.dry_run:
        _print_plan(recipe, request.as_json)
        return
    from openhdr.train.loop import train as train_by

    folder = request.output or Path("runs") / request.recipe.stem
    with progress_bar():
        outcome = train_by(recipe, folder, request.resume, _say)
    if not outcome:  # another process of the same run reports
        return
    if request.as_json:
        echo_json(outcome)
    else:
        click.echo(f"{outcome.get('best', outcome.get('last'))}  after {outcome['steps']} steps")


def _recipe_of(request: Request) -> Recipe:
    try:
        from openhdr.train.recipe import load_recipe

        changes = list(request.changes)
        if request.data is not None:
            changes.insert(0, f"data.path={json.dumps(str(request.data), ensure_ascii=False)}")
        return load_recipe(request.recipe, changes)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("training needs 'torch', which", "train") from error


def _say(text: str) -> None:
    """Lines for people, on a terminal only; log.txt in the run folder has them all."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def _print_plan(recipe: Recipe, as_json: bool) -> None:
    from openhdr.train.plan import measured_plan

    plan = measured_plan(recipe)
    if as_json:
        echo_json(plan.facts())
    else:
        click.echo("\n".join(plan.lines()))
