"""The learning rate as a function of the step: no state to save, none to lose."""

from __future__ import annotations

import math

from openhdr.train.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, per_unit: int = 1) -> float:
    """Learning rate of a step; steps count from 0. per_unit: steps in one unit of the schedule's lengths."""
    optimiser, schedule = recipe.optimiser, recipe.schedule
    if step < schedule.warmup_steps:
        return optimiser.lr * (step + 1) / schedule.warmup_steps
    if schedule.kind == "cosine":
        passed = min(1.0, step / ((schedule.span or recipe.run.length) * per_unit))
        share = (1 + math.cos(math.pi * passed)) / 2
        return optimiser.lr * (schedule.floor + (1 - schedule.floor) * share)
    decays = 0
    if schedule.kind == "periodic":
        decays = step // (schedule.period * per_unit)
    elif schedule.kind == "milestones":
        decays = sum(step >= milestone * per_unit for milestone in schedule.milestones)
    return optimiser.lr * schedule.factor**decays
