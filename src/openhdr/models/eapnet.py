"""EAPNet: efficient attention-and-alignment-guided progressive network (Yu et al., CVPRW 2022).

Features at half and quarter resolution (MSEnc, figure 3), attention and a feature alignment by a predicted
scale and bias (Young et al., WACV 2022) for the outer frames, then progressive dilated U-shape blocks
(PDUB) at half resolution and a long skip from the reference.

No program was published, and the paper's figures give no widths. What it gives is kept: six-channel frames
(equation 2), a standard convolution first and last and separable ones between, two scales, encoders and
attention of each frame's own, PDUBs from 1/2 down to 1/8, 3 of them with bilinear upsampling and full
alignment in the lightweight model, 4 with transposed convolutions and halved alignment in the standard one,
1060x1900 padded to 1080x1920. Widths were then chosen so that costs agree with tables 1 and 2; see
docs/reference/network_cost.md for each number and its gap. Free choices besides widths:
- LeakyReLU 0.1 between layers; ReLU at the output, because targets exceed 1;
- the predicted scale is added to 1, so that alignment starts near the identity;
- dilations 1, 2, 4 inside a PDUB; depthwise convolutions without bias;
- inside, images grow to a multiple of 24: the least multiple of 8 that gives the paper's 1080x1920.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import (
    DilatedDenseBlock,
    SeparableConv,
    SpatialAttention,
    conv3x3,
    leaky,
    pad_to_multiple,
    twice,
)
from openhdr.models.layers.codes import align_exposure
from openhdr.models.layers.steps import Local, whole

STEM, HIGH, LOW = 32, 64, 32  # channels at 1/1, 1/2 and 1/4
FRAMES = 3
GUIDE_MARGIN = {"none": 8, "full": 12, "half": 20}  # pixels at 1/2, with the fusion after it


@dataclass(frozen=True)
class EAPNetConfig:
    """Options of tables 1 and 2; the defaults are the standard model (experiment 8)."""

    blocks: int = 4  # restoration blocks in series
    body: Literal["pdub", "drdb"] = "pdub"  # drdb: separable dilated dense blocks (experiments 1 and 2)
    encoder: Literal["multi-scale", "single-scale"] = "multi-scale"  # single-scale: experiment 1
    alignment: Literal["none", "half", "full"] = "half"  # resolution of scale and bias beside the features'
    share: bool = False  # one encoder, attention and alignment for all frames (experiments 1 to 4)
    transposed: bool = True  # upsample inside PDUBs by transposed convolutions, else bilinearly


def _separable(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> SeparableConv:
    return SeparableConv(inputs, outputs, stride, dilation, depthwise_bias=False)


def _six_channels(frames: torch.Tensor, ev: torch.Tensor, i: int) -> torch.Tensor:
    """Frame i as it is and aligned to EV 0 (equation 2): (B, 3, 3, H, W) -> (B, 6, H, W)."""
    frame = frames[:, i : i + 1]
    return torch.cat((frame, align_exposure(frame, ev[:, i : i + 1])), 2)[:, 0]


class Encoder(nn.Module):
    """One frame (B, 6, H, W): the stem at full, high features at half, low features at quarter resolution."""

    def __init__(self, multi_scale: bool) -> None:
        super().__init__()
        self.stem = conv3x3(6, STEM)
        self.high = _separable(STEM, HIGH, stride=2)
        widths = (HIGH, LOW, LOW, LOW) if multi_scale else ()
        self.low = nn.ModuleList(
            _separable(*pair, stride=1 if i else 2) for i, pair in enumerate(pairwise(widths))
        )

    def forward(self, frame: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 32, H, W), (B, 64, H/2, W/2), and with two scales (B, 32, H/4, W/4)."""
        stem = leaky(self.stem(frame))
        high = leaky(self.high(stem))
        if not self.low:
            return stem, high
        low = high
        for layer in self.low:
            low = leaky(layer(low))
        return stem, high, low

    def scales(self, frame: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The same without the stem."""
        return self(frame)[1:]


class FeatureAlignment(nn.Module):
    """(1 + scale) * frame + bias, both predicted from the frame and the reference, per channel and place."""

    def __init__(self, width: int, halved: bool) -> None:
        super().__init__()
        self.halved = halved
        self.predict = nn.ModuleList(
            (_separable(2 * width, width), _separable(width, width), _separable(width, 2 * width))
        )

    def forward(self, frame: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """(B, width, h, w) twice -> the same shape."""
        x = torch.cat((frame, reference), 1)
        x = F.avg_pool2d(x, 2) if self.halved else x
        x = self.predict[2](leaky(self.predict[1](leaky(self.predict[0](x)))))
        scale, bias = (twice(x) if self.halved else x).chunk(2, 1)
        return frame + frame * scale + bias


class Guide(nn.Module):
    """Attention and alignment of one scale of an outer frame beside the reference."""

    def __init__(self, width: int, hidden: int, alignment: str) -> None:
        super().__init__()
        self.attention = SpatialAttention(_separable(2 * width, hidden), _separable(hidden, width))
        if alignment != "none":
            self.alignment = FeatureAlignment(width, halved=alignment == "half")

    def forward(self, frame: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        attention = self.attention(frame, reference)
        if hasattr(self, "alignment"):
            frame = self.alignment(frame, reference)
        return frame * attention


class Upsample(nn.Module):
    """Twice the size: a 1x1 convolution and bilinear interpolation, or one transposed convolution."""

    def __init__(self, inputs: int, outputs: int, transposed: bool) -> None:
        super().__init__()
        self.transposed = transposed
        self.conv = nn.ConvTranspose2d(inputs, outputs, 2, 2) if transposed else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x if self.transposed else twice(x)


class ProgressiveBlock(nn.Module):
    """PDUB: a residual U of dilated separable convolutions over 1/2, 1/4 and 1/8 of the image's size."""

    margin = 36  # pixels at 1/2

    def __init__(self, transposed: bool) -> None:
        super().__init__()
        self.input = _separable(64, 96)
        self.down = nn.ModuleList(_separable(c, 64, dilation=d) for c, d in ((96, 1), (64, 2), (64, 4)))
        self.bottom = nn.ModuleList((_separable(64, 48), _separable(48, 48)))
        self.up_quarter = Upsample(48, 64, transposed)
        self.merge = nn.ModuleList((_separable(128, 64), _separable(64, 64)))
        self.up_half = Upsample(64, 96, transposed)
        self.output = _separable(192, 64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 64, h, w) -> the same shape; h and w divide by 4."""
        half = leaky(self.input(x))  # B 96 h w
        quarter = F.avg_pool2d(half, 2)
        for layer in self.down:
            quarter = leaky(layer(quarter))  # B 64 h/2 w/2
        low = F.avg_pool2d(quarter, 2)
        for layer in self.bottom:
            low = leaky(layer(low))  # B 48 h/4 w/4
        y = torch.cat((quarter, self.up_quarter(low)), 1)
        for layer in self.merge:
            y = leaky(layer(y))  # B 64 h/2 w/2
        return self.output(torch.cat((half, self.up_half(y)), 1)) + x


class EAPNet(nn.Module):
    """Three frames -> HDR, unbounded above."""

    Config = EAPNetConfig
    multiple = 24
    bounded = False
    survey_steps = 0

    def __init__(self, config: EAPNetConfig) -> None:
        super().__init__()
        self.config = config
        multi_scale = config.encoder == "multi-scale"
        self.encoders = nn.ModuleList(Encoder(multi_scale) for _ in range(1 if config.share else FRAMES))
        outer = 1 if config.share else FRAMES - 1
        self.guide_high = nn.ModuleList(Guide(HIGH, 2 * HIGH, config.alignment) for _ in range(outer))
        if multi_scale:
            self.guide_low = nn.ModuleList(Guide(LOW, LOW, config.alignment) for _ in range(outer))
        self.fuse = _separable(FRAMES * (HIGH + LOW * multi_scale), 64)
        if config.body == "pdub":
            blocks: list[Any] = [ProgressiveBlock(config.transposed) for _ in range(config.blocks)]
        else:
            blocks = [DilatedDenseBlock(64, 32, 5, separable=True) for _ in range(config.blocks)]
        self.blocks = nn.ModuleList(blocks)
        self.steps = 5 + config.blocks
        half = GUIDE_MARGIN[config.alignment] + sum(block.margin for block in blocks)
        self.margin = 20 + 2 * half
        self.bytes_per_pixel = 430 + 64 * config.blocks
        self.gather = nn.Sequential(nn.Conv2d(64 * config.blocks, 64, 1), _separable(64, 64))
        self.restore = _separable(64, STEM)
        self.output = conv3x3(STEM, 3)

    def forward(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """frames: (B, 3, 3, H, W) RGB 0..1 gamma-coded, short to long. ev: (B, 3) stops; a frame of EV 0
        clips at 1. Returns (B, 3, H, W) gamma-coded (2.24) HDR, >= 0.
        """
        height, width = frames.shape[-2:]
        frames = pad_to_multiple(frames, self.multiple)
        short = local(cast(Encoder, self._own(self.encoders, 0)).scales, 12, _six_channels(frames, ev, 0))
        stem, *medium = local(self._own(self.encoders, 1), 12, _six_channels(frames, ev, 1))
        long = local(cast(Encoder, self._own(self.encoders, 2)).scales, 12, _six_channels(frames, ev, 2))
        x = local(self._guide_and_fuse, GUIDE_MARGIN[self.config.alignment], *short, *medium, *long)
        del short, medium, long  # lets large tensors go before the blocks
        outputs = []
        for block in self.blocks:
            x = local(block, cast(int, block.margin), x)
            outputs.append(x)
        return local(self._restore, 8, stem, *outputs)[..., :height, :width]

    def _guide_and_fuse(self, *scales: torch.Tensor) -> torch.Tensor:
        """High (and low) features of the short, the medium and the long frame -> (B, 64, H/2, W/2)."""
        count = len(scales) // FRAMES
        frames = [scales[i * count : (i + 1) * count] for i in range(FRAMES)]
        features = []
        for i, (high, *low) in enumerate(frames):
            if i != 1:
                high = self._own(self.guide_high, i // 2)(high, frames[1][0])
                low = [self._own(self.guide_low, i // 2)(x, frames[1][1]) for x in low]
            features += [high, *(twice(x) for x in low)]
        return leaky(self.fuse(torch.cat(features, 1)))

    def _restore(self, stem: torch.Tensor, *outputs: torch.Tensor) -> torch.Tensor:
        """The reference's stem (B, 32, H, W) and the blocks' outputs at half its size -> (B, 3, H, W)."""
        x = leaky(self.restore(twice(self.gather(torch.cat(outputs, 1)))))
        return F.relu(self.output(x + stem))

    @staticmethod
    def _own(modules: nn.ModuleList, i: int) -> nn.Module:
        """The module of frame i, or the one that all frames share."""
        return modules[i if len(modules) > 1 else 0]

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> None:
        """No authors' weights are known."""
        return None
