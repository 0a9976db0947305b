"""AHDRNet: attention-guided network for ghost-free HDR imaging (Yan et al., CVPR 2019).

The baseline of the ADNet and EAPNet papers and of the NTIRE challenges. Each frame enters as six channels,
the photo and the photo aligned to EV 0. Two attention maps say what to take from the short and the long
frame beside the reference; three dilated dense blocks merge.

Differences from the paper, as in the authors' program and the challenge's cost figure:
- six layers in each dense block (2916.92 GMAC; five would be 2514.57);
- LeakyReLU 0.01 in the encoder and the attention; no activation between the last two convolutions;
- the challenge's gamma 2.24 domain for the aligned frames, where the paper's recipe uses linear light;
- two convolutions of the authors' program that are never called are left out (1,441,283 parameters remain;
  the papers' "1141.28k" is a misprint of 1441.28k).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import (
    DilatedDenseBlock,
    SpatialAttention,
    conv3x3,
    dense_block_prefixes,
    rename_keys,
)
from openhdr.models.layers.codes import align_exposure
from openhdr.models.layers.steps import Local, whole


@dataclass(frozen=True)
class AHDRNetConfig:
    features: int = 64  # channels
    growth: int = 32  # channels that a dense layer adds
    dense_layers: int = 6  # in each of the three dense blocks


class AHDRNet(nn.Module):
    """Three frames -> HDR bounded by 1 (sigmoid): give EVs relative to the shortest frame, then scale."""

    Config = AHDRNetConfig
    multiple = 1  # height and width inside must divide by this
    bounded = True
    bytes_per_pixel = 1200
    steps = 5
    survey_steps = 0

    def __init__(self, config: AHDRNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.features
        self.margin = 7 + 3 * 2 * config.dense_layers  # pixels beyond which nothing reaches the output
        self.encode = conv3x3(6, width)
        self.attention_short = SpatialAttention(conv3x3(2 * width, 2 * width), conv3x3(2 * width, width))
        self.attention_long = SpatialAttention(conv3x3(2 * width, 2 * width), conv3x3(2 * width, width))
        self.fuse = conv3x3(3 * width, width)
        self.blocks = nn.ModuleList(
            DilatedDenseBlock(width, config.growth, config.dense_layers) for _ in range(3)
        )
        self.gather = nn.Sequential(nn.Conv2d(3 * width, width, 1), conv3x3(width, width))
        self.output = nn.Sequential(conv3x3(width, width), conv3x3(width, 3))

    def forward(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """frames: (B, 3, 3, H, W) RGB 0..1 gamma-coded, short to long. ev: (B, 3) stops; a frame of EV 0
        clips at 1. Returns (B, 3, H, W) gamma-coded (2.24) HDR, 0..1.
        """
        inputs = torch.cat((frames, align_exposure(frames, ev)), 2)  # B 3 6 H W
        x, medium = local(self._attend, 4, inputs)  # B 64 H W each
        merged = []
        for block in self.blocks:
            x = local(block, cast(int, block.margin), x)
            merged.append(x)
        return local(self._restore, 4, medium, *merged)

    def _attend(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, 6, H, W) -> merged features and those of the reference, (B, 64, H, W) each."""
        short, medium, long = (
            F.leaky_relu(self.encode(frame), 0.01, inplace=True) for frame in inputs.unbind(1)
        )  # B 64 H W each
        short = short * self.attention_short(short, medium)
        long = long * self.attention_long(long, medium)
        return self.fuse(torch.cat((short, medium, long), 1)), medium

    def _restore(self, medium: torch.Tensor, *merged: torch.Tensor) -> torch.Tensor:
        """The reference's features and the outputs of the dense blocks -> (B, 3, H, W)."""
        return torch.sigmoid(self.output(self.gather(torch.cat(merged, 1)) + medium))

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


_AUTHORS_PREFIXES = (
    ("conv1.", "encode."),
    ("att11.", "attention_short.first."),
    ("att12.", "attention_short.second."),
    ("att31.", "attention_long.first."),
    ("att32.", "attention_long.second."),
    ("attConv1.", ""),  # never called
    ("attConv3.", ""),  # never called
    ("conv2.", "fuse."),
    *dense_block_prefixes("RDB1.", "blocks.0."),
    *dense_block_prefixes("RDB2.", "blocks.1."),
    *dense_block_prefixes("RDB3.", "blocks.2."),
    ("GFF_1x1.", "gather.0."),
    ("GFF_3x3.", "gather.1."),
    ("conv_up.", "output.0."),
    ("conv3.", "output.1."),
)
