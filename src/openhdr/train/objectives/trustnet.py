"""A compared bracket -> HDR by TrustNet, through the merge with gradients (`trustnet_merge`).

    log10(mean((T(a) - T(b))^2) + 3e-6) of the refined picture + 0.3 x the same of the merged one

T: mu-law of light clipped at 1, where the shortest frame clips at 1. It is minus a tenth of the PSNR that brackets
are scored by. The second term keeps the first network's judgement from leaning on the second one.

Brackets differ in their numbers of frames, so each is a piece of its own: run.accumulate is run.batch. Some squares
are halved: large photos are compared at a smaller size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from openhdr.models.trustnet import mu_code
from openhdr.train.objectives.contract import Batch, Nets, Objective, Terms
from openhdr.train.objectives.trustnet_merge import merge_known
from openhdr.train.trustnet_sample import ComparedBracket, planes_of

_FLOOR = 3e-6  # of a squared difference: from 55 dB on little is gained
_FEWEST = 3  # frames of the bracket that a plan is made with


@dataclass(frozen=True)
class TrustNetObjective(Objective[ComparedBracket]):
    """Options of the objective."""

    name: ClassVar[str] = "trustnet"
    one_by_one: ClassVar[bool] = True

    merged_weight: float = 0.3  # of the merged picture's term
    half_share: float = 0.15  # share of squares that are halved

    def stand_in(self, side: int) -> ComparedBracket:
        """A bracket of three frames without contents."""
        planes = np.zeros((side, side, planes_of(_FEWEST)), np.float16)
        return ComparedBracket("plan", planes, (-2.0, 0.0, 2.0), 1, (1.0, 1.0, 1.0))

    def example(
        self, sample: ComparedBracket, rng: np.random.Generator, bounded: bool
    ) -> dict[str, np.ndarray]:
        """What `ComparedBracket.parts` gives, with ev (N,), top (3,), grain (1,), reference (1,) and order (N,): where
        in the list (reference, first other frame, second ...) every frame stands.
        """
        if rng.random() < self.half_share:
            sample = sample.halved()
        count = len(sample.ev)
        others = [k for k in range(count) if k != sample.reference]
        return {
            **sample.parts(),
            "ev": np.array(sample.ev, np.float32),
            "top": np.array(sample.top, np.float32),
            "grain": np.array([sample.grain], np.float32),
            "reference": np.array([sample.reference]),
            "order": np.array([others.index(k) + 1 if k in others else 0 for k in range(count)]),
        }

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        bracket = {key: value[0] for key, value in batch.items()}
        merged, refined = nets.net(
            bracket["frames"],
            bracket["shared"],
            lambda consistency, factor: merge_known(bracket, consistency.float(), factor.float()),
        )
        return {
            "refined": self._log_mse(refined[0].float(), bracket),
            "merged": self.merged_weight * self._log_mse(merged[0, :3], bracket),
        }

    def _log_mse(self, light: torch.Tensor, bracket: dict[str, Any]) -> torch.Tensor:
        scale = torch.exp2(bracket["ev"].min())
        ours, theirs = (mu_code((one * scale).clamp(max=1)) for one in (light, bracket["truth"]))
        return torch.log10((ours - theirs).square().mean() + _FLOOR)
