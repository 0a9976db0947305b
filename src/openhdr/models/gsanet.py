"""GSANet: gamma-enhanced spatial attention for efficient HDR imaging (Li et al., CVPRW 2022).

Five images of the scene are grouped: the photos s, m, l and the photos aligned to EV 0 s', l', where s* is
s' after a small denoiser (section 3.1, figures 3 and 4). In a group with attention, the shorter and the
longer photo are weighted by maps that see the photo and the aligned image between them (equations 3 and 4).
All weighted and plain features are merged by separable convolutions, channel attention and one dilated
dense block.

Differences from the paper, as in the authors' program and weights:
- 32 channels everywhere (the paper's text says 64; its cost, 199.39 GMAC and 0.08 M, is that of 32);
- the two attention modules serve both groups; the image between two photos enters no group output itself;
- the "efficient channel attention" is that of RCAN (two convolutions, squeeze, two 1x1), not ECA;
- the middle group holds m aligned to EV 0, which is m up to rounding when m has EV 0;
- LeakyReLU 0.01 in attention and output, 0.1 in the denoiser.
The authors' weights read and write BGR; ours are RGB, and loading theirs turns the channels around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import (
    DilatedDenseBlock,
    SeparableConv,
    SpatialAttention,
    conv3x3,
    dense_block_prefixes,
    pad_to_multiple,
    rename_keys,
)
from openhdr.models.layers.codes import align_exposure
from openhdr.models.layers.steps import Local, whole

WIDTH = 32  # channels


@dataclass(frozen=True)
class GSANetConfig:
    """Options of the ablation tables 2 to 4; the defaults are the published network."""

    grouping: Literal["123,234,345", "12345", "135", "123,345", "135,234"] = "123,234,345"
    denoise: bool = True  # the small U-Net on the short frame; False: "GSA-NoUNet"
    channel_attention: bool = True  # False: "GSA-DRDBNet"
    dense_block: bool = True  # False: "GSA-CANet"
    share_features: bool = False  # compute each image's features once: 187.94 GMAC, same output


@dataclass(frozen=True)
class Group:
    """Images that are merged together; letters as in the module's docstring, m' = m aligned to EV 0."""

    images: tuple[str, ...]
    attention: bool = False  # weight the first and the last image by maps that see the one between
    keep_middle: bool = False  # also pass on the image between


GROUPINGS: dict[str, tuple[Group, ...]] = {
    "123,234,345": (
        Group(("s", "s*", "m"), attention=True),
        Group(("s*", "m'", "l'")),
        Group(("m", "l'", "l"), attention=True),
    ),
    "12345": (Group(("s", "s*", "m", "l'", "l")),),  # no spatial attention
    "135": (Group(("s", "m", "l"), attention=True, keep_middle=True),),
    "123,345": (Group(("s", "s*", "m"), attention=True), Group(("m", "l'", "l"), attention=True)),
    "135,234": (Group(("s", "m", "l"), attention=True, keep_middle=True), Group(("s*", "m'", "l'"))),
}
PHOTOS = {"s": 0, "m": 1, "l": 2}
ALIGNED = {"m'": 1, "l'": 2}


class Denoiser(nn.Module):
    """A small encoder and decoder without skip or output activation (figure 4). (B, 3, H, W) -> the same."""

    def __init__(self) -> None:
        super().__init__()
        self.input = conv3x3(3, 16)
        self.down = conv3x3(16, 32, stride=2)
        self.middle = SeparableConv(32, 32)
        self.up = SeparableConv(32, 64)
        self.output = conv3x3(16, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = F.leaky_relu(self.down(self.input(image)), 0.1, inplace=True)  # B 32 H/2 W/2
        x = F.leaky_relu(self.middle(x), 0.1, inplace=True)
        return self.output(F.pixel_shuffle(self.up(x), 2))


class ChannelAttention(nn.Module):
    """The parts of x + gate(mean of r) * r, r = body(x), the mean over the image (RCAN, section 3.3)."""

    def __init__(self, width: int = WIDTH, squeezed: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv3x3(width, width, bias=False), nn.PReLU(), conv3x3(width, width, bias=False)
        )
        self.squeeze = nn.Conv2d(width, squeezed, 1, bias=False)
        self.excite = nn.Conv2d(squeezed, width, 1, bias=False)

    def gate(self, mean: torch.Tensor) -> torch.Tensor:
        """(B, C, 1, 1) mean of the residual over the whole image -> (B, C, 1, 1) factors in 0..1."""
        return torch.sigmoid(self.excite(F.relu(self.squeeze(mean))))


class GSANet(nn.Module):
    """Three frames -> HDR, unbounded above."""

    Config = GSANetConfig
    multiple = 2
    margin = 24  # pixels beyond which nothing reaches the output, the channel attention's mean apart
    bounded = False
    bytes_per_pixel = 450
    steps = 3

    def __init__(self, config: GSANetConfig) -> None:
        super().__init__()
        self.config = config
        self.groups = GROUPINGS[config.grouping]
        self.survey_steps = 2 if config.channel_attention else 0
        self.features = conv3x3(3, WIDTH)
        self.has_denoiser = config.denoise and any("s*" in group.images for group in self.groups)
        if self.has_denoiser:
            self.denoise = Denoiser()
        if any(group.attention for group in self.groups):
            self.attention_short = _attention()
            self.attention_long = _attention()
        images = sum(2 + g.keep_middle if g.attention else len(g.images) for g in self.groups)
        self.fuse = SeparableConv(images * WIDTH, WIDTH)
        if config.channel_attention:
            self.channel_attention = ChannelAttention()
        self.refine = SeparableConv(WIDTH, WIDTH)
        if config.dense_block:
            self.dense_block = DilatedDenseBlock(WIDTH, growth=16, layers=3)
        self.output = nn.Sequential(SeparableConv(WIDTH, WIDTH), nn.LeakyReLU(0.01), conv3x3(WIDTH, 3))

    def forward(
        self,
        frames: torch.Tensor,
        ev: torch.Tensor,
        local: Local = whole,
        mean: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """frames: (B, 3, 3, H, W) RGB 0..1 gamma-coded, short to long. ev: (B, 3) stops; a frame of EV 0
        clips at 1. Returns (B, 3, H, W) gamma-coded (2.24) HDR, >= 0.

        mean: (B, 32, 1, 1), see `survey`; None takes it from these frames.
        """
        height, width = frames.shape[-2:]
        x, *residual = self._front(pad_to_multiple(frames, self.multiple), ev, local)
        if not residual:
            return local(self._restore, 10, x)[..., :height, :width]
        gate = self.channel_attention.gate(residual[0].mean((2, 3), keepdim=True) if mean is None else mean)
        restored = local(lambda x, residual: self._restore(residual * gate + x), 10, x, *residual)
        return restored[..., :height, :width]

    def survey(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """What the channel attention averages over the image, (B, 32, H, W).

        For images that are processed in parts: the mean over all parts is `forward`'s `mean`.
        """
        return self._front(frames, ev, local)[1]

    def _front(self, frames: torch.Tensor, ev: torch.Tensor, local: Local) -> tuple[torch.Tensor, ...]:
        """Merged features (B, 32, H, W), and the channel attention's residual where there is one."""
        share = self.config.share_features or local is not whole
        aligned = align_exposure(frames, ev)
        denoised = (local(self._denoised, 8, aligned),) if share else ()

        def merge(*images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            x = self._fuse_groups(_Images(self, images[0], images[1], images[2:]))
            return (x, self.channel_attention.body(x)) if self.config.channel_attention else (x,)

        return local(merge, 6 if share else 14, frames, aligned, *denoised)

    def _denoised(self, aligned: torch.Tensor) -> torch.Tensor:
        """The short frame at EV 0, without its noise: (B, 3, 3, H, W) -> (B, 3, H, W)."""
        return self.denoise(aligned[:, 0]) if self.has_denoiser else aligned[:, 0]

    def _fuse_groups(self, features: _Images) -> torch.Tensor:
        """Features of all groups, merged: (B, 32, H, W)."""
        parts: list[torch.Tensor] = []
        for group in self.groups:
            members = [features[image] for image in group.images]
            parts += self._attended(group, members) if group.attention else members
        return self.fuse(torch.cat(parts, 1))

    def _attended(self, group: Group, members: list[torch.Tensor]) -> list[torch.Tensor]:
        first, middle, last = members
        first = first * self.attention_short(first, middle)
        last = last * self.attention_long(middle, last)
        return [first, middle, last] if group.keep_middle else [first, last]

    def _restore(self, x: torch.Tensor) -> torch.Tensor:
        """Features after channel attention -> image: (B, 32, H, W) -> (B, 3, H, W)."""
        x = self.refine(x)
        if self.config.dense_block:
            x = self.dense_block(x)
        return F.relu(self.output(x))

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names, BGR turned to RGB; None when `state` is not their layout."""
        renamed = rename_keys(state, _AUTHORS_PREFIXES)
        if renamed is None:
            return None
        for key in ("features.weight", "denoise.input.weight"):
            if key in renamed:
                renamed[key] = renamed[key].flip(1)
        for key in ("denoise.output.weight", "denoise.output.bias", "output.2.weight", "output.2.bias"):
            if key in renamed:
                renamed[key] = renamed[key].flip(0)
        return renamed


class _Images:
    """Features (B, 32, H, W) of the images that groups name, computed on every use as the authors do,
    or on first use only where the denoised image is given.
    """

    def __init__(
        self, net: GSANet, frames: torch.Tensor, aligned: torch.Tensor, denoised: tuple[torch.Tensor, ...]
    ) -> None:
        self.net, self.frames, self.aligned, self.denoised = net, frames, aligned, denoised
        self.known: dict[str, torch.Tensor] = {}

    def __getitem__(self, image: str) -> torch.Tensor:
        if image in self.known:
            return self.known[image]
        features = F.relu(self.net.features(self._pixels(image)), inplace=True)
        if self.denoised:
            self.known[image] = features
        return features

    def _pixels(self, image: str) -> torch.Tensor:
        if image in PHOTOS:
            return self.frames[:, PHOTOS[image]]
        if image == "s*":
            return self.denoised[0] if self.denoised else self.net._denoised(self.aligned)
        return self.aligned[:, ALIGNED[image]]


def _attention() -> SpatialAttention:
    return SpatialAttention(SeparableConv(2 * WIDTH, 2 * WIDTH), SeparableConv(2 * WIDTH, WIDTH))


def _separable(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    return ((f"{theirs}0.", f"{ours}depthwise."), (f"{theirs}1.", f"{ours}pointwise."))


_AUTHORS_PREFIXES = (
    ("feat_exract.0.", "features."),
    ("denoise.conv1.", "denoise.input."),
    ("denoise.downsample.0.", "denoise.down."),
    *_separable("denoise.downsample.2.", "denoise.middle."),
    *_separable("denoise.upsample.0.", "denoise.up."),
    ("denoise.conv2.", "denoise.output."),
    *_separable("att_module_l.att1.", "attention_short.first."),
    *_separable("att_module_l.att2.", "attention_short.second."),
    *_separable("att_module_h.att1.", "attention_long.first."),
    *_separable("att_module_h.att2.", "attention_long.second."),
    *_separable("conv1.", "fuse."),
    ("channel_att.0.body.", "channel_attention.body."),
    ("channel_att.0.CA.conv_du.0.", "channel_attention.squeeze."),
    ("channel_att.0.CA.conv_du.2.", "channel_attention.excite."),
    *_separable("conv2.", "refine."),
    *dense_block_prefixes("RDB.", "dense_block."),
    *_separable("post_conv.0.", "output.0."),
    ("post_conv.2.", "output.2."),
)
