"""SAFNet: selective alignment fusion network for multi-exposure HDR imaging (Kong et al., ECCV 2024).

At half the size, an encoder and a decoder from coarse to fine find for the short and the long frame both how far they
moved and where they are worth taking. Frames moved by that flow are merged by Kalantari's triangle weights times these
masks; at full size a refinement with dilated residual blocks adds what that merge lacks.

As in the authors' program: frames enter as linear light over exposure and as codes of gamma 2.2, on the scale of the
shortest frame; flows are looked up bilinearly, the border repeated; the result is clipped to 0..1, linear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.models.layers.blocks import conv3x3, rename_keys
from openhdr.models.layers.steps import Local, whole

CODE_GAMMA = 2.2  # of the codes that the network was made for
FEATURES, DECODED, REFINED = 40, 120, 80  # channels
GROUPS = 3  # of the decoder's middle convolutions
FINEST = 16  # pixels: sides of what the encoder sees divide by this
FLOW_UNIT = 20.0  # pixels of flow that the refinement takes as 1
LEVELS = 4
DILATIONS = (1, 2, 4, 2, 1)


@dataclass(frozen=True)
class SAFNetConfig:
    """The network has no options."""


class Activated(nn.Sequential):
    """A 3x3 convolution and a PReLU of one slope a channel."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, groups: int = 1, dilation: int = 1
    ) -> None:
        conv = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, groups)
        super().__init__(conv, nn.PReLU(outputs))


class Pair(nn.Sequential):
    """Two activated convolutions; the first may halve the size."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(Activated(inputs, outputs, stride), Activated(outputs, outputs))


class MotionDecoder(nn.Module):
    """Flows and masks of one scale -> those of the next finer one, twice the size. Shared by all scales."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Activated(3 * FEATURES + 6, DECODED)
        self.grouped = nn.ModuleList(Activated(DECODED, DECODED, groups=GROUPS) for _ in range(3))
        self.last = Activated(DECODED, DECODED)
        self.grow = nn.ConvTranspose2d(DECODED, 6, 4, 2, 1)

    def forward(
        self, features: tuple[torch.Tensor, torch.Tensor, torch.Tensor], motion: torch.Tensor
    ) -> torch.Tensor:
        """features: of short, medium, long, (B, 40, h, w). motion: (B, 6, h, w): flow of short and of long (x, y) in
        pixels of this scale, their masks before the sigmoid. Returns (B, 6, 2 h, 2 w).
        """
        short, medium, long = features
        x = self.first(
            torch.cat((moved(short, motion[:, :2]), medium, moved(long, motion[:, 2:4]), motion), 1)
        )
        for layer in self.grouped:
            x = F.channel_shuffle(layer(x), GROUPS)
        grown = F.interpolate(motion, scale_factor=2.0, mode="bilinear", align_corners=False)
        doubled = torch.cat((2 * grown[:, :4], grown[:, 4:]), 1)
        change: torch.Tensor = self.grow(self.last(x))
        return doubled + change


class ResidualBlock(nn.Module):
    """Two dilated convolutions around which the input is added before the last activation."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.first = Activated(REFINED, REFINED, dilation=dilation)
        self.second = conv3x3(REFINED, REFINED, dilation=dilation)
        self.slope = nn.PReLU(REFINED)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 80, H, W) -> the same shape."""
        result: torch.Tensor = self.slope(x + self.second(self.first(x)))
        return result


class SAFNet(nn.Module):
    """Three frames -> HDR bounded by 1: give EVs relative to the shortest frame, then scale."""

    Config = SAFNetConfig
    multiple = 1
    bounded = True
    margin = 512  # pixels beyond which little reaches the output: motion is found on all scales
    bytes_per_pixel = 1200
    steps = 4
    survey_steps = 0

    def __init__(self, config: SAFNetConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = nn.ModuleList(
            Pair(6 if k == 0 else FEATURES, FEATURES, stride=2) for k in range(LEVELS)
        )
        self.decoder = MotionDecoder()
        self.short, self.medium, self.long = Pair(6, 20), Pair(15, 40), Pair(6, 20)
        self.refine = nn.ModuleList(map(ResidualBlock, DILATIONS))
        self.output = conv3x3(REFINED, 3)

    def forward(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """frames: (B, 3, 3, H, W) RGB 0..1 gamma-coded, short to long. ev: (B, 3) stops; a frame of EV 0
        clips at 1. Returns (B, 3, H, W) gamma-coded (2.24) HDR, 0..1.
        """
        light = frames.clamp(min=0) ** NETWORK_GAMMA
        code = light ** (1 / CODE_GAMMA)
        aligned = light * torch.exp2(-ev.to(light.dtype))[..., None, None, None]
        inputs = torch.cat((aligned, code), 2)  # B 3 6 H W
        _, refined = self.fuse(inputs, local)
        return refined ** (1 / NETWORK_GAMMA)

    def fuse(self, inputs: torch.Tensor, local: Local = whole) -> tuple[torch.Tensor, torch.Tensor]:
        """inputs: (B, 3, 6, H, W), of short, medium and long the linear light over exposure and the codes of gamma 2.2,
        as the authors' program takes them. Returns the merge and the refined image, (B, 3, H, W) linear each.
        """
        flows, masks = self.motion(inputs)
        merged = merge(inputs, flows, masks)
        short, medium, long = inputs.unbind(1)
        guided = torch.cat((medium, flows / FLOW_UNIT, masks, merged), 1)  # B 15 H W
        features = [
            local(branch, 2, x)
            for branch, x in ((self.short, short), (self.medium, guided), (self.long, long))
        ]
        features[0] = moved(features[0], flows[:, :2])
        features[2] = moved(features[2], flows[:, 2:])
        residual = local(self.residual_of, 2 * sum(DILATIONS) + 1, torch.cat(features, 1))
        return merged, (merged + residual).clamp(0, 1)

    def motion(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, 6, H, W) -> flows of the short and the long frame (B, 4, H, W) in pixels (x, y, x, y), and how much
        of them to take, (B, 2, H, W) 0..1.
        """
        batch, _, _, height, width = inputs.shape
        rows, columns = (FINEST * ((length + 2 * FINEST - 1) // (2 * FINEST)) for length in (height, width))
        seen = F.interpolate(inputs.flatten(0, 1), (rows, columns), mode="bilinear", align_corners=False)
        scales = []
        for level in self.encoder:
            seen = level(seen)
            scales.append(seen.unflatten(0, (batch, 3)))
        motion = scales[-1].new_zeros(batch, 6, *scales[-1].shape[-2:])
        for features in reversed(scales):
            short, medium, long = features.unbind(1)
            motion = self.decoder((short, medium, long), motion)
        motion = F.interpolate(motion, (height, width), mode="bilinear", align_corners=False)
        x, y = motion[:, 0:4:2] * (width / columns), motion[:, 1:4:2] * (height / rows)
        flows = torch.stack((x, y), 2).flatten(1, 2)
        return flows, torch.sigmoid(motion[:, 4:])

    def residual_of(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 80, H, W) -> what the merge lacks, (B, 3, H, W)."""
        for block in self.refine:
            x = block(x)
        result: torch.Tensor = self.output(x)
        return result

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


def moved(image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) looked up at every pixel plus flow (B, 2, H, W), (x, y) in pixels; the border is repeated."""
    height, width = flow.shape[-2:]
    x = torch.linspace(-1, 1, width, dtype=flow.dtype, device=flow.device)[None, :].expand(height, -1)
    y = torch.linspace(-1, 1, height, dtype=flow.dtype, device=flow.device)[:, None].expand(-1, width)
    grid = torch.stack(
        (x + flow[:, 0] * (2 / max(width - 1, 1)), y + flow[:, 1] * (2 / max(height - 1, 1))), 3
    )
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def merge(inputs: torch.Tensor, flows: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The moved frames by Kalantari's triangle weights of the reference's codes, where the masks take them.

    Returns (B, 3, H, W). What a mask does not take of an outer frame goes to the medium one.
    """
    short, medium, long = inputs.unbind(1)
    code = medium[:, 3:]
    bright = (code - 0.5).clamp(min=0) / 0.5
    dark = (0.5 - code).clamp(min=0) / 0.5
    weights = (bright * masks[:, :1], 1 - bright * masks[:, :1] - dark * masks[:, 1:], dark * masks[:, 1:])
    lights = (moved(short, flows[:, :2])[:, :3], medium[:, :3], moved(long, flows[:, 2:])[:, :3])
    total = sum(
        (weight * light for weight, light in zip(weights, lights, strict=True)), torch.zeros_like(code)
    )
    return total / (weights[0] + weights[1] + weights[2] + 1e-9)


_AUTHORS_PREFIXES = (
    *((f"encoder.pyramid{k + 1}.", f"encoder.{k}.") for k in range(LEVELS)),
    ("decoder.conv1.", "decoder.first."),
    *((f"decoder.conv{k + 2}.", f"decoder.grouped.{k}.") for k in range(3)),
    ("decoder.conv5.", "decoder.last."),
    ("decoder.conv6.", "decoder.grow."),
    ("refinenet.conv0.", "short."),
    ("refinenet.conv1.", "medium."),
    ("refinenet.conv2.", "long."),
    *(
        (f"refinenet.resblock{k + 1}.{theirs}.", f"refine.{k}.{ours}.")
        for k in range(len(DILATIONS))
        for theirs, ours in (("conv1", "first"), ("conv2", "second"), ("prelu", "slope"))
    ),
    ("refinenet.conv3.", "output."),
)
