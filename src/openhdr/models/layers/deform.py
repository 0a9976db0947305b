"""Modulated deformable convolution (DCNv2, CVPR 2019) in plain PyTorch.

    y(p) = bias + sum over taps k of  weight_k * mask_k(p) * x(p + p_k + offset_k(p))

x between pixels is bilinear, with zeros outside the image. Groups of channels have offsets of their own.

How it is fast: every sample is a weighted sum of four rows of a table whose rows are the channels of one
group at one pixel, which is exactly what `embedding_bag` computes in one pass; weights carry bilinear
shares and mask together. A ring of zeros around the image stands for "outside", so no sample needs a test.
The samples lie as (pixel, group, tap, channel), the layout in which a 1x1 convolution finishes the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import conv3x3

POINT_DILATION = 2
"""Means nothing for a kernel of one tap, but makes PyTorch choose oneDNN for it also with one thread."""

SAMPLES_AT_ONCE = 1 << 18
"""Samples (pixels x groups x taps) per chunk of rows without gradients, so that tables stay in cache."""


@dataclass(frozen=True)
class Grid:
    """Where samples are taken: the kernel's taps around pixels that start at `origin` of the input."""

    size: tuple[int, int]  # (H, W) of the input
    kernel: tuple[int, int]  # odd, taps centred
    origin: tuple[int, int] = (0, 0)  # input pixel (y, x) under the first output pixel


def deform_conv2d(
    x: torch.Tensor,
    offset: torch.Tensor,
    mask: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    origin: tuple[int, int] = (0, 0),
) -> torch.Tensor:
    """Stride 1, taps centred (an odd kernel); the output has the size of `offset`.

    x: (B, C, H, W). offset: (B, 2 G K, h, w) pixels, channel 2 (g K + k) is dy, the next dx, taps row-major.
    mask: (B, G K, h, w). weight: (O, C, kh, kw), K = kh kw; C divides by G. bias: (O,).
    origin: pixel (y, x) of `x` under the first pixel of `offset`, for a part of the output.
    Returns (B, O, h, w). Half-precision inputs are sampled in float32: positions need it.
    """
    if x.dtype in (torch.float16, torch.bfloat16):
        x32, offset, mask, weight, bias = (tensor.float() for tensor in (x, offset, mask, weight, bias))
        return deform_conv2d(x32, offset, mask, weight, bias, origin).to(x.dtype)
    batch, channels = x.shape[:2]
    height, width = offset.shape[-2:]
    kernel = (weight.shape[2], weight.shape[3])
    taps = kernel[0] * kernel[1]
    groups = mask.shape[1] // taps
    ringed = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    table = ringed.reshape(-1, channels // groups)  # a group's channels at a pixel of the ringed image
    pointwise = weight.reshape(-1, groups, channels // groups, taps).transpose(2, 3)
    pointwise = pointwise.reshape(len(weight), -1, 1, 1)
    rows = height if torch.is_grad_enabled() else max(1, SAMPLES_AT_ONCE // (batch * width * groups * taps))
    parts = []
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        grid = Grid((x.shape[2], x.shape[3]), kernel, (origin[0] + top, origin[1]))
        index, share = _corners(offset[:, :, top:bottom], mask[:, :, top:bottom], grid)
        samples = _weighted_rows(table, index, share).view(batch, bottom - top, width, -1)
        parts.append(F.conv2d(samples.permute(0, 3, 1, 2), pointwise, bias, dilation=POINT_DILATION))
    return torch.cat(parts, 2) if len(parts) > 1 else parts[0]


def _corners(offset: torch.Tensor, mask: torch.Tensor, grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Table rows and weights of the four pixels around every sample: two (B h w G K, 4) tensors."""
    batch, _, rows, columns = offset.shape
    taps = grid.kernel[0] * grid.kernel[1]
    shifts = offset.permute(0, 2, 3, 1).reshape(batch, rows, columns, -1, taps, 2)  # B h w G K 2
    share = mask.permute(0, 2, 3, 1).reshape(shifts.shape[:-1])
    tap_y, tap_x = ((_count(length, offset) - (length - 1) // 2) for length in grid.kernel)
    tap_y, tap_x = tap_y.repeat_interleave(grid.kernel[1]), tap_x.repeat(grid.kernel[0])
    y = shifts[..., 0] + (_count(rows, offset).view(-1, 1, 1, 1) + (tap_y + grid.origin[0]))
    x = shifts[..., 1] + (_count(columns, offset).view(-1, 1, 1) + (tap_x + grid.origin[1]))
    low_y, share_y = _split(y, grid.size[0])
    low_x, share_x = _split(x, grid.size[1])

    groups, pitch = shifts.shape[3], grid.size[1] + 2
    image = torch.arange(batch, device=offset.device, dtype=torch.int32).view(-1, 1, 1, 1, 1)
    group = torch.arange(groups, device=offset.device, dtype=torch.int32).view(-1, 1)
    first = ((low_y + image * (grid.size[0] + 2)) * pitch + low_x) * groups + group
    index = torch.stack((first, first + groups, first + pitch * groups, first + (pitch + 1) * groups), -1)

    lower = share * share_y
    upper = share - lower
    lower_right, upper_right = lower * share_x, upper * share_x
    weights = torch.stack((upper - upper_right, upper_right, lower - lower_right, lower_right), -1)
    return index.view(-1, 4), weights.view(-1, 4)


def _count(length: int, like: torch.Tensor) -> torch.Tensor:
    return torch.arange(length, device=like.device, dtype=like.dtype)


def _split(position: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The pixel below a position, counted from the ring, int32; and the distance from it, 0..1."""
    position = position.clamp(-1, size)
    low = position.detach().floor().clamp_(max=size - 1)
    return low.to(torch.int32) + 1, position - low


def _weighted_rows(table: torch.Tensor, index: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Sum of table rows `index` (N, 4) times `weights` (N, 4) -> (N, C / G)."""
    if torch.compiler.is_exporting():  # no runtime has embedding_bag with weights; all have gather
        return (table[index.long()] * weights[..., None]).sum(1)
    return F.embedding_bag(index, table, per_sample_weights=weights, mode="sum")


class DeformConv(nn.Module):
    """A 3x3 modulated deformable convolution whose offsets and masks are predicted from a guide.

    `predict` gives 27 numbers a group and pixel: two thirds are offsets, the last third mask logits. It
    starts at zero, so that training starts from a plain convolution (times 1/2); it is computed as one where
    nothing learned offsets.
    """

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.predict = conv3x3(inputs, groups * 27)
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        for parameter in self.predict.parameters():
            nn.init.zeros_(parameter)

    def still(self) -> bool:
        """Whether all offsets are 0 whatever the guide, and nothing learns others: only the guide's size counts."""
        learns = torch.is_grad_enabled() and any(one.requires_grad for one in self.predict.parameters())
        known = not (learns or self.predict.weight.is_meta or torch.compiler.is_exporting())
        return known and not any(parameter.any() for parameter in self.predict.parameters())

    def forward(self, x: torch.Tensor, guide: torch.Tensor, origin: tuple[int, int] = (0, 0)) -> torch.Tensor:
        """x: (B, inputs, H, W), guide: (B, inputs, h, w), whose first pixel lies at `origin` of x
        -> (B, outputs, h, w).
        """
        if self.still():
            (top, left), (height, width) = origin, guide.shape[-2:]
            around = F.pad(x, (1, 1, 1, 1))[..., top : top + height + 2, left : left + width + 2]
            return F.conv2d(around, self.weight / 2, self.bias)
        predicted = self.predict(guide)
        offsets = predicted.shape[1] // 3 * 2
        mask = torch.sigmoid(predicted[:, offsets:])
        return deform_conv2d(x, predicted[:, :offsets], mask, self.weight, self.bias, origin)
