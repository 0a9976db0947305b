"""ADNet: attention-guided deformable convolutional network for HDR imaging (Liu et al., CVPRW 2021).

Two branches: spatial attention on the photos, and pyramid, cascading, deformable (PCD, from EDVR) alignment
of the photos at EV 0. Three dilated dense blocks merge both (figure 2).

Differences from the paper, as in the authors' program and the challenge's cost figure (6249.43 GMAC):
- five layers in each dense block; LeakyReLU 0.01 where the attention table says ReLU;
- six features are concatenated (aligned, attended) per frame, not three;
- frames are aligned to EV 0 in the gamma domain, not as I ** gamma / t;
- the global skip is the reference's pyramid feature.
The authors' variants 1 and 2 have no published program: they are built here from the paper's section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import (
    DilatedDenseBlock,
    SpatialAttention,
    conv3x3,
    dense_block_prefixes,
    leaky,
    pad_to_multiple,
    rename_keys,
    twice,
)
from openhdr.models.layers.codes import align_exposure
from openhdr.models.layers.deform import DeformConv
from openhdr.models.layers.steps import Far, Local, Placed, whole

WIDTH = 64  # channels
DEFORM_GROUPS = 8
OFFSET_REACH = 32
"""Pixels, at each scale, that a tile sees around itself for deformable sampling."""
Levels = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class ADNetConfig:
    """`design` names the rows of table 3, and GSANet's table 4 for `grouped`.

    full: both branches. baseline: one branch of six-channel frames with attention (as AHDRNet).
    variant-1: one branch, deformable alignment at a single scale instead of attention.
    variant-2: one branch, PCD alignment. grouped: full, with GSANet's grouped attention ("ADNet + G").
    """

    design: Literal["full", "baseline", "variant-1", "variant-2", "grouped"] = "full"
    dense_layers: int = 5  # in each of the three dense blocks


class Pyramid(nn.Module):
    """Features at full, half and quarter resolution."""

    def __init__(self, channels: int = 3, levels: int = 3) -> None:
        super().__init__()
        self.input = nn.Conv2d(channels, WIDTH, 1)
        self.residual = nn.ModuleList((conv3x3(WIDTH, WIDTH), conv3x3(WIDTH, WIDTH)))
        self.down = nn.ModuleList(
            nn.ModuleList((conv3x3(WIDTH, WIDTH, stride=2), conv3x3(WIDTH, WIDTH))) for _ in range(levels - 1)
        )

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, channels, H, W) -> (B, 64, H, W), (B, 64, H/2, W/2), (B, 64, H/4, W/4)."""
        x = leaky(self.input(image))
        x = x + self.residual[1](F.relu(self.residual[0](x), inplace=True))
        levels = [x]
        for level in self.down:
            stride, conv = level.children()
            x = leaky(conv(leaky(stride(x))))
            levels.append(x)
        return tuple(levels)


class AlignLevel(nn.Module):
    """One scale of the PCD alignment; `coarser` says that a coarser scale refines offsets and features.

    Where nothing is moved (`still`), only the size of a guide is looked at: the frame stands for it.
    """

    def __init__(self, coarser: bool) -> None:
        super().__init__()
        self.compare = conv3x3(2 * WIDTH, WIDTH)
        if coarser:
            self.refine = conv3x3(2 * WIDTH, WIDTH)
            self.merge = conv3x3(2 * WIDTH, WIDTH)
        self.guide = conv3x3(WIDTH, WIDTH)
        self.deform = DeformConv(WIDTH, WIDTH, DEFORM_GROUPS)

    def offsets(
        self, frame: torch.Tensor, reference: torch.Tensor, coarse: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The feature from which offsets are predicted; `coarse` is the next coarser scale's."""
        x = leaky(self.compare(torch.cat((frame, reference), 1)))
        if coarse is not None:
            x = leaky(self.refine(torch.cat((x, twice(coarse) * 2), 1)))  # offsets double with the size
        return leaky(self.guide(x))

    def first(
        self, frame: torch.Tensor, reference: torch.Tensor, source: Placed, *, still: bool
    ) -> tuple[torch.Tensor, ...]:
        """The coarsest scale: guide and moved frame."""
        guide = frame if still else self.offsets(frame, reference)
        return guide, leaky(self.deform(source.tensor, guide, source.origin))

    def finer(
        self,
        frame: torch.Tensor,
        reference: torch.Tensor,
        guide: torch.Tensor,
        moved: torch.Tensor,
        source: Placed,
        *,
        still: bool,
    ) -> tuple[torch.Tensor, ...]:
        """A scale above a coarser one, whose guide and moved frame are given: guide and moved frame."""
        guide = frame if still else self.offsets(frame, reference, guide)
        x = torch.cat((self.deform(source.tensor, guide, source.origin), twice(moved)), 1)
        return guide, self.merge(x)


class PyramidAlignment(nn.Module):
    """PCD alignment (EDVR, CVPRW 2019, section 3.2): coarse to fine, then once more at full resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.full_scale = AlignLevel(coarser=True)
        self.half_scale = AlignLevel(coarser=True)
        self.quarter_scale = AlignLevel(coarser=False)
        self.cascade = AlignLevel(coarser=False)

    def forward(self, frame: Levels, reference: Levels, local: Local = whole) -> torch.Tensor:
        """Levels of a frame and of the reference -> (B, 64, H, W), the frame moved onto the reference."""
        far = [Far(level, OFFSET_REACH) for level in frame]
        scales = (self.full_scale, self.half_scale, self.quarter_scale)
        still = all(scale.deform.still() for scale in scales)  # a guide goes into the next finer one, too

        def quarter(*inputs: Any) -> tuple[torch.Tensor, ...]:  # those of `AlignLevel.first`
            return self.quarter_scale.first(*inputs, still=still)

        state = local(quarter, 4, frame[2], reference[2], far[2])  # 2 of B 64 H/4 W/4

        def half(*inputs: Any) -> tuple[torch.Tensor, ...]:  # those of `AlignLevel.finer`
            guide, moved = self.half_scale.finer(*inputs, still=still)
            return guide, leaky(moved)

        state = local(half, 8, frame[1], reference[1], *state, far[1])  # 2 of B 64 H/2 W/2

        def full(*inputs: Any) -> torch.Tensor:
            return self.full_scale.finer(*inputs, still=still)[1]  # the authors leave out the activation here

        x = local(full, 8, frame[0], reference[0], *state, far[0])  # B 64 H W

        def again(frame: torch.Tensor, reference: torch.Tensor, source: Placed) -> torch.Tensor:
            return self.cascade.first(frame, reference, source, still=self.cascade.deform.still())[1]

        return local(again, 4, x, reference[0], Far(x, OFFSET_REACH))


class SingleAlignment(AlignLevel):
    """Deformable alignment at full resolution only: variant 1."""

    def __init__(self) -> None:
        super().__init__(coarser=False)

    def forward(self, frame: Levels, reference: Levels, local: Local = whole) -> torch.Tensor:
        def align(image: torch.Tensor, reference: torch.Tensor, source: Placed) -> torch.Tensor:
            return self.first(image, reference, source, still=self.deform.still())[1]

        return local(align, 4, frame[0], reference[0], Far(frame[0], OFFSET_REACH))


class Fusion(nn.Module):
    """Dense blocks over all features, with the reference's feature as global skip."""

    def __init__(self, images: int, dense_layers: int) -> None:
        super().__init__()
        self.input = conv3x3(images * WIDTH, WIDTH)
        self.blocks = nn.ModuleList(DilatedDenseBlock(WIDTH, 32, dense_layers) for _ in range(3))
        self.gather = nn.Sequential(nn.Conv2d(3 * WIDTH, WIDTH, 1), conv3x3(WIDTH, WIDTH))
        self.output = nn.Sequential(conv3x3(WIDTH, WIDTH), nn.LeakyReLU(0.01), conv3x3(WIDTH, 3))

    def forward(self, x: torch.Tensor, skip: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """x, what `input` gives, and the skip, (B, 64, H, W) both -> (B, 3, H, W)."""
        merged = []
        for block in self.blocks:
            x = local(block, cast(int, block.margin), x)
            merged.append(x)
        return local(self._restore, 4, skip, *merged)

    def _restore(self, skip: torch.Tensor, *merged: torch.Tensor) -> torch.Tensor:
        return F.relu(self.output(self.gather(torch.cat(merged, 1)) + skip))


class ADNet(nn.Module):
    """Three frames -> HDR, unbounded above."""

    Config = ADNetConfig
    multiple = 4
    bounded = False
    bytes_per_pixel = 1600
    survey_steps = 0

    def __init__(self, config: ADNetConfig) -> None:
        super().__init__()
        self.config = config
        design = config.design
        self.dual = design in ("full", "grouped")
        self.aligns = design != "baseline"
        self.attends = self.dual or design == "baseline"
        # alignment reaches 40 pixels, fusion 8 and 2 for each dense layer; the rest, to 128, is for offsets
        self.margin = max(128, 48 + 6 * config.dense_layers)
        if self.attends:
            self.features = conv3x3(3 if self.dual else 6, WIDTH)
            self.attention_short = _attention()
            self.attention_long = _attention()
        if self.aligns:
            single = design == "variant-1"
            self.pyramid = Pyramid(3 if self.dual else 6, levels=1 if single else 3)
            self.align = SingleAlignment() if single else PyramidAlignment()
        self.steps = {"baseline": 6, "variant-1": 10}.get(design, 16)
        self.fuse = Fusion({"full": 6, "grouped": 7}.get(design, 3), config.dense_layers)

    def forward(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = whole) -> torch.Tensor:
        """frames: (B, 3, 3, H, W) RGB 0..1 gamma-coded, short to long. ev: (B, 3) stops; a frame of EV 0
        clips at 1. Returns (B, 3, H, W) gamma-coded (2.24) HDR, >= 0.
        """
        height, width = frames.shape[-2:]
        frames = pad_to_multiple(frames, self.multiple)
        aligned = align_exposure(frames, ev)
        both = torch.cat((frames, aligned), 2)  # B 3 6 H W
        moved = self._moved(aligned if self.dual else both, local) if self.aligns else ()
        x = local(self._merge, 4, both, *moved)
        skip = moved[1] if moved else local(self._reference, 1, both)
        del moved  # lets two of three large tensors go before the dense blocks
        return self.fuse(x, skip, local)[..., :height, :width]

    def _moved(self, images: torch.Tensor, local: Local) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B, 3, C, H, W) -> three features (B, 64, H, W) with the geometry of the middle frame."""
        reference = local(self.pyramid, 12, images[:, 1])
        short, long = (self.align(local(self.pyramid, 12, images[:, i]), reference, local) for i in (0, 2))
        return short, reference[0], long

    def _merge(self, both: torch.Tensor, *moved: torch.Tensor) -> torch.Tensor:
        """Frames with aligned frames (B, 3, 6, H, W), and moved features -> (B, 64, H, W)."""
        features: Sequence[torch.Tensor]
        if not self.dual:
            features = moved or self._attended(both)
        elif self.config.design == "full":
            pairs = zip(moved, self._attended(both[:, :, :3]), strict=True)
            features = [feature for pair in pairs for feature in pair]
        else:
            weighted = self._grouped(both)
            features = [*weighted[:2], *moved, *weighted[2:]]
        return self.fuse.input(torch.cat(tuple(features), 1))

    def _reference(self, both: torch.Tensor) -> torch.Tensor:
        return self._features(both[:, 1])

    def _features(self, image: torch.Tensor) -> torch.Tensor:
        return F.relu(self.features(image), inplace=True)

    def _attended(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B, 3, C, H, W) -> three features (B, 64, H, W), the outer ones weighted beside the middle one."""
        short, medium, long = (self._features(image) for image in images.unbind(1))
        return (
            short * self.attention_short(short, medium),
            medium,
            long * self.attention_long(long, medium),
        )

    def _grouped(self, both: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The photos of GSANet's groups {s, s', m} and {m, l', l}, weighted beside the image between them."""
        short, medium, long = (self._features(image) for image in both[:, :, :3].unbind(1))
        lifted, lowered = self._features(both[:, 0, 3:]), self._features(both[:, 2, 3:])
        return (
            short * self.attention_short(short, lifted),
            medium * self.attention_long(medium, lifted),
            medium * self.attention_short(medium, lowered),
            long * self.attention_long(long, lowered),
        )

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """The authors' tensors under our names; None when `state` is not their layout."""
        return rename_keys(state, _AUTHORS_PREFIXES)


def _attention() -> SpatialAttention:
    return SpatialAttention(conv3x3(2 * WIDTH, 2 * WIDTH), conv3x3(2 * WIDTH, WIDTH))


def _level_prefixes(theirs: str, ours: str, convs: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    offset = ((f"{theirs}_offset_conv{i + 1}.", f"{ours}.{name}.") for i, name in enumerate(convs))
    return (
        *offset,
        (f"{theirs}_dcnpack.conv_offset_mask.", f"{ours}.deform.predict."),
        (f"{theirs}_dcnpack.", f"{ours}.deform."),
        (f"{theirs}_fea_conv.", f"{ours}.merge."),
    )


_AUTHORS_PREFIXES = (
    ("pyramid_feats.conv1.0.", "pyramid.input."),
    ("pyramid_feats.feature_extraction.0.conv1.", "pyramid.residual.0."),
    ("pyramid_feats.feature_extraction.0.conv2.", "pyramid.residual.1."),
    ("pyramid_feats.downsample1.0.", "pyramid.down.0.0."),
    ("pyramid_feats.downsample1.2.", "pyramid.down.0.1."),
    ("pyramid_feats.downsample2.0.", "pyramid.down.1.0."),
    ("pyramid_feats.downsample2.2.", "pyramid.down.1.1."),
    *_level_prefixes("align_module.L1", "align.full_scale", ("compare", "refine", "guide")),
    *_level_prefixes("align_module.L2", "align.half_scale", ("compare", "refine", "guide")),
    *_level_prefixes("align_module.L3", "align.quarter_scale", ("compare", "guide")),
    *_level_prefixes("align_module.cas", "align.cascade", ("compare", "guide")),
    ("att_module_l.att1.", "attention_short.first."),
    ("att_module_l.att2.", "attention_short.second."),
    ("att_module_h.att1.", "attention_long.first."),
    ("att_module_h.att2.", "attention_long.second."),
    ("feat_exract.0.", "features."),
    ("conv1.", "fuse.input."),
    *dense_block_prefixes("RDB1.", "fuse.blocks.0."),
    *dense_block_prefixes("RDB2.", "fuse.blocks.1."),
    *dense_block_prefixes("RDB3.", "fuse.blocks.2."),
    ("conv2.", "fuse.gather."),
    ("post_conv.", "fuse.output."),
)
