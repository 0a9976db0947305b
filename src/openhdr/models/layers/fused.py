"""Convolutions that add to what is there, by oneDNN's fused operators; for inference on a CPU.

A dense block as written stacks all earlier outputs before each layer: on large images the copies cost as
much as a third of the arithmetic. Here each layer adds up one convolution per earlier output, in place,
and the activation rides on the last. The sums are the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

AVAILABLE = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise_")


def dense_block(x: torch.Tensor, layers: Iterable[nn.Conv2d], merge: nn.Conv2d) -> torch.Tensor:
    """What `DilatedDenseBlock` computes. x: (B, C, H, W) float32 on a CPU, channels-last."""
    sources = [x]
    for layer in layers:
        sources.append(_convolve(sources, layer, relu=True))
    return _convolve(sources, merge, relu=False).add_(x)


def _convolve(sources: list[torch.Tensor], conv: nn.Conv2d, relu: bool) -> torch.Tensor:
    """`conv` of the stack of `sources`, without making the stack."""
    weights = conv.weight.split([source.shape[1] for source in sources], 1)
    geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
    last = len(sources) - 1
    total = torch.ops.mkldnn._convolution_pointwise(
        sources[0], _packed(weights[0]), conv.bias, *geometry, "relu" if relu and not last else "none", [], ""
    )
    for i, (source, weight) in enumerate(zip(sources[1:], weights[1:], strict=True), 1):
        unary = "relu" if relu and i == last else None
        torch.ops.mkldnn._convolution_pointwise_.binary(
            total, source, _packed(weight), None, *geometry, "add", 1.0, unary, [], None
        )
    return total


def _packed(weight: torch.Tensor) -> torch.Tensor:
    return weight.contiguous(memory_format=torch.channels_last)
