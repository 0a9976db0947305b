"""Recipes: every setting of a training run, with its default and unit, once.

A recipe is a TOML file of the differences to these defaults, or, with `base = "adnet.toml"` at its top, to the recipe
of that file beside it; `--set data.patch=64` changes one value of it.
Counts are of optimiser steps, and `run.batch` is over all processes and pieces, so that the same recipe gives
the same run on one device and on many.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openhdr.core.errors import RequestError
from openhdr.core.files import parsed
from openhdr.train.objectives import OBJECTIVES
from openhdr.train.objectives.contract import Objective
from openhdr.train.settings import build, override


@dataclass(frozen=True)
class NetworkConfig:
    """What is trained."""

    name: str = "gsanet"  # row of the table of networks
    variant: Mapping[str, Any] = field(default_factory=dict)  # options of the network's own Config
    weights: str = ""  # to begin from: the name of shipped weights or a file; "" = as `initialisation` says
    initialisation: Literal["random", "kaiming", "hand-wired", "light"] = (
        "random"  # PyTorch's own, He et al.'s, or see openhdr.train.hand_wired; light: eapnet
    )


@dataclass(frozen=True)
class DataConfig:
    """Where samples come from and what becomes of them."""

    source: Literal["simulated", "drawn", "patches", "compared", "registered", "views"] = "simulated"
    path: str = ""  # folder: HDR scenes or a cache of them; a dataset or patches of it. `--data` sets it
    dataset: str = "hdm"  # patches: row of the table of datasets
    split: str = "train"  # patches: of the dataset
    validation_split: str = "validation"  # patches: of the dataset; "" = scenes held out of `split`
    hold_out: int = 30  # patches: scenes held out where the dataset has no validation split
    cut: str = "gsanet"  # patches: how images are cut, by the name of a paper's system (PAPER_CUTS)
    on_the_fly: bool = False  # patches: cut them when they are needed, not once onto the disk
    patch: int = 256  # pixels: side of what the network is given; views: longest side of photos
    place: Literal["any", "corner"] = "any"  # corner: offsets of 0 to 64 pixels only (two-stage's program)
    flips: bool = False  # mirror left-right and up-down, each with probability one half
    transpose: bool = False  # swap rows and columns with probability one half
    clip_share: tuple[float, float] = (
        0.02,
        0.45,
    )  # all but patches: range of the reference's pixels that clip
    view: int = (
        0  # all but drawn, patches: pixels, width of the images that patches are cut from; 0 = `patch`
    )
    cuts: int = 1  # the same: patches from an image, one after the other
    brackets: int = 500  # compared, registered: brackets that are prepared
    real_share: float = 0.0  # all but patches: share of brackets that real cameras take
    wrong_curves: bool = (
        True  # compared, registered: some by cameras with another curve than they are decoded by
    )
    unregistered_share: float = 0.0  # compared, registered: share of brackets left unregistered
    views: int = 96  # views: drawn of every scene
    preparing: int = 1  # compared, registered, views: processes that prepare them
    registered: bool = (
        False  # simulated, drawn: no more hand shake than registration leaves; objects still move
    )
    window: int = 8  # simulated: scenes in memory at a time
    samples_per_scene: int = 16  # simulated: drawn between one new scene and the next


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam (decoupled weight decay where there is any)."""

    lr: float = 2e-4  # after warm-up, before decay
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float = 0.0  # of all gradients together; 0 = none
    only: tuple[str, ...] = ()  # parts of the network that learn, by the beginning of their names; () = all
    hand_wired_lr_scale: float = (
        1.0  # share of `lr` for the weights that `initialisation = "hand-wired"` sets
    )


@dataclass(frozen=True)
class ScheduleConfig:
    """How the learning rate changes. Lengths are in `run.unit`."""

    kind: Literal["constant", "periodic", "milestones", "cosine"] = "constant"
    period: int = 200_000  # periodic: times `factor` after every so many
    milestones: tuple[int, ...] = ()  # milestones: times `factor` at each
    factor: float = 0.5
    span: int = 0  # cosine: from `lr` to `lr * floor` over so many; 0 = over the whole run
    floor: float = 0.01  # cosine: share of the rate that is left at the end
    warmup_steps: int = 0  # linear from 0; always steps


@dataclass(frozen=True)
class EMAConfig:
    """A running mean of the weights, used for validation and for what is written at the end."""

    every: int = 0  # steps between updates; 0 = no running mean
    decay: float = 0.999  # share of the old mean that is kept


@dataclass(frozen=True)
class ValidationConfig:
    """Scores on held-out scenes. They alone choose the checkpoint."""

    every: int = 5_000  # steps; 0 = never
    path: str = ""  # folder of held-out scenes or of the dataset; "" = that of the training data
    metric: str = "ntire-psnr-mu"  # row of the table of metrics; decides
    also: tuple[str, ...] = ("ntire-psnr",)  # further metrics, written down
    protocol: str = ""  # what 1.0 means to metrics of absolute light, such as "abs:100" (cd/m2)
    scale: Literal["reference", "shortest"] = (
        "reference"  # 1.0 = this frame clips; shortest: and nothing above
    )
    samples: int = 30  # at most so many
    size: int = 256  # pixels: simulated images' side; of a dataset the top-left square, 0 = whole images
    augment: bool = False  # test-time augmentation: the mean of four poses (networks that merge)


@dataclass(frozen=True)
class ComputeConfig:
    """How the arithmetic is done. Only `precision` changes what is learned."""

    device: str = "auto"  # auto = an accelerator where there is one
    precision: Literal["float32", "bfloat16", "float16"] = "float32"  # of autocast; losses stay in float32
    channels_last: bool = False
    compile: str = ""  # backend of torch.compile, such as "inductor"; "" = not compiled
    threads: int = 0  # of PyTorch on a processor; 0 = its own choice
    workers: int = 0  # processes that make samples; 0 = in the training process


@dataclass(frozen=True)
class RunConfig:
    """How long, and what is kept."""

    length: int = 1_000  # in `unit`
    unit: Literal["steps", "epochs"] = "steps"
    batch: int = 8  # samples a step over all processes
    accumulate: int = 1  # pieces into which a process cuts its share of the batch
    seed: int = 0  # of weights, data and all else that is drawn
    log_every: int = 100  # steps between lines of losses
    save_every: int = 1_000  # steps between checkpoints
    minutes: float = 0.0  # after so many a call ends, at a checkpoint, to be resumed; 0 = when all is done
    keep: int = 3  # checkpoints
    images: int = 2  # validation images shown in TensorBoard


@dataclass(frozen=True)
class Recipe:
    """One training run."""

    network: NetworkConfig
    objective: Objective[Any]  # a row of OBJECTIVES, loaded and configured
    data: DataConfig = field(default_factory=DataConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    ema: EMAConfig = field(default_factory=EMAConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        for name, value in {
            "run.length": self.run.length,
            "run.batch": self.run.batch,
            "run.accumulate": self.run.accumulate,
            "run.log_every": self.run.log_every,
            "run.save_every": self.run.save_every,
            "run.keep": self.run.keep,
            "data.patch": self.data.patch,
            "data.cuts": self.data.cuts,
            "data.brackets": self.data.brackets,
            "data.views": self.data.views,
            "data.preparing": self.data.preparing,
            "optimiser.lr": self.optimiser.lr,
            "schedule.period": self.schedule.period,
        }.items():
            if not value > 0:
                raise RequestError(f"recipe key '{name}' is {value}; expected a number above 0")
        if not 0 < self.data.clip_share[0] <= self.data.clip_share[1] < 1:
            shares = list(self.data.clip_share)
            raise RequestError(
                f"recipe key 'data.clip_share' is {shares}; expected [low, high] between 0 and 1"
            )
        if not self.run.minutes >= 0:
            raise RequestError(f"recipe key 'run.minutes' is {self.run.minutes}; expected 0 or more")
        if not 0 <= self.ema.decay < 1:
            raise RequestError(f"recipe key 'ema.decay' is {self.ema.decay}; expected 0 or more, below 1")
        rate, network = self.optimiser.hand_wired_lr_scale, self.network
        if not 0 < rate <= 1:  # at 0 nothing would reach the output
            raise RequestError(
                f"recipe key 'optimiser.hand_wired_lr_scale' is {rate}; expected above 0, to 1"
            )
        if rate < 1 and network.initialisation in ("random", "kaiming") and not network.weights:
            raise RequestError(
                f"recipe key 'optimiser.hand_wired_lr_scale' is {rate}, but the network has random weights; "
                "set network.initialisation or network.weights, or leave it out"
            )


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a file with `KEY=VALUE` changes applied.

    Raises FileError for a file that is not TOML, RequestError for unknown keys and values that do not fit.
    """
    table = _read(path)
    for assignment in overrides:
        override(table, assignment)
    return make_recipe(table)


def _read(path: Path) -> dict[str, Any]:
    """The table of a file, on top of that of the file that it names as its base."""
    table = parsed(path, tomllib.loads, "TOML", "recipes are in the folder recipes/")
    base = table.pop("base", None)
    return table if base is None else _merged(_read(path.parent / str(base)), table)


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **nested}


def make_recipe(table: Mapping[str, Any]) -> Recipe:
    """The recipe of a table of differences."""
    table = dict(table)
    chosen = table.pop("objective", {})
    if not isinstance(chosen, Mapping):
        raise RequestError(f"recipe key 'objective' is {chosen!r}; expected a table [objective] with a name")
    options = {key: value for key, value in chosen.items() if key != "name"}
    objective = build(OBJECTIVES[str(chosen.get("name", "merge"))].load(), options, "objective")
    network = table.pop("network", {})
    return build(Recipe, {"network": network, **table, "objective": objective})
