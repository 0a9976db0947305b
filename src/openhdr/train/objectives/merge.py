"""Three frames -> HDR.

Losses of the papers, on gamma-coded images (see train.losses):

    l1, l2       mean absolute and mean squared difference: tables of GSANet and EAPNet
    mu           L1 of tone-mapped images: ADNet, GSANet (percentile of the prediction, as in their programs; of
                 the truth, as in the challenge's score), AHDRNet (no percentile)
    tanh         L1 of tanh: HDRUNet, which EAPNet cites
    mu+tanh      their sum: EAPNet
    tanh-of-mu   L1 of tanh of tone-mapped images: the settings that GSANet's authors published last
    log-mse      log10 of each bracket's mean squared mu-law difference: minus a tenth of the PSNR that brackets are
                 scored by, on the shortest frame's scale. Not of a paper: for the small recipes, which have no time
                 to spare for another goal.

The percentile is that of the whole batch in one piece of accumulation, over all processes.

Gamma disturbance (ADNet): with a probability, a sample's outer frames are aligned with another gamma. As the
alignment is x * 2^(-ev / gamma), that is the same as other EVs with the usual gamma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import RequestError
from openhdr.data.sample import Sample, network_arrays
from openhdr.train.losses.l1 import PercentileOf, mu_law_l1, tanh_l1, tone_mapped
from openhdr.train.objectives.contract import Batch, BracketObjective, Nets, Terms

_FLOOR = 1e-5  # of a squared difference: from 50 dB on nothing is gained


@dataclass(frozen=True)
class Merge(BracketObjective):
    """Options of the objective."""

    name: ClassVar[str] = "merge"

    loss: Literal["l1", "l2", "mu", "tanh", "mu+tanh", "tanh-of-mu", "log-mse"] = "mu"
    percentile: PercentileOf = "prediction"  # of which the tone mapping takes its level
    mu_weight: float = 1.0
    tanh_weight: float = 1.0
    gamma_share: float = 0.0  # share of samples whose gamma is disturbed
    gamma_range: float = 0.1  # on either side of 2.24, uniform

    def example(self, sample: Sample, rng: np.random.Generator, bounded: bool) -> dict[str, np.ndarray]:
        """frames (3, 3, H, W), ev (3,), truth (3, H, W)."""
        arrays = network_arrays(sample)
        if arrays.truth is None or len(arrays.frames) != 3:
            raise RequestError(f"sample '{sample.name}' is not three frames with their truth")
        ev, truth = arrays.ev, arrays.truth
        shortest = ev[0]
        disturbed, shift = rng.random() < self.gamma_share, rng.uniform(-1, 1)
        if bounded:  # 1.0 must mean that the shortest frame clips
            truth = truth * np.float32(2.0 ** (float(ev[0]) / NETWORK_GAMMA))
        if disturbed:
            ev = ev * np.float32(NETWORK_GAMMA / (NETWORK_GAMMA + shift * self.gamma_range))
        ev = ev - shortest if bounded else ev  # a disturbed gamma moves the outer frames, never the reference
        return {"frames": arrays.frames, "ev": ev, "truth": truth}

    def of_batch(self, bracket: Batch, bounded: bool) -> Batch:
        """As `example`; gamma is not disturbed."""
        if self.gamma_share:
            raise RequestError('objective.gamma_share needs another data.source than "drawn"')
        ev, truth = bracket["ev"], bracket["truth"]
        if not bounded:
            return bracket
        shortest = ev[:, :1]
        scale = torch.exp2(shortest / NETWORK_GAMMA)[..., None, None]
        return {"frames": bracket["frames"], "ev": ev - shortest, "truth": truth * scale}

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        out = nets.net(batch["frames"], batch["ev"]).float()
        if self.loss == "log-mse":
            return {"log-mse": log_mse(out, batch["truth"], batch["ev"])}
        if self.loss in ("l1", "l2"):
            gap = out - batch["truth"]
            return {self.loss: gap.abs().mean() if self.loss == "l1" else gap.square().mean()}
        terms = {}
        if self.loss != "tanh":
            tanh = self.loss == "tanh-of-mu"
            terms["mu"] = self.mu_weight * mu_law_l1(out, batch["truth"], self.percentile, tanh)
        if self.loss in ("tanh", "mu+tanh"):
            terms["tanh"] = self.tanh_weight * tanh_l1(out, batch["truth"])
        return terms


def log_mse(out: torch.Tensor, truth: torch.Tensor, ev: torch.Tensor) -> torch.Tensor:
    """Mean over brackets of log10(mean((T(a) - T(b))^2) + 1e-5), T the mu-law where the shortest frame clips at 1.

    out, truth: (B, 3, H, W) gamma-coded. ev: (B, 3) stops on the scale of both. The truth is clipped at 1: what no
    frame measured is to look as it does in the shortest frame.
    """
    scale = torch.exp2(ev[:, 0].to(out) / NETWORK_GAMMA)[:, None, None, None]
    ours, theirs = tone_mapped(out * scale, None), tone_mapped((truth * scale).clamp(max=1), None)
    return torch.log10((ours - theirs).square().mean((1, 2, 3)) + _FLOOR).mean()
