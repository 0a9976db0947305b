"""The discriminator that the two-stage network's first stage is trained against (Sharif et al., CVPRW 2021,
section 3.3).

Eight convolutions with swish, batch normalisation from the second on, a 1x1 convolution, the mean over the
image, a sigmoid. As in the authors' program: every second convolution halves the size, beginning with the
second (the paper: the odd ones), and the 1x1 convolution pads by one pixel, so that a border of biases
counts in the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import conv3x3, rename_keys

WIDTHS = (3, 64, 64, 128, 128, 256, 256, 512, 512)


class TwoStageDiscriminator(nn.Module):
    """How real an image looks. 4,689,601 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            conv3x3(*pair, stride=1 + i % 2) for i, pair in enumerate(pairwise(WIDTHS))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS[2:])
        self.judge = nn.Conv2d(WIDTHS[-1], 1, 1, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) gamma-coded -> (B, 1) in 0..1, 1 = real."""
        x = F.silu(self.convs[0](image))
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = F.silu(norm(conv(x)))
        return torch.sigmoid(self.judge(x).mean((2, 3)))  # B 1

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


_AUTHORS_PREFIXES = (
    *((f"conv{i + 1}.", f"convs.{i}.") for i in range(8)),
    *((f"bn{i + 2}.", f"norms.{i}.") for i in range(7)),
    ("conv9.", "judge."),
)
