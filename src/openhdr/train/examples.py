"""Samples -> batches of tensors, the same ones for the same step wherever and whenever they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from openhdr.core.errors import RequestError
from openhdr.data.patches import crop, turn
from openhdr.data.sample import PicturesT
from openhdr.train.distributed import DistributedContext, choose_device
from openhdr.train.objectives.contract import Batch, Objective
from openhdr.train.recipe import ComputeConfig, DataConfig, RunConfig
from openhdr.train.sources import BatchSource, Source

_CORNER = 64  # pixels: largest offset of `place = "corner"`


@dataclass(frozen=True)
class Examples(Dataset[dict[str, np.ndarray]]):
    """What an objective makes of the samples of a source. bounded: the network's output cannot exceed 1."""

    source: Source[Any]
    objective: Objective[Any]
    data: DataConfig
    seed: int
    bounded: bool

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([self.seed, index, 1])
        sample = placed(self.source.sample(index), self.data, rng)
        return self.objective.example(sample, rng, self.bounded)


def placed(sample: PicturesT, data: DataConfig, rng: np.random.Generator) -> PicturesT:
    """A random square of the sample, turned as the recipe allows."""
    rooms = [length - data.patch for length in sample.shape]
    if min(rooms) < 0:
        size = "x".join(str(length) for length in sample.shape[::-1])
        raise RequestError(f"sample '{sample.name}' is {size} pixels; data.patch = {data.patch} does not fit")
    if data.place == "corner":
        rooms = [min(room, _CORNER) for room in rooms]
    top, left = (int(rng.integers(room + 1)) for room in rooms)
    sample = crop(sample, left, top, data.patch)
    flip_x, flip_y, transpose = (bool(draw) for draw in rng.random(3) < 0.5)
    return turn(sample, data.flips and flip_x, data.flips and flip_y, data.transpose and transpose)


def batches(
    examples: Examples, run: RunConfig, compute: ComputeConfig, context: DistributedContext, steps: range
) -> Iterator[list[Batch]]:
    """For every step the pieces of this process's share of its batch."""
    piece = run.batch // (context.size * run.accumulate)

    def indices() -> Iterator[list[int]]:
        for step in steps:
            first = step * run.batch + context.rank * piece * run.accumulate
            for number in range(run.accumulate):
                yield list(range(first + number * piece, first + (number + 1) * piece))

    if isinstance(examples.source, BatchSource):
        device, order = choose_device(compute.device, context), indices()
        for step in steps:
            torch.manual_seed(run.seed + step)  # what an objective draws, too, depends on the step alone
            drawn = [examples.source.batch(next(order)[0], piece, device) for _ in range(run.accumulate)]
            yield [examples.objective.of_batch(batch, examples.bounded) for batch in drawn]
        return

    loader = DataLoader(
        examples,
        batch_sampler=_Lazy(indices),
        num_workers=compute.workers,
        collate_fn=collate,
        multiprocessing_context="spawn" if compute.workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    pieces = iter(loader)
    for _ in steps:
        yield [next(pieces) for _ in range(run.accumulate)]


class _Lazy:
    """Lists of indices that are made when they are needed."""

    def __init__(self, make: Callable[[], Iterator[list[int]]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[list[int]]:
        return self.make()


def collate(examples: list[dict[str, np.ndarray]]) -> Batch:
    """Examples -> one tensor a name, (B, ...)."""
    return {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}
