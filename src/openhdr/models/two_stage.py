"""Two-stage network: one photo -> HDR (Sharif et al., A two-stage deep network for high dynamic range image
reconstruction, CVPRW 2021).

Stage I cleans and corrects the photo, stage II maps tones and expands the range. Both are the same chain:
a convolution, residual dense attention blocks (two in stage I, one in stage II), a convolution, the stage's
own input added, ReLU.

Differences from the paper, as in the authors' program:
- the last convolution is 1x1 and the first has no activation (the paper: 3x3 and ReLU);
- the residual dense block's output is added with weight 0.2 (stage I) or 0.5 (stage II), the sum with weight
  0.8 to the input again: 1.8 x + 0.8 m R(x);
- normalisation, squeeze-and-excitation layers, noise gates and a second block of stage II stand in the
  authors' checkpoints but are never called; they are left out (555,655 + 278,821 parameters remain).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import ImageConv, conv3x3, rename_keys
from openhdr.models.layers.steps import Local, whole

WIDTH, GROWTH = 64, 32  # channels of features, channels that a dense layer adds
OUTER = 0.8  # weight of the residual block within the outer residual


@dataclass(frozen=True)
class TwoStageConfig:
    """The variants of table 2."""

    stages: Literal["both", "first", "second"] = "both"


class ResidualDenseBlock(nn.Module):
    """Five densely connected convolutions within two nested residuals. `inner` is the inner one's weight."""

    def __init__(self, inner: float) -> None:
        super().__init__()
        self.inner = inner
        widths = [WIDTH + i * GROWTH for i in range(5)]
        self.layers = nn.ModuleList(conv3x3(width, GROWTH) for width in widths[:-1])
        self.merge = conv3x3(widths[-1], WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 64, H, W) -> the same shape."""
        stack = x
        for layer in self.layers:
            grown = F.relu(layer(stack), inplace=True)
            stack = torch.cat((stack.to(grown), grown), 1)
        return OUTER * (self.inner * self.merge(stack) + x) + x


class SpatialGate(nn.Module):
    """A convolution of the features times where they matter (CBAM's spatial attention, ECCV 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.conv = conv3x3(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 64, H, W) -> the same shape."""
        summary = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)
        return torch.sigmoid(self.gate(summary)) * self.conv(x)


class Stage(nn.Module):
    """One stage: an RGB image -> an RGB image, >= 0."""

    def __init__(self, blocks: int, inner: float) -> None:
        super().__init__()
        self.input = conv3x3(3, WIDTH)
        self.dense = nn.ModuleList(ResidualDenseBlock(inner) for _ in range(blocks))
        self.gates = nn.ModuleList(SpatialGate() for _ in range(blocks))
        self.output = ImageConv(WIDTH, 3, 1)
        self.margin = 1 + 5 * blocks

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) -> (B, 3, H, W)."""
        x = self.input(image).to(image)  # B 64 H W; sums stay as exact as the image
        for dense, gate in zip(self.dense, self.gates, strict=True):
            x = dense(x) + gate(x)
        return F.relu(self.output(x) + image)


class TwoStage(nn.Module):
    """One photo -> HDR."""

    Config = TwoStageConfig
    bounded = False
    encoding = "gamma"  # of the photo it takes: light ^ (1 / 2.24)
    output = "gamma"  # of the image it gives
    own_scale = False
    part = 0

    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        self.steps = 2 if config.stages == "both" else 1
        if config.stages != "second":
            self.stage1 = Stage(blocks=2, inner=0.2)
        if config.stages != "first":
            self.stage2 = Stage(blocks=1, inner=0.5)

    def forward(
        self, image: torch.Tensor, return_parts: bool = False, local: Local = whole
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """image: (B, 3, H, W) RGB 0..1, gamma-coded (2.24). Returns (B, 3, H, W) gamma-coded HDR, >= 0,
        1.0 = the photo clips; with `return_parts` a dict of `stage1` (the enhanced photo, where there is a
        stage I) and `out`.
        """
        parts = {}
        x = image
        for name, stage in self.named_children():
            x = parts[name] = local(stage, cast(Stage, stage).margin, x)
        if not return_parts:
            return x
        return {**{name: part for name, part in parts.items() if name == "stage1"}, "out": x}

    def from_authors(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names, of the stages that this variant has; None when `state` is
        not their layout: one file with `stateDictEG` and `stateDictER`, or the tensors of one stage alone.
        """
        found: dict[str, Any] = {}
        for name, (wrapper, prefixes) in _AUTHORS.items():
            if not hasattr(self, name):
                continue
            own = {
                key.removeprefix(wrapper): tensor for key, tensor in state.items() if key.startswith(wrapper)
            }
            bare = self.config.stages != "both" and not any(key.startswith("stateDict") for key in state)
            renamed = rename_keys(state if bare else own, prefixes)
            if not renamed:
                return None
            found |= {f"{name}.{key}": tensor for key, tensor in renamed.items()}
        return found


def _block_prefixes(block: str, gate: str, index: int) -> tuple[tuple[str, str], ...]:
    """Rules of `rename_keys` for one residual dense attention block."""
    layers = ((f"{block}.RDB1.conv{i + 1}.", f"dense.{index}.layers.{i}.") for i in range(4))
    return (
        *layers,
        (f"{block}.RDB1.conv5.", f"dense.{index}.merge."),
        (f"{gate}.spatialAttenton.conv1.", f"gates.{index}.gate."),
        (f"{gate}.conv.", f"gates.{index}.conv."),
    )


_ENDS = (("inpConv.", "input."), ("convOut.", "output."))
_AUTHORS = {
    "stage1": (
        "stateDictEG.",
        (
            *_ENDS,
            *_block_prefixes("block1", "attentionSpatial1", 0),
            *_block_prefixes("block2", "attentionSpatial2", 1),
            *(
                (f"{unused}.", "")
                for unused in ("norm1", "attention1", "attention2", "noiseGate1", "noiseGate2")
            ),
        ),
    ),
    "stage2": (
        "stateDictER.",
        (
            *_ENDS,
            *_block_prefixes("blockG", "attentionSpatial", 0),
            *((f"{unused}.", "") for unused in ("norm1", "attention", "noiseGate1", "block1")),
        ),
    ),
}
"""Stage -> the name of its part in the authors' checkpoint, and rules for its tensors. A rule without a new
name drops layers that are never called."""
