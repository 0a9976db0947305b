"""Blocks of the two exposure models of stack-itm (Zhang et al., CVPR 2023, sections 3.2 to 3.4).

Where the paper is silent, the choices are: LeakyReLU 0.1 between convolutions; attention maps of one channel,
as figure 9 shows them; channel attention with a reduction of 8; features reduced to half by the 1x1
convolutions of the cross-model attention; maps and global features resized bilinearly.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.blocks import conv3x3
from openhdr.models.swin import SwinBlock

DILATIONS = (1, 5, 9, 13)
REDUCTION = 8  # of the channel attention
VIEW = 256  # side of the exposure adaptive block's input, pixels


def leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.1, inplace=True)


def resize(x: torch.Tensor, size: torch.Size | tuple[int, int]) -> torch.Tensor:
    """Bilinear, antialiased when shrinking."""
    if (
        torch.compiler.is_exporting()
    ):  # an export must serve every size; enlarging, antialiasing changes nothing
        return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False, antialias=True)
    if x.shape[-2:] == torch.Size(size):
        return x
    shrinks = size[0] < x.shape[-2] or size[1] < x.shape[-1]
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False, antialias=shrinks)


class GuidedConv(nn.Module):
    """Luminance-guided convolution, LGC: features times the guide, then a 3x3 convolution (section 3.2)."""

    def __init__(self, inputs: int, outputs: int, stride: int, guided: bool) -> None:
        super().__init__()
        self.guided = guided
        self.conv = conv3x3(inputs, outputs, stride)

    def forward(self, x: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        """x: (B, C, h, w). guide: (B, 1, H, W) 0..1. Returns (B, C', h / stride, w / stride)."""
        return leaky(self.conv(x * resize(guide, x.shape[-2:]) if self.guided else x))


class ChannelAttention(nn.Module):
    """CBAM's: the mean and the maximum of every channel go through one small MLP (Woo et al., ECCV 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = max(width // REDUCTION, 4)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same shape."""
        gate = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * gate[:, :, None, None]


class CrossModelAttention(nn.Module):
    """CMAB: one model's features, helped by the other model's of the same level (equations 1 to 3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.reduce = nn.ModuleList((nn.Conv2d(width, half, 1), nn.Conv2d(width, half, 1)))
        self.score = nn.ModuleList((nn.Conv2d(width, 1, 1), nn.Conv2d(width, 1, 1)))
        self.dilated = nn.ModuleList(conv3x3(width, width // 4, dilation=d) for d in DILATIONS)
        self.attention = ChannelAttention(width)
        self.output = nn.Conv2d(width, width, 1)

    def forward(self, current: torch.Tensor, opposite: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, C, H, W) twice -> features (B, C, H, W), and the maps M_cur and M_ref (B, 1, H, W) in 0..1."""
        reduced = [conv(x) for conv, x in zip(self.reduce, (current, opposite), strict=True)]
        both = torch.cat(reduced, 1)  # B C H W
        maps = [torch.sigmoid(conv(both)) for conv in self.score]
        both = torch.cat([m * x for m, x in zip(maps, reduced, strict=True)], 1)
        wide = torch.cat([leaky(conv(both)) for conv in self.dilated], 1)  # B C H W
        return self.output(self.attention(wide)) + current, *maps


class ExposureBlock(nn.Module):
    """Exposure adaptive block, EAB, shared: global features of the whole photo (section 3.4)."""

    def __init__(self, width: int, blocks: int, heads: int, window: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            (conv3x3(3, width // 2, 2), conv3x3(width // 2, width, 2), conv3x3(width, width))
        )
        self.blocks = nn.ModuleList(SwinBlock(width, heads, window, bool(i % 2)) for i in range(blocks))

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """(B, 3, 256, 256) -> F_glo (B, C, 64, 64)."""
        x = view
        for conv in self.convs:
            x = leaky(conv(x))
        for block in self.blocks:
            x = block(x)
        return x


class GlobalFusion(nn.Module):
    """Global feature fusion block, GFFB: the last encoder features beside the global ones."""

    def __init__(self, width: int, width_global: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width + width_global, width, 1)
        self.conv = conv3x3(width, width)

    def forward(self, encoded: torch.Tensor, glob: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w), (B, C', 64, 64) -> (B, C, h, w)."""
        x = torch.cat((encoded, resize(glob, encoded.shape[-2:])), 1)
        return leaky(self.conv(leaky(self.reduce(x))))


class Styles(nn.Module):
    """S_1 ... S_n, the means that the decoder's channels are given (equations 4 and 5).

    S_1 comes from the pooled global and encoder features, each further one linearly from the one before.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(*pair) for pair in pairwise((inputs, *widths)))

    def forward(self, glob: torch.Tensor, encoded: torch.Tensor) -> list[torch.Tensor]:
        """Features (B, C', 64, 64) and (B, C, h, w) -> n vectors (B, width)."""
        s = torch.cat((glob.mean((2, 3)), encoded.mean((2, 3))), 1)
        styles = []
        for linear in self.linear:
            s = linear(s)
            styles.append(s)
        return styles


def give_mean(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) with the mean of every channel replaced by (B, C): equation 6."""
    return x - x.mean((2, 3), keepdim=True) + mean[:, :, None, None]
