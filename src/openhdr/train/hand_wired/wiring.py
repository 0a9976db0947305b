"""Setting single output channels of convolutions by hand."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from openhdr.models.layers.blocks import SeparableConv

COLOURS = range(3)

Part = nn.Module | torch.Tensor
"""A part of a network: what PyTorch says of the type of an attribute or of an item of a list."""


def copies(out: int, source: int, weight: float = 1.0) -> dict[int, dict[int, float]]:
    """Wiring of three output channels from three input channels: `out + c` = weight x `source + c`."""
    return {out + c: {source + c: weight} for c in COLOURS}


@torch.no_grad()
def wire(conv: Part, wiring: Mapping[int, Mapping[int, float]], bias: float = 0.0) -> None:
    """Output channel o = sum of wiring[o][i] x input channel i at the same pixel, plus bias; others stay."""
    assert isinstance(conv, nn.Conv2d)
    middle = (conv.kernel_size[0] // 2, conv.kernel_size[1] // 2)
    for out, inputs in wiring.items():
        conv.weight[out] = 0
        for source, weight in inputs.items():
            conv.weight[out, source, *middle] = weight
        if conv.bias is not None:
            conv.bias[out] = bias


def wire_separable(conv: Part, wiring: Mapping[int, Mapping[int, float]], bias: float = 0.0) -> None:
    """The same; the depthwise part passes the inputs that are used."""
    assert isinstance(conv, SeparableConv)
    pass_through(conv.depthwise, {source for inputs in wiring.values() for source in inputs})
    wire(conv.pointwise, wiring, bias)


@torch.no_grad()
def pass_through(depthwise: nn.Conv2d, channels: set[int]) -> None:
    """A depthwise convolution leaves these channels as they are."""
    for channel in channels:
        depthwise.weight[channel] = 0
        depthwise.weight[channel, 0, 1, 1] = 1
        if depthwise.bias is not None:
            depthwise.bias[channel] = 0


def wire_clip(
    conv: Part, first: int, difference: tuple[int, int], gate: tuple[int, float], step: float
) -> None:
    """Twelve output channels before a ReLU: x and x - step, then -x and -x - step, of three colours each.

    difference: first channels of a and b, x = a - b. gate: first channel of what closes, and its weight.
    """
    one, other = difference
    for number, (sign, below) in enumerate(((1, 0.0), (1, step), (-1, 0.0), (-1, step))):
        for c in COLOURS:
            inputs = {one + c: float(sign), other + c: -float(sign), gate[0] + c: -gate[1]}
            wire(conv, {first + 3 * number + c: inputs}, bias=-below)


def unclip(first: int, colour: int, weight: float) -> dict[int, float]:
    """Inputs that add up the ReLUs of `wire_clip`: weight x clip(x, -step, step) of a colour."""
    signs = (1, -1, -1, 1)
    return {first + 3 * number + colour: weight * sign for number, sign in enumerate(signs)}
