"""The maximum-likelihood merge with gradients for what is trusted: `merging.mle` and `merging.strips` on tensors.

The same formulas, but for two things. Variances are given: in the merger they change a little with what is trusted.
And trust is taken as it comes, where the merger rounds what is nearly 0 or 1: nothing could be learned there.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from openhdr.merging.mle import TINY
from openhdr.merging.strips import BRIGHT, HARDLY_SEEN, MEASURED


def merge_known(
    bracket: Mapping[str, torch.Tensor], trust: torch.Tensor, factor: torch.Tensor
) -> torch.Tensor:
    """(1, 8, H, W): radiance (3), weight, coverage, the reference's light (3), as `TrustNet.refine` takes it.

    bracket: see `objectives.trustnet`, frames shortest first. trust: (K, H, W) of the frames beside the reference.
    factor: (3, H, W) of the backdrop.
    """
    trust = torch.cat((torch.ones_like(trust[:1]), trust)).index_select(0, bracket["order"])
    trust = trust * bracket["inside"]
    room, light = bracket["headroom"], bracket["light"]
    weights = room * trust / bracket["variance"]
    weight = weights.sum(0)
    radiance = (weights[:, None] * light).sum(0) / (weight + float(TINY))
    reference = light.index_select(0, bracket["reference"])[0]
    radiance, weight = _faded(radiance, weight, trust, bracket, reference)
    coverage = (trust[0] + (trust[1:] * room[1:]).sum(0)).clamp(max=1)
    top = bracket["top"][:, None, None]
    backdrop = torch.maximum(bracket["backdrop"] * factor, reference)
    shown = torch.where(reference > float(BRIGHT) * top, backdrop, reference)
    radiance = shown + coverage * (radiance - shown)
    return torch.cat((radiance, weight[None], coverage[None], reference))[None]


def _faded(
    radiance: torch.Tensor,
    weight: torch.Tensor,
    trust: torch.Tensor,
    bracket: Mapping[str, torch.Tensor],
    reference: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where hardly anything was seen: the shortest trusted frame's level, else the reference as it is."""
    share = ((trust * bracket["headroom"]).sum(0) / float(HARDLY_SEEN)).clamp(max=1)
    value = reference
    for light, one in zip(bracket["light"].flip(0), trust.flip(0), strict=True):
        value = torch.where(one > 0, light, value)
    return value + share * (radiance - value), torch.where(share < MEASURED, 0, weight)
