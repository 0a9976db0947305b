"""ExpandNet: a convolutional network for expansion of one photo (Marnerides et al., Computer Graphics Forum 2018).

Three branches see the photo: local (two convolutions), dilated (four, dilation 2) and global (the photo at 256x256,
halved six times to one vector). All are concatenated and merged pixel by pixel; no upsampling is learned.

As in the authors' program: SELU after every convolution but each branch's last, where the local branch has it, too;
the result is a sigmoid, linear light of a scale of its own. Their program stretches every photo to 0..1 first and the
result afterwards; this network takes the codes as they are, and its runner puts the result on the photo's scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import ImageConv, conv3x3, rename_keys
from openhdr.models.layers.steps import Local, whole

WIDTH = 64  # channels
VIEW = 256  # pixels: side of what the global branch sees


@dataclass(frozen=True)
class ExpandNetConfig:
    """The network has no options."""


class Branch(nn.ModuleList):
    """Convolutions one after the other, each followed by SELU; the last one only where `ends_active`."""

    def __init__(self, layers: list[nn.Conv2d], ends_active: bool) -> None:
        super().__init__(layers)
        self.ends_active = ends_active

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        for number, layer in enumerate(self, start=1):
            x = layer(x)
            if number < len(self) or self.ends_active:
                x = F.selu(x, inplace=True)
        return x


class ExpandNet(nn.Module):
    """One photo -> HDR of a scale of its own, 0..1."""

    Config = ExpandNetConfig
    bounded = True
    encoding = "srgb"  # of the photo that it takes
    output = "linear"  # of the image that it gives
    own_scale = True  # what 1.0 means is not known
    margin = 8  # pixels beyond which nothing reaches the output, the global branch apart
    steps = 1
    part = 0  # large photos are cut into tiles by `local`

    def __init__(self, config: ExpandNetConfig) -> None:
        super().__init__()
        self.config = config
        wide = [nn.Conv2d(3 if k == 0 else WIDTH, WIDTH, 3, 2, 1) for k in range(6)]
        dilated = [conv3x3(3 if k == 0 else WIDTH, WIDTH, dilation=2) for k in range(4)]
        self.near = Branch([conv3x3(3, WIDTH), conv3x3(WIDTH, 2 * WIDTH)], ends_active=True)
        self.dilated = Branch(dilated, ends_active=False)
        self.overall = Branch([*wide, nn.Conv2d(WIDTH, WIDTH, 4)], ends_active=False)
        self.merge = Branch([nn.Conv2d(4 * WIDTH, WIDTH, 1), ImageConv(WIDTH, 3, 1)], ends_active=False)

    def forward(
        self, image: torch.Tensor, return_parts: bool = False, local: Local = whole
    ) -> torch.Tensor | dict[str, Any]:
        """image: (B, 3, H, W) RGB 0..1, sRGB codes. Returns (B, 3, H, W) linear light 0..1 of the network's own scale;
        with `return_parts` a dict of `overall`, the global vector (B, 64, 1, 1), and `out`.
        """
        view = F.interpolate(image, (VIEW, VIEW), mode="bilinear", align_corners=False)
        overall = self.overall(view)  # B 64 1 1
        out = local(partial(self.render, overall), self.margin, image)
        return {"overall": overall, "out": out} if return_parts else out

    def render(self, overall: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """The pixels of an image or of a part of it, (B, 3, H, W)."""
        spread = overall.expand(-1, -1, *image.shape[-2:])
        features = torch.cat((self.near(image), self.dilated(image), spread), 1)  # B 256 H W
        return torch.sigmoid(self.merge(features))

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


_AUTHORS_PREFIXES = (
    *((f"local_net.{k}.0.", f"near.{k}.") for k in range(2)),
    *((f"mid_net.{k}.0.", f"dilated.{k}.") for k in range(3)),
    ("mid_net.3.", "dilated.3."),
    *((f"glob_net.{k}.0.", f"overall.{k}.") for k in range(6)),
    ("glob_net.6.", "overall.6."),
    ("end_net.0.0.", "merge.0."),
    ("end_net.1.", "merge.1."),
)
