"""What a recipe is going to do, and the memory, disk and time that it needs, before it does it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.data.patches import corners_of, crop, pack, read_sized
from openhdr.data.shards import INDEX
from openhdr.models import load
from openhdr.train.examples import collate
from openhdr.train.objectives.contract import Nets
from openhdr.train.recipe import Recipe, ScheduleConfig
from openhdr.train.schedules import learning_rate
from openhdr.train.sources.patches import to_be_cut
from openhdr.train.step import autocast

_FLOAT = 4  # bytes
_TAR_BLOCK = 512  # bytes; every piece of a patch has a header of one block and fills whole blocks
MEASURED_SIDE = 64  # pixels
_LONG = 10.0  # s: then the first call, which may prepare for 3, is taken, too
_QUICK = 0.5  # s: then a whole patch is measured
_PASSING = 1.5  # peak memory over what is kept: 1.16 to 1.45 measured for AHDRNet, two-stage and GSANet


@dataclass(frozen=True)
class Plan:
    """parameters: of all networks that learn. state_gb: weights, gradients, Adam's two moments, running mean.
    activations_gb: what one piece of a batch keeps for its gradients, in float32. All in 1e9 bytes.
    cuts: of a dataset whose folder is given. step_s: seconds of a step here; None = not measured.
    """

    recipe: Recipe
    parameters: dict[str, int]
    state_gb: float
    activations_gb: float
    cuts: Cuts | None = None
    step_s: float | None = None

    @property
    def steps(self) -> int | None:
        """Of the whole run; None where they depend on data that are not there."""
        run = self.recipe.run
        if run.unit == "epochs" and self.cuts is None:
            return None
        return run.length * steps_per_unit(self.recipe, self.cuts.patches if self.cuts else 0)

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
            "disk_gb": None if self.cuts is None else self.cuts.disk_gb,
            "scenes": None if self.cuts is None else self.cuts.scenes,
            "patches": None if self.cuts is None else self.cuts.patches,
            "steps": self.steps,
            "step_s": self.step_s,
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
            *([] if self.cuts is None else [f"disk         {self.cuts.words}"]),
            *([] if self.step_s is None else [f"time         {self._time()}"]),
        ]

    def _time(self) -> str:
        step_s = self.step_s or 0.0
        each = f"about {step_s:.2g} s a step here, losses and gradients in one process"
        if self.steps is None:
            return f"{each}; how many steps there are depends on the data"
        return f"{each}: {duration_text(step_s * self.steps)} for {self.steps:,} steps, validation apart"


@dataclass(frozen=True)
class Cuts:
    """What a dataset gives. disk_gb: of patches in the run folder, in 1e9 bytes; 0 where they are cut on the fly."""

    scenes: int
    patches: int
    disk_gb: float

    @property
    def words(self) -> str:
        whole = f"{self.patches:,} patches of {self.scenes:,} scenes"
        if not self.patches:
            return f"none: none of the {self.scenes:,} scenes is as large as a patch"
        if not self.disk_gb:
            return f"none: {whole} are cut when they are needed"
        return f"{_size(self.disk_gb)} for {whole}; none with data.on_the_fly = true"


def duration_text(seconds: float) -> str:
    """`3 days`, `20 hours`: a length of time in its largest fitting unit."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


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


def measured_plan(recipe: Recipe) -> Plan:
    """The plan with what its data take on the disk, where their folder is given, and with the time of a step, measured
    on one small patch on the recipe's device. Nothing is written.
    """
    return replace(make_plan(recipe), cuts=cuts_of(recipe), step_s=step_seconds(recipe))


def cuts_of(recipe: Recipe) -> Cuts | None:
    """The patches of the recipe's dataset; one scene is read to see how large a patch is."""
    data = recipe.data
    if data.source != "patches" or not Path(data.path).is_dir() or (Path(data.path) / INDEX).is_file():
        return None
    dataset, config = to_be_cut(data)
    corners = corners_of(dataset, config)
    patches = sum(map(len, corners.values()))
    first = next((name for name, found in corners.items() if found), None)
    if data.on_the_fly or first is None:
        return Cuts(len(dataset), patches, 0.0)
    left, top = corners[first][0]
    pieces = pack(crop(read_sized(dataset, first, config), left, top, config.size))
    size = sum(_TAR_BLOCK * (1 + -(-len(piece) // _TAR_BLOCK)) for piece in pieces.values())
    return Cuts(len(dataset), patches, patches * size / 1e9)


def step_seconds(recipe: Recipe) -> float:
    """Seconds of a step's losses and gradients, from one patch, a small one unless that is quick."""
    side = min(recipe.data.patch, MEASURED_SIDE)
    device = torch.device("cuda" if recipe.compute.device == "auto" and torch.cuda.is_available() else "cpu")
    if recipe.compute.device != "auto":
        device = torch.device(recipe.compute.device)
    net = load(recipe.network.name, **recipe.network.variant).to(device).train()
    if recipe.compute.channels_last:
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    discriminator = recipe.objective.discriminator()
    nets = Nets(net, None if discriminator is None else discriminator.to(device))
    seconds = _patch_seconds(recipe, nets, side, device)
    if seconds < _QUICK:  # calls take most of it, and a larger patch hardly more
        side = recipe.data.patch
        seconds = _patch_seconds(recipe, nets, side, device)
    return seconds * recipe.run.batch * (recipe.data.patch / side) ** 2


def _patch_seconds(recipe: Recipe, nets: Nets, side: int, device: torch.device) -> float:
    """Seconds of the losses and gradients of one patch."""
    example = recipe.objective.example(recipe.objective.stand_in(side), np.random.default_rng(0), False)
    batch = {key: value.to(device) for key, value in collate([example]).items()}
    seconds = math.inf
    for _ in range(3):  # the first calls prepare, and other programs hold one up
        start = time.perf_counter()
        with autocast(recipe, device):
            terms = recipe.objective.net_terms(nets, batch, recipe.run.length)
        torch.stack(list(terms.values())).sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = min(seconds, time.perf_counter() - start)
        if seconds > _LONG:
            break
    return seconds


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
