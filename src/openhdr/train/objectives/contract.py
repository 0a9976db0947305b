"""What an objective offers to the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.data.sample import Sample, truth_of

SampleT = TypeVar("SampleT")

Batch = dict[str, torch.Tensor]
"""Tensors (B, ...) by the names that the objective's `example` gave them."""

Terms = dict[str, torch.Tensor]
"""Weighted terms of a loss by name, each one number."""


@dataclass(frozen=True)
class Nets:
    """The network as it is called in a step, and the discriminator, if there is one."""

    net: nn.Module
    discriminator: nn.Module | None = None


class Objective(Protocol[SampleT]):
    """What a step of training computes: a frozen dataclass of its options.

    `example` draws only from `rng`, which belongs to the sample, and terms draw nothing: what a step computes depends
    on the recipe and the step's number alone.

    name: of its row. one_by_one: samples differ in shape and make no common batch.
    """

    name: ClassVar[str]
    one_by_one: ClassVar[bool] = False

    def stand_in(self, side: int) -> SampleT:
        """A sample of side x side pixels without contents: what memory is estimated with."""
        ...

    def example(self, sample: SampleT, rng: np.random.Generator, bounded: bool) -> dict[str, np.ndarray]:
        """A sample -> arrays by name, as the networks take them. bounded: the output cannot exceed 1."""
        ...

    def of_batch(self, batch: Batch, bounded: bool) -> Batch:
        """`example` of a batch that its source made whole, see `BatchSource`."""
        raise RequestError(f"objective '{self.name}' takes no data.source that makes batches; choose another")

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Weighted loss terms by name; their sum trains the network."""
        ...

    def truth(self, sample: Sample) -> np.ndarray:
        """(H, W, 3) linear light that a result is scored against."""
        return truth_of(sample)

    def discriminator(self) -> nn.Module | None:
        """The network trained against, or None."""
        return None

    def discriminator_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Weighted loss terms of the discriminator; none where it does not learn."""
        return {}


class BracketObjective(Objective[Sample], Protocol):
    """An objective whose samples are brackets or photos."""

    def stand_in(self, side: int) -> Sample:
        """Three frames of a black square."""
        black = np.zeros((side, side, 3), np.uint8)
        return Sample(
            "plan", (black,) * 3, (-2.0, 0.0, 2.0), 1, "srgb", np.zeros((side, side, 3), np.float32)
        )
