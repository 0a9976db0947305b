"""Building blocks that two or more of the papers' networks share. All tensors are (B, C, H, W) float."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers import fused


def conv3x3(inputs: int, outputs: int, stride: int = 1, dilation: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (divided by `stride`)."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=bias)


def leaky(x: torch.Tensor) -> torch.Tensor:
    """LeakyReLU of slope 0.1, in place."""
    return F.leaky_relu(x, 0.1, inplace=True)


def twice(x: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) -> (B, C, 2 H, 2 W), bilinear."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def resize(x: torch.Tensor, size: torch.Size | tuple[int, int]) -> torch.Tensor:
    """(B, C, H, W) -> (B, C, *size), bilinear, antialiased when shrinking."""
    exporting = torch.compiler.is_exporting()  # what is exported must serve every size
    if not exporting and x.shape[-2:] == torch.Size(size):
        return x
    # where antialiasing enlarges it changes nothing; on a processor it knows no 16-bit floats
    shrinks = exporting or size[0] < x.shape[-2] or size[1] < x.shape[-1]
    wide = x.float() if shrinks else x
    resized = F.interpolate(wide, size=tuple(size), mode="bilinear", align_corners=False, antialias=shrinks)
    return resized.to(x.dtype)


class ImageConv(nn.Conv2d):
    """A convolution that makes an image, in float32 whatever the others work in: 8 bits would show as steps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_meta or not torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight))


class SeparableConv(nn.Sequential):
    """Depthwise 3x3, then pointwise 1x1, with nothing between (MobileNets, arXiv:1704.04861, section 3.1)."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1, depthwise_bias: bool = True
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            inputs, inputs, 3, stride, dilation, dilation, groups=inputs, bias=depthwise_bias
        )
        self.pointwise = nn.Conv2d(inputs, outputs, 1)


class SpatialAttention(nn.Module):
    """How much each place of a frame is worth beside another frame (AHDRNet, CVPR 2019, section 3.2).

    Two convolutions over the concatenated features, then a sigmoid.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W), (B, C, H, W) -> (B, C', H, W) in 0..1."""
        # slope 0.01 after the first layer: the papers' tables say ReLU, the authors' programs leak
        hidden = F.leaky_relu(self.first(torch.cat((one, other), 1)), 0.01, inplace=True)
        return torch.sigmoid(self.second(hidden))


class DilatedDenseBlock(nn.Module):
    """Dilated residual dense block, DRDB (AHDRNet, CVPR 2019, section 3.3).

    Every layer reads the input and all earlier layers' outputs, with dilation 2; a 1x1 convolution brings
    the stack back to `features` channels, and the input is added.
    """

    def __init__(self, features: int, growth: int, layers: int, separable: bool = False) -> None:
        super().__init__()
        widths = [features + i * growth for i in range(layers + 1)]
        make = SeparableConv if separable else conv3x3
        self.layers = nn.ModuleList(make(width, growth, dilation=2) for width in widths[:-1])
        self.merge = nn.Conv2d(widths[-1], features, 1)
        self.margin = 2 * layers
        self.separable = separable
        self.fused = False  # the runner sets it: same result without stacks, on a CPU, without gradients

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, features, H, W) -> the same shape."""
        if self.fused:
            return fused.dense_block(x, cast(Iterable[nn.Conv2d], self.layers), self.merge)
        stack = x
        for layer in self.layers:
            stack = torch.cat((stack, F.relu(layer(stack), inplace=True)), 1)
        return self.merge(stack) + x


def pad_to_multiple(frames: torch.Tensor, multiple: int) -> torch.Tensor:
    """Repeat the last row and column until height and width divide by `multiple`. (..., C, H, W)."""
    height, width = frames.shape[-2:]
    # (rounded up without negative numbers, which runtimes of exported networks divide in another way)
    down, right = ((n + multiple - 1) // multiple * multiple - n for n in (height, width))
    if not torch.compiler.is_exporting() and not (down or right):  # an export must serve every size
        return frames
    flat = frames.reshape(-1, *frames.shape[-3:])
    padded = F.pad(flat, (0, right, 0, down), mode="replicate")
    return padded.reshape(*frames.shape[:-2], height + down, width + right)


def rename_keys(
    state: Mapping[str, torch.Tensor], prefixes: Iterable[tuple[str, str]]
) -> dict[str, torch.Tensor] | None:
    """Give the tensors of another layout our names, by the first prefix that fits; None if one has none.

    A rule whose new prefix is empty drops its tensors (layers that the network never calls).
    """
    renamed = {}
    rules = tuple(prefixes)
    for key, tensor in state.items():
        rule = next((rule for rule in rules if key.startswith(rule[0])), None)
        if rule is None:
            return None
        old, new = rule
        if new:
            renamed[new + key.removeprefix(old)] = tensor
    return renamed


def dense_block_prefixes(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Rules of `rename_keys` for a dense block, as the authors of AHDRNet, ADNet and GSANet name it."""
    layers = ((f"{theirs}dense_layers.{i}.conv.", f"{ours}layers.{i}.") for i in range(10))
    return ((f"{theirs}conv_1x1.", f"{ours}merge."), *layers)
