"""The mask-aware discriminator of stack-itm and what it is shown (Zhang et al., CVPR 2023, section 3.6).

It judges every pixel: only badly exposed places, where the networks invent, count as fake. The text names a
global judgement too, which the equations leave out; `global_head` gives it and is off by default. Widths
(32 to 256), LeakyReLU 0.2 and strided convolutions are choices.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import conv3x3, pad_to_multiple

THRESHOLD = 0.95  # code above which a place counts as over-exposed; HDRCNN's, as the paper refers to
WIDTHS = (32, 64, 128, 256, 256)  # of the five levels


def exposure_mask(image: torch.Tensor, kind: Literal["over", "under"]) -> torch.Tensor:
    """(B, 3, H, W) codes 0..1 -> (B, 1, H, W) in 0..1, how badly exposed a place is.

    over: max(0, max_c I - t) / (1 - t) (HDRCNN, equation 3); under: the same of the negative 1 - I, in
    keeping with the luminance guides of section 3.2.
    """
    level = image.amax(1, keepdim=True) if kind == "over" else 1 - image.amin(1, keepdim=True)
    return ((level - THRESHOLD) / (1 - THRESHOLD)).clamp(0, 1)


def mixed_fake(
    generated: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mixed image z = I M + I_true (1 - M), (B, 3, H, W), and its label 1 - M, (B, 1, H, W)."""
    return generated * mask + truth * (1 - mask), 1 - mask


def discriminator_loss(real: torch.Tensor, fake: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Equation 13 of the judgements of a true and of a mixed image, (B, 1, H, W); label: 1 - M."""
    return 0.5 * (real - 1).square().mean() + 0.5 * (fake - label).square().mean()


def generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """Equation 14 of the judgement of a mixed image, (B, 1, H, W)."""
    return 0.5 * (fake - 1).square().mean()


class MaskAwareDiscriminator(nn.Module):
    """A five-level U-Net."""

    def __init__(self, global_head: bool = False) -> None:
        super().__init__()
        self.first = conv3x3(3, WIDTHS[0])
        self.down = nn.ModuleList(conv3x3(*pair, stride=2) for pair in pairwise(WIDTHS))
        self.up = nn.ModuleList(conv3x3(a + b, b) for a, b in pairwise(WIDTHS[::-1]))
        self.judge = nn.Conv2d(WIDTHS[0], 1, 1)
        self.judge_whole = nn.Linear(WIDTHS[-1], 1) if global_head else None

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(B, 3, H, W) codes 0..1 -> (B, 1, H, W), 1 = real, and with the global head (B, 1), else None."""
        height, width = image.shape[-2:]
        levels = [_leaky(self.first(pad_to_multiple(image, 2 ** len(self.down))))]
        for conv in self.down:
            levels.append(_leaky(conv(levels[-1])))
        x = levels.pop()
        whole = self.judge_whole(x.mean((2, 3))) if self.judge_whole else None
        for conv in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = _leaky(conv(torch.cat((x, levels.pop()), 1)))
        return self.judge(x)[..., :height, :width], whole


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.2)
