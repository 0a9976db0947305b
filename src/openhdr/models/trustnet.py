"""TrustNet, the networks of openhdr's own merger: one finds consistency masks, one refines the merged image.

Their inputs are in `openhdr.merging.trustnet.features` and `refinement`, the use of their outputs in `merger` beside
them; there they run without PyTorch. From others: a scale of per-frame features shared
between frames, and reduced over them so that their number and order do not matter (as in deep sets); GSANet's
grouping around the reference (each frame is compared with it); ADNet's two views of a frame (its exposure,
clipping and noise; its content on the common scale); U-shaped blocks at low resolution as in EAPNet. The outputs
are bounded: consistency is the classical one times at most e^8 either way in odds, a refined value stays within
six standard deviations of the measured one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.color.transfer import MU

Merge = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Consistency (K, H, W), factor of the hole fill (3, H, W) -> what `Refine` takes (1, 8, H, W)."""

LOG_MU = math.log1p(MU)
LEAST_SD, MOST_SD = 1e-5, 0.3  # standard deviations of mu codes are taken as within these

FRAME_CHANNELS, SHARED_CHANNELS, MERGED_CHANNELS = (
    13,
    11,
    8,
)  # see `openhdr.merging.trustnet.features` and `refinement`
CONSISTENCY = 9  # channel of the classical consistency among a frame's features
LEAST_CONSISTENCY = (
    0.005  # the classical consistency is taken as within this and 1 minus this: the network may overrule it
)


@dataclass(frozen=True)
class TrustNetConfig:
    """decide: channels at 1/2, 1/4, 1/8 and 1/16 of the working size; refine: at 1/2, 1/4 and 1/8 of the full."""

    decide: tuple[int, int, int, int] = (16, 24, 40, 56)
    refine: tuple[int, int, int] = (16, 16, 32)
    share: bool = True  # every frame also gets the mean of all frames' features
    odds: float = 8.0  # most that the logarithm of a consistency's odds may change by
    fill_stops: float = 3.0  # most that the hole fill may change by
    reach_sd: float = 6.0  # most that a measured value may change by


class TrustNet(nn.Module):
    """Both networks. decide, refine: used one after the other, with the merger between them."""

    Config = TrustNetConfig
    bounded = False

    def __init__(self, config: TrustNetConfig = TrustNetConfig()) -> None:
        super().__init__()
        self.config = config
        self.decide = Decide(config)
        self.refine = Refine(config)

    def forward(
        self, frames: torch.Tensor, shared: torch.Tensor, merge: Merge
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both with a merger between them -> what it merged (1, 8, H, W), and that refined (1, 3, H, W)."""
        merged = merge(*self.decide(frames, shared))
        light, weight, coverage, reference = torch.split(merged, [3, 1, 1, 3], 1)
        return merged, self.refined(light, weight, coverage, mu_code(reference))

    def refined(
        self, light: torch.Tensor, weight: torch.Tensor, coverage: torch.Tensor, reference: torch.Tensor
    ) -> torch.Tensor:
        """Radiance (B, 3, H, W), its weight and coverage (B, 1, H, W) -> radiance (B, 3, H, W).

        reference: (B, 3, H, W), mu code of the reference's light. H and W are multiples of 8.
        """
        code = mu_code(light)
        slope = (MU / LOG_MU) / (1 + MU * light.mean(1, keepdim=True))
        sd = (slope / weight.clamp(min=1).sqrt()).clamp(LEAST_SD, MOST_SD)
        change = self.refine(torch.cat((code, torch.log2(sd) / 8 + 1, coverage, reference), 1))
        room = self.config.reach_sd * sd * coverage
        moved = room * torch.tanh(F.pixel_shuffle(change, 2))
        refined = ((code + moved).clamp(min=0) * LOG_MU).exp().sub(1) / MU
        # a clipped level is a bound, and no noise is taken out of a bound
        return torch.where((weight <= 0) & (coverage > 0.5), light, refined)

    @staticmethod
    def from_authors(state: dict[str, torch.Tensor]) -> None:
        """There is no other layout."""
        return None


class Decide(nn.Module):
    """Features of a bracket -> consistency of every frame beside the reference, and a factor for the hole fill."""

    def __init__(self, config: TrustNetConfig) -> None:
        super().__init__()
        self.config = config
        half, quarter, eighth, sixteenth = config.decide
        self.frame = nn.Conv2d(FRAME_CHANNELS, half, 2, 2)
        self.shared = nn.Conv2d(SHARED_CHANNELS, half, 2, 2)
        self.first = nn.Conv2d(half, half, 3, padding=1)
        widths = ((half, quarter), (quarter, eighth), (eighth, sixteenth))
        self.down = nn.ModuleList(Down(*pair) for pair in widths)
        self.up = nn.ModuleList(Up(*pair) for pair in reversed(widths))
        self.trust = _zero(nn.Conv2d(half, 4, 3, padding=1))
        self.fill = _zero(nn.Conv2d(half, 4, 3, padding=1))

    def forward(self, frames: torch.Tensor, shared: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """frames (K, 13, H, W), shared (11, H, W) -> consistency (K, H, W), factor (3, H, W).

        H and W are multiples of 16.
        """
        x = _act(self.frame(frames) + self.shared(shared[None]))
        levels = [_act(self.first(x))]
        for down in self.down:
            levels.append(down(levels[-1], self.config.share))
        y = levels.pop()
        for up in self.up:
            y = up(y, levels.pop())
        change = F.pixel_shuffle(self.trust(y), 2)[:, 0]
        fill = F.pixel_shuffle(self.fill(y.mean(0, keepdim=True)), 2)[0]
        fill = fill.expand(3, -1, -1)  # the same in all channels: the hole fill keeps its colour
        classical = frames[:, CONSISTENCY].clamp(LEAST_CONSISTENCY, 1 - LEAST_CONSISTENCY)
        odds = torch.log(classical / (1 - classical)) + _bounded(change, self.config.odds)
        return torch.sigmoid(odds), torch.exp2(_bounded(fill, self.config.fill_stops))


class Refine(nn.Module):
    """A merged picture with what is known about it -> how far its values move within their noise.

    Widths are multiples of 16, and what goes round a convolution joins it before a ReLU: ONNX Runtime then computes sum
    and activation inside the convolution, whose blocks have 16 channels.
    """

    def __init__(self, config: TrustNetConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.refine
        self.enter = nn.Conv2d(MERGED_CHANNELS, half, 2, 2)
        self.at_half, self.at_quarter, self.at_eighth = Block(half), Block(quarter), Block(eighth)
        self.to_quarter = nn.Conv2d(half, quarter, 3, 2, 1)
        self.to_eighth = nn.Conv2d(quarter, eighth, 3, 2, 1)
        self.up = nn.ModuleList((JoiningUp(quarter, eighth), JoiningUp(half, quarter)))
        self.leave = _zero(nn.Conv2d(half, 12, 1))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """What `TrustNet.refined` shows it (B, 8, H, W) -> change (B, 12, H / 2, W / 2), of which it takes the tanh."""
        x = self.at_half(_act(self.enter(seen)))
        y = self.at_quarter(_act(self.to_quarter(x)))
        z = self.at_eighth(_act(self.to_eighth(y)))
        for up, finer in zip(self.up, (y, x), strict=True):
            z = up(z, finer)
        return self.leave(z)


def mu_code(light: torch.Tensor) -> torch.Tensor:
    """log(1 + mu x) / log(1 + mu) of light on the reference's scale."""
    return torch.log(1 + MU * light.clamp(min=0)) / LOG_MU


class Down(nn.Module):
    """To half the size, and a step that adds the mean over all frames to each."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(inner, outer, 3, 2, 1)
        self.own = nn.Conv2d(outer, outer, 3, padding=1)
        self.all = nn.Conv2d(outer, outer, 1)

    def forward(self, x: torch.Tensor, share: bool) -> torch.Tensor:
        x = _act(self.enter(x))
        common = x.mean(0, keepdim=True) if share else x
        return x + _act(self.own(x) + self.all(common))


class Up(nn.Module):
    """From the coarse level to the finer one beside it."""

    def __init__(self, finer: int, coarse: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(coarse, finer, 1)
        self.own = nn.Conv2d(finer, finer, 3, padding=1)

    def forward(self, coarse: torch.Tensor, finer: torch.Tensor) -> torch.Tensor:
        x = self.entered(coarse, finer)
        return x + _act(self.own(x))

    def entered(self, coarse: torch.Tensor, finer: torch.Tensor) -> torch.Tensor:
        """The finer level with the coarse one on top."""
        return finer + F.interpolate(self.enter(coarse), scale_factor=2, mode="bilinear", align_corners=False)


class JoiningUp(Up):
    """The same, joined before a ReLU."""

    def forward(self, coarse: torch.Tensor, finer: torch.Tensor) -> torch.Tensor:
        x = self.entered(coarse, finer)
        return F.relu(x + self.own(x))


class Block(nn.Module):
    """Two convolutions with a way round them, joined before a ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding=1)
        self.two = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.two(_act(self.one(x))))


def _act(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.1)


def _bounded(x: torch.Tensor, most: float) -> torch.Tensor:
    return most * torch.tanh(x / most)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    """A layer that starts at zero: untrained networks give the classical result."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
