"""What a network costs: parameters and multiply-accumulates (MACs), by two counts (needs torch).

The challenge's rule (NTIRE 2022, by which the papers' numbers were made): for every call of a convolution or
transposed convolution, (weights + biases) x output positions; other layers with parameters count these once a
call; a layer that is called twice counts twice; functions, and parameters held by modules that are not leaves,
count nothing. Transposed convolutions are over-counted by it, deformable kernels left out.

The exact count: every multiply-accumulate of convolutions and matrix products that runs, wherever it is
called from; no biases, no element-wise work.

Both run on the "meta" device, shapes without numbers: any size, no memory, no time. Gradients stay on, because
without them networks may cut their work into many small pieces to save memory.
Time and memory of a real call: bench/measure.py.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """parameters: all. called_parameters: of layers that run. MACs of one call."""

    parameters: int
    called_parameters: int
    challenge_macs: int
    exact_macs: int


def cost(net: nn.Module, *inputs: torch.Tensor) -> Cost:
    """Count one call `net(*inputs)`; the values and device of `net` and `inputs` do not matter, sizes do."""
    meta_net, meta_inputs = _on_meta(net, inputs)
    rule = _Rule(meta_net)
    with FlopCounterMode(display=False) as flops:
        meta_net(*meta_inputs)
    rule.stop()
    return Cost(
        sum(parameter.numel() for parameter in net.parameters()),
        rule.called_parameters(),
        rule.macs,
        flops.get_total_flops() // 2,
    )


def challenge_macs(net: nn.Module, *inputs: torch.Tensor) -> tuple[int, int]:
    """(MACs by the challenge's rule, parameters) of one call `net(*inputs)`, for images of any size."""
    meta_net, meta_inputs = _on_meta(net, inputs)
    rule = _Rule(meta_net)
    meta_net(*meta_inputs)
    rule.stop()
    return rule.macs, sum(parameter.numel() for parameter in net.parameters())


class _Rule:
    """Counts the calls of the leaves of a network while it runs."""

    def __init__(self, net: nn.Module) -> None:
        self.macs = 0
        self._called: set[nn.Parameter] = set()
        leaves = [module for module in net.modules() if not list(module.children())]
        self._hooks = [leaf.register_forward_hook(self._count) for leaf in leaves]
        self._holders = [module for module in net.modules() if list(module.children())]
        # a module with children may hold parameters of its own, which run with it
        self._hooks += [module.register_forward_hook(self._note) for module in self._holders]

    def _count(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        own = sum(parameter.numel() for parameter in module.parameters())
        positions = math.prod(output.shape[2:]) if isinstance(module, _ConvNd) else 1
        self.macs += own * positions
        self._note(module, inputs, output)

    def _note(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._called.update(module.parameters(recurse=False))

    def called_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self._called)

    def stop(self) -> None:
        for hook in self._hooks:
            hook.remove()


def _on_meta(net: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    return copy.deepcopy(net).to("meta"), tuple(tensor.to("meta") for tensor in inputs)
