"""A running mean of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn

from openhdr.train.recipe import EMAConfig


class RunningMean:
    """mean <- decay x mean + (1 - decay) x weights after every `every` steps; begins as the weights.

    Buffers are copied, not averaged.
    """

    def __init__(self, net: nn.Module, config: EMAConfig) -> None:
        self.config = config
        self.net = copy.deepcopy(net).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, net: nn.Module, done: int) -> None:
        """done: steps finished."""
        if done % self.config.every:
            return
        for mean, value in zip(self.net.parameters(), net.parameters(), strict=True):
            mean.lerp_(value, 1 - self.config.decay)
        for kept, buffer in zip(self.net.buffers(), net.buffers(), strict=True):
            kept.copy_(buffer)
