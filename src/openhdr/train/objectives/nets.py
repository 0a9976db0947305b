"""What the terms of an objective are computed from and given as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.data.sample import Sample

Batch = dict[str, torch.Tensor]
"""Tensors (B, ...) by the names that the objective's `example` gave them."""

Terms = dict[str, torch.Tensor]
"""Weighted terms of a loss by name, each one number."""


@dataclass(frozen=True)
class Nets:
    """The network as it is called in a step, and the critic, if there is one."""

    net: nn.Module
    critic: nn.Module | None = None


def truth_of(sample: Sample) -> np.ndarray:
    """(H, W, 3) linear light of a sample that has its truth. Raises RequestError for one that has none."""
    if sample.truth is None:
        raise RequestError(f"sample '{sample.name}' has no HDR truth; choose a data set that has")
    return sample.truth
