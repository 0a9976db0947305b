"""What the terms of an objective are computed from and given as."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

Terms = dict[str, torch.Tensor]
"""Weighted terms of a loss by name, each one number."""


@dataclass(frozen=True)
class Nets:
    """The network as it is called in a step, and the critic, if there is one."""

    net: nn.Module
    critic: nn.Module | None = None
