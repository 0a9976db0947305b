"""What a recipe is going to do, and the memory that it needs, before it does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.models import load
from openhdr.train.examples import collate
from openhdr.train.objectives.contract import Nets
from openhdr.train.recipe import Recipe, ScheduleConfig
from openhdr.train.schedules import learning_rate

_FLOAT = 4  # bytes
_PASSING = 1.5  # peak memory over what is kept: 1.16 to 1.45 measured for AHDRNet, two-stage and GSANet


@dataclass(frozen=True)
class Plan:
    """parameters: of all networks that learn. state_gb: weights, gradients, Adam's two moments, running mean.
    activations_gb: what one piece of a batch keeps for its gradients, in float32. All in 1e9 bytes.
    """

    recipe: Recipe
    parameters: dict[str, int]
    state_gb: float
    activations_gb: float

    def facts(self) -> dict[str, Any]:
        """The plan as plain values."""
        run = self.recipe.run
        return {
            "network": self.recipe.network.name,
            "parameters": self.parameters,
            "data": {"source": self.recipe.data.source, "path": self.recipe.data.path},
            "length": run.length,
            "unit": run.unit,
            "batch": run.batch,
            "patch": self.recipe.data.patch,
            "memory_gb": {"state": self.state_gb, "batch": _PASSING * self.activations_gb},
        }

    def lines(self) -> list[str]:
        """The plan for people."""
        recipe, run, data = self.recipe, self.recipe.run, self.recipe.data
        sizes = ", ".join(f"{name} {count:,} parameters" for name, count in self.parameters.items())
        pieces = f", each cut into {run.accumulate} pieces" if run.accumulate > 1 else ""
        checks = recipe.validation
        when = f"every {checks.every} steps, {checks.metric} decides" if checks.every else "none"
        return [
            f"network      {recipe.network.name}: {sizes}",
            f"objective    {recipe.objective.name}",
            f"data         {data.source} from {data.path or '(to be given)'}",
            f"patches      {data.patch}x{data.patch}, {run.batch} a step{pieces}",
            f"length       {run.length:,} {run.unit}, seed {run.seed}",
            f"rate         {_rates(recipe)}",
            f"validation   {when}",
            f"kept         the last {run.keep} checkpoints, one every {run.save_every} steps",
            f"memory       {_size(self.state_gb)} for weights and optimiser, "
            f"about {_size(_PASSING * self.activations_gb)} for a batch in one process (float32; half in 16 bits)",
        ]


def _size(gb: float) -> str:
    """A size in 1e9 bytes, in words: whole MB below 1 GB."""
    return f"{gb:.1f} GB" if gb >= 1 else f"{max(1000 * gb, 1):.0f} MB"


def make_plan(recipe: Recipe) -> Plan:
    """The plan of a recipe. Nothing is trained and no data are read."""
    with torch.device("meta"):
        nets = {"net": load(recipe.network.name, **recipe.network.variant)}
        discriminator = recipe.objective.discriminator()
    if discriminator is not None:
        nets["discriminator"] = discriminator.to("meta")
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    copies = 4 * sum(counts.values()) + (counts["net"] if recipe.ema.every else 0)
    kept = _kept_for_gradients(recipe, nets)
    return Plan(recipe, counts, copies * _FLOAT / 1e9, kept / 1e9)


def check_batch(recipe: Recipe, processes: int) -> None:
    """Raise RequestError when a batch cannot be dealt out evenly, or its samples are not alike in shape."""
    run = recipe.run
    if recipe.objective.one_by_one and run.accumulate * processes != run.batch:
        raise RequestError(
            f"run.accumulate = {run.accumulate}: brackets with different numbers of frames are trained one by one; "
            f"set it to run.batch over the number of processes: {run.batch} / {processes}"
        )
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


def _kept_for_gradients(recipe: Recipe, nets: dict[str, nn.Module]) -> int:
    """Bytes that the graph of one piece of a batch holds, counted on tensors without contents."""
    kept: dict[int, Any] = {}
    sample = recipe.objective.stand_in(recipe.data.patch)
    example = recipe.objective.example(sample, np.random.default_rng(0), False)
    pieces = recipe.run.batch // recipe.run.accumulate
    batch = {
        key: value.to("meta").expand(pieces, *value.shape[1:]) for key, value in collate([example]).items()
    }

    def count(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage  # held, so that no other one gets its id
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        terms = recipe.objective.net_terms(Nets(**nets), batch, recipe.run.length)
    weights = sum(p.numel() for net in nets.values() for p in net.parameters()) * _FLOAT
    del terms
    return max(0, sum(storage.nbytes() for storage in kept.values()) - weights)


def _rates(recipe: Recipe) -> str:
    """The learning rate where it changes."""
    schedule, length = recipe.schedule, recipe.run.length
    begins = [0, *_changes(schedule, length)]
    shown = begins if len(begins) <= 6 else [*begins[:5], begins[-1]]
    warmed = replace(recipe, schedule=replace(schedule, warmup_steps=0))
    words = [f"{learning_rate(warmed, begin):.3g} from {begin:,}" for begin in shown if begin < length]
    warm = f" (warm-up over {schedule.warmup_steps} steps)" if schedule.warmup_steps else ""
    wired = recipe.optimiser.hand_wired_lr_scale
    slow = f"; {wired:g} of it for weights set by hand" if wired < 1 else ""
    return ", ".join(words) + warm + slow


def _changes(schedule: ScheduleConfig, length: int) -> list[int]:
    if schedule.kind == "periodic":
        return list(range(schedule.period, length, schedule.period))
    if schedule.kind == "cosine":
        return [length // 2, length - 1]
    return list(schedule.milestones) if schedule.kind == "milestones" else []
