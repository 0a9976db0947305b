"""One photo -> HDR in two stages (Sharif et al., CVPRW 2021, section 3.3).

    stage I    L1 + (1 - MS-SSIM) + adversarial, against the truth as an 8-bit photo: clip(truth, 0, 1)
    stage II   L1 + CIEDE2000 / 255, against the truth

Where the paper and the authors' program differ, the defaults are the program's, but for the colour loss:
- adversarial weight: 1e-3 in the program, 1e-4 in the paper;
- similarity: the program's own form of MS-SSIM, see train.losses.ms_ssim; the paper says SSIM;
- the program computes CIEDE2000 without a gradient: `colour = "none"` is what it trains on in effect; the
  default is the paper's intention, a difference that has a gradient;
- the photo is the medium frame in the program, of any exposure in the paper.
Stage II takes the result of stage I without a gradient, as in the program, so that one optimiser does what its
two do. CIEDE2000 takes gamma-coded values as display codes and counts nothing above 1.
Not of the paper, for the small recipe: `joint` lets stage II's loss reach stage I, and `light_weight` weighs the
difference that expanded photos are scored by (see losses/pu21.py).

Labels are drawn a sample: real ones 0.7..1.2, of which what exceeds 1 counts as 1 (a target above 1 has no
least loss), made ones 0..0.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import ExposureError
from openhdr.data.sample import Sample, recode, truth_of
from openhdr.models.layers.steps import whole
from openhdr.train.discriminators.two_stage import TwoStageDiscriminator
from openhdr.train.distributed import gathered_with_gradient
from openhdr.train.losses.ciede2000 import delta_e_2000
from openhdr.train.losses.ms_ssim import ms_ssim, ssim, two_stage_ms_ssim
from openhdr.train.losses.pu21 import pu21_distance
from openhdr.train.objectives.contract import Batch, BracketObjective, Nets, Terms

_REAL, _MADE = (0.7, 1.2), (0.0, 0.3)  # ranges of the discriminator's labels
_LEAST = 1e-7  # probabilities are kept so far from 0 and 1

SIMILARITIES = {"program": two_stage_ms_ssim, "ms-ssim": ms_ssim, "ssim": ssim}


@dataclass(frozen=True)
class TwoStageObjective(BracketObjective):
    """Options of the objective."""

    name: ClassVar[str] = "two-stage"

    photo: Literal["medium", "any"] = "medium"  # which frame of a bracket is the input
    similarity: Literal["program", "ms-ssim", "ssim"] = "program"
    similarity_weight: float = 1.0
    adversarial_weight: float = 1e-3  # 0 = no discriminator
    colour: Literal["ciede2000", "none"] = "ciede2000"
    colour_weight: float = 1 / 255
    stage2_weight: float = 1.0  # of its L1
    light_weight: float = 0.0  # of pu21_distance; 0 = no such term
    joint: bool = False  # stage II's loss trains stage I, too

    def example(self, sample: Sample, rng: np.random.Generator, bounded: bool) -> dict[str, np.ndarray]:
        """photo, truth (3, H, W) gamma-coded; real, made (1,) labels."""
        pick, real, made = rng.random(), rng.uniform(*_REAL), rng.uniform(*_MADE)
        number = int(pick * len(sample.frames)) if self.photo == "any" else sample.reference
        if sample.ev is None and self.photo == "any":
            raise ExposureError(
                f"sample '{sample.name}' has no exposures; objective.photo = \"any\" needs them"
            )
        stops = sample.ev[number] if sample.ev and number != sample.reference else 0.0
        light = np.maximum(truth_of(sample), 0) * np.float32(2.0**stops)
        return {
            "photo": _channels_first(recode(sample.frames[number], sample.response, NETWORK_GAMMA)),
            "truth": _channels_first(light ** np.float32(1 / NETWORK_GAMMA)),
            "real": np.array([min(real, 1.0)], np.float32),
            "made": np.array([made], np.float32),
        }

    def of_batch(self, bracket: Batch, bounded: bool) -> Batch:
        """As `example`, of the medium frame."""
        labels = {
            name: torch.rand(len(bracket["ev"]), 1, device=bracket["ev"].device) * (high - low) + low
            for name, (low, high) in {"real": _REAL, "made": _MADE}.items()
        }
        return {
            "photo": bracket["frames"][:, 1],
            "truth": bracket["truth"],
            **{k: v.clamp(max=1) for k, v in labels.items()},
        }

    def discriminator(self) -> nn.Module | None:
        return TwoStageDiscriminator() if self.adversarial_weight else None

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        parts = nets.net(batch["photo"], return_parts=True, local=whole if self.joint else _detached)
        terms: Terms = {}
        if "stage1" in parts:
            out, truth = parts["stage1"].float(), as_photo(batch["truth"])
            terms["stage1_l1"] = (out - truth).abs().mean()
            if self.similarity_weight:
                similarity = SIMILARITIES[self.similarity](*(gathered_with_gradient(x) for x in (out, truth)))
                terms["stage1_similarity"] = self.similarity_weight * (1 - similarity)
            if nets.discriminator is not None:
                judged = nets.discriminator(out).float()
                real = torch.ones_like(judged)
                terms["adversarial"] = self.adversarial_weight * cross_entropy(judged, real)
        if parts["out"] is not parts.get("stage1"):
            out, truth = parts["out"].float(), batch["truth"]
            terms["stage2_l1"] = self.stage2_weight * (out - truth).abs().mean()
            if self.colour == "ciede2000":
                terms["stage2_colour"] = self.colour_weight * delta_e_2000(out, truth)
            if self.light_weight:
                terms["light"] = self.light_weight * pu21_distance(out**NETWORK_GAMMA, truth**NETWORK_GAMMA)
        return terms

    def discriminator_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Nothing where stage II is trained alone: only stage I's result is judged."""
        if not hasattr(nets.net, "stage1"):
            return {}
        with torch.no_grad():
            made = nets.net.get_submodule("stage1")(batch["photo"])
        assert nets.discriminator is not None
        judged = [nets.discriminator(image).float() for image in (as_photo(batch["truth"]), made)]
        losses = [
            cross_entropy(one, batch[label]) for one, label in zip(judged, ("real", "made"), strict=True)
        ]
        return {"discriminator": (losses[0] + losses[1]) / 2}


def as_photo(truth: torch.Tensor) -> torch.Tensor:
    """Gamma-coded HDR -> the 8-bit photo of it: clipped to 0..1, rounded to 1/255."""
    return torch.round(truth.clamp(0, 1) * 255) / 255


def cross_entropy(probability: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Mean binary cross entropy of probabilities and labels in 0..1."""
    probability = probability.clamp(_LEAST, 1 - _LEAST)
    return -(label * probability.log() + (1 - label) * (1 - probability).log()).mean()


def _detached(function: Any, margin: int, *inputs: torch.Tensor) -> torch.Tensor:
    """A step of the network that passes no gradient to the step before (see models.tiling)."""
    return function(*(x.detach() for x in inputs))


def _channels_first(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32)
