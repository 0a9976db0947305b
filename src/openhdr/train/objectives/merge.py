"""Three frames -> HDR.

Losses of the papers, on gamma-coded images (light ^ (1 / 2.24)), means over all values:

    mu           |T(a) - T(b)|, T(x) = log(1 + 5000 t) / log(5001), t = tanh(x^2.24 / p): ADNet, GSANet. p is
                 the 99th percentile of x^2.24 of the whole batch of predictions (their programs) or of truths
                 (the challenge's score); without percentile t = x^2.24 (AHDRNet)
    tanh         |tanh(a) - tanh(b)|: HDRUNet, which EAPNet cites
    mu+tanh      their sum: EAPNet
    tanh-of-mu   |tanh(T(a)) - tanh(T(b))|: the settings that GSANet's authors published last

Gamma disturbance (ADNet): with a probability, a sample's outer frames are aligned with another gamma. As the
alignment is x * 2^(-ev / gamma), that is the same as other EVs with the usual gamma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.data.sample import NETWORK_GAMMA, Sample, network_arrays
from openhdr.train.distributed import gathered
from openhdr.train.objectives.nets import Nets, Terms
from openhdr.train.objectives.tone import percentile_of, tone_mapped

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Merge:
    """Options of the objective."""

    name: ClassVar[str] = "merge"

    loss: Literal["mu", "tanh", "mu+tanh", "tanh-of-mu"] = "mu"
    percentile: Literal["prediction", "truth", "none"] = "prediction"  # of which p is taken
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
        disturbed, shift = rng.random() < self.gamma_share, rng.uniform(-1, 1)
        if bounded:  # 1.0 must mean that the shortest frame clips
            truth = truth * np.float32(2.0 ** (float(ev[0]) / NETWORK_GAMMA))
        if disturbed:
            ev = ev * np.float32(NETWORK_GAMMA / (NETWORK_GAMMA + shift * self.gamma_range))
        ev = ev - ev[0] if bounded else ev
        return {"frames": arrays.frames, "ev": ev, "truth": truth}

    def critic(self) -> nn.Module | None:
        return None

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        out = nets.net(batch["frames"], batch["ev"]).float()
        terms = {}
        if self.loss != "tanh":
            terms["mu"] = self.mu_weight * self._mu(out, batch["truth"])
        if self.loss in ("tanh", "mu+tanh"):
            terms["tanh"] = self.tanh_weight * _l1(out.tanh(), batch["truth"].tanh())
        return terms

    def critic_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        return {}

    def _mu(self, out: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        scale = None
        if self.percentile != "none":
            scale = percentile_of(gathered(out if self.percentile == "prediction" else truth))
        mapped = [tone_mapped(image, scale) for image in (out, truth)]
        return _l1(*(image.tanh() for image in mapped)) if self.loss == "tanh-of-mu" else _l1(*mapped)


def _l1(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).abs().mean()
