"""HDRUNet: one photo -> HDR with denoising and dequantisation (Chen et al., CVPRW 2021), of the NTIRE 2021 challenge.

A U-Net of three scales whose features are modulated by conditions drawn from the same photo (spatial feature
transform: times 1 + scale, plus shift), and a branch that says how much of the photo itself goes into the result.

As in the authors' program: the condition is the photo, ReLU in the main branch, LeakyReLU 0.1 in the conditions, no
activation at the output. Inside, images grow to a multiple of 4 by repeating the border.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import ImageConv, conv3x3, leaky, pad_to_multiple, rename_keys
from openhdr.models.layers.steps import Local, whole

WIDTH, CONDITION = 64, 32  # channels of features and of the conditions


@dataclass(frozen=True)
class HDRUNetConfig:
    """The network has no options."""


class Transform(nn.Module):
    """Spatial feature transform (Wang et al., CVPR 2018): x (1 + scale) + shift, both from the condition."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.ModuleList([nn.Conv2d(CONDITION, 32, 1), nn.Conv2d(32, WIDTH, 1)])
        self.shift = nn.ModuleList([nn.Conv2d(CONDITION, 32, 1), nn.Conv2d(32, WIDTH, 1)])

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(B, 64, h, w), (B, 32, h, w) -> (B, 64, h, w)."""
        scale, shift = (two[1](leaky(two[0](condition))) for two in (self.scale, self.shift))
        return x * (scale + 1) + shift


class ModulatedBlock(nn.Module):
    """A residual block of two convolutions, each after a transform."""

    def __init__(self) -> None:
        super().__init__()
        self.transforms = nn.ModuleList([Transform(), Transform()])
        self.convs = nn.ModuleList([conv3x3(WIDTH, WIDTH), conv3x3(WIDTH, WIDTH)])

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(B, 64, h, w), (B, 32, h, w) -> (B, 64, h, w)."""
        hidden = F.relu(self.convs[0](self.transforms[0](x, condition)), inplace=True)
        return x + self.convs[1](self.transforms[1](hidden, condition))


class HDRUNet(nn.Module):
    """One photo -> HDR, unbounded."""

    Config = HDRUNetConfig
    bounded = False
    encoding = "gamma"  # of the photo it takes: light ^ (1 / 2.24)
    output = "gamma"  # of the image it gives
    own_scale = False
    margin = 104  # pixels beyond which nothing reaches the output
    steps = 0
    part = 768  # pixels: large photos are cut into squares of so many, and the margin

    def __init__(self, config: HDRUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.first = conv3x3(3, WIDTH)
        self.entry, self.exit = Transform(), Transform()
        self.entry_conv, self.exit_conv = conv3x3(WIDTH, WIDTH), conv3x3(WIDTH, WIDTH)
        self.down = nn.ModuleList(conv3x3(WIDTH, WIDTH, stride=2) for _ in range(2))
        self.encode = nn.ModuleList(ModulatedBlock() for _ in range(2))  # at 1/2
        self.deep = nn.ModuleList(ModulatedBlock() for _ in range(8))  # at 1/4
        self.decode = nn.ModuleList(ModulatedBlock() for _ in range(2))  # at 1/2
        self.up = nn.ModuleList(conv3x3(WIDTH, 4 * WIDTH) for _ in range(2))
        self.last = ImageConv(WIDTH, 3, 3, padding=1)
        self.condition = nn.ModuleList([conv3x3(3, 64), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 64, 1)])
        self.conditions = nn.ModuleList(  # at 1/1, 1/2, 1/4
            [
                nn.ModuleList([nn.Conv2d(64, 64, 1), nn.Conv2d(64, CONDITION, 1)]),
                nn.ModuleList([conv3x3(64, 64, stride=2), nn.Conv2d(64, CONDITION, 1)]),
                nn.ModuleList([conv3x3(64, 64, stride=2), conv3x3(64, CONDITION, stride=2)]),
            ]
        )
        self.mask = nn.ModuleList(
            [conv3x3(3, WIDTH), conv3x3(WIDTH, WIDTH), nn.Conv2d(WIDTH, WIDTH, 1), ImageConv(WIDTH, 3, 1)]
        )

    def forward(
        self, image: torch.Tensor, return_parts: bool = False, local: Local = whole
    ) -> torch.Tensor | dict[str, Any]:
        """image: (B, 3, H, W) RGB 0..1, gamma-coded (2.24). Returns (B, 3, H, W) gamma-coded HDR, 1.0 = it clips;
        with `return_parts` a dict of `mask`, the factors of the photo in the result (B, 3, H, W), and `out`.
        """
        height, width = image.shape[-2:]
        photo = pad_to_multiple(image, 4)
        conditions = self.conditions_of(photo)
        top = F.relu(self.first(photo))  # B 64 H W
        top = F.relu(self.entry_conv(self.entry(top, conditions[0])))
        middle = F.relu(self.down[0](top))  # at 1/2
        for block in self.encode:
            middle = block(middle, conditions[1])
        bottom = F.relu(self.down[1](middle))  # at 1/4
        x = bottom
        for block in self.deep:
            x = block(x, conditions[2])
        x = F.relu(F.pixel_shuffle(self.up[0](x + bottom), 2)) + middle
        for block in self.decode:
            x = block(x, conditions[1])
        x = F.relu(F.pixel_shuffle(self.up[1](x), 2)) + top
        x = F.relu(self.exit_conv(self.exit(x, conditions[0])))
        mask = photo
        for number, layer in enumerate(self.mask):
            mask = layer(mask if number == 0 else F.relu(mask))
        out = (mask * photo + self.last(x))[..., :height, :width]
        return {"mask": mask[..., :height, :width], "out": out} if return_parts else out

    def conditions_of(self, photo: torch.Tensor) -> list[torch.Tensor]:
        """What modulates features at 1/1, 1/2 and 1/4: (B, 32, h, w) each."""
        shared = photo
        for layer in self.condition:
            shared = leaky(layer(shared))
        return [two[1](leaky(two[0](shared))) for two in cast(Iterable[nn.ModuleList], self.conditions)]

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


def _transform_prefixes(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{theirs}SFT_{kind}_conv{k}.", f"{ours}{kind}.{k}.")
        for kind in ("scale", "shift")
        for k in range(2)
    )


def _trunk_prefixes(theirs: str, ours: str, count: int) -> tuple[tuple[str, str], ...]:
    rules: list[tuple[str, str]] = []
    for block in range(count):
        for k in range(2):
            rules.append((f"{theirs}.{block}.conv{k + 1}.", f"{ours}.{block}.convs.{k}."))
            rules += _transform_prefixes(f"{theirs}.{block}.sft{k + 1}.", f"{ours}.{block}.transforms.{k}.")
    return tuple(rules)


_AUTHORS_PREFIXES = (
    ("conv_first.", "first."),
    *_transform_prefixes("SFT_layer1.", "entry."),
    *_transform_prefixes("SFT_layer2.", "exit."),
    ("HR_conv1.", "entry_conv."),
    ("HR_conv2.", "exit_conv."),
    ("down_conv1.", "down.0."),
    ("down_conv2.", "down.1."),
    *_trunk_prefixes("recon_trunk1", "encode", 2),
    *_trunk_prefixes("recon_trunk2", "deep", 8),
    *_trunk_prefixes("recon_trunk3", "decode", 2),
    ("up_conv1.0.", "up.0."),
    ("up_conv2.0.", "up.1."),
    ("conv_last.", "last."),
    *((f"cond_first.{2 * k}.", f"condition.{k}.") for k in range(3)),
    *((f"CondNet{n + 1}.{2 * k}.", f"conditions.{n}.{k}.") for n in range(3) for k in range(2)),
    *((f"mask_est.{2 * k}.", f"mask.{k}.") for k in range(4)),
)
