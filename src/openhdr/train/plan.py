"""What a recipe is going to do, and the memory that it needs, before it does it."""

from __future__ import annotations

from openhdr.core.errors import RequestError
from openhdr.train.recipe import Recipe


def check_batch(recipe: Recipe, processes: int) -> None:
    """Raise RequestError when a batch cannot be dealt out evenly."""
    run = recipe.run
    if run.batch % (processes * run.accumulate):
        raise RequestError(
            f"run.batch = {run.batch} cannot be shared evenly by {processes} processes "
            f"with run.accumulate = {run.accumulate}; choose a multiple of {processes * run.accumulate}"
        )


def steps_per_unit(recipe: Recipe, epoch: int) -> int:
    """Optimiser steps in one unit of the recipe's lengths. epoch: samples in an epoch."""
    if recipe.run.unit == "steps":
        return 1
    return max(1, epoch // recipe.run.batch)
