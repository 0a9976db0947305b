"""The learning rate as a function of the step: no state to save, none to lose."""

from __future__ import annotations

from openhdr.train.recipe import OptimiserConfig, ScheduleConfig


def learning_rate(
    optimiser: OptimiserConfig, schedule: ScheduleConfig, step: int, per_unit: int = 1
) -> float:
    """Learning rate of a step; steps count from 0. per_unit: steps in one unit of the schedule's lengths."""
    if step < schedule.warmup_steps:
        return optimiser.lr * (step + 1) / schedule.warmup_steps
    decays = 0
    if schedule.kind == "periodic":
        decays = step // (schedule.period * per_unit)
    elif schedule.kind == "milestones":
        decays = sum(step >= milestone * per_unit for milestone in schedule.milestones)
    return optimiser.lr * schedule.factor**decays
