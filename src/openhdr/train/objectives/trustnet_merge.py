"""The maximum-likelihood merge with gradients for consistency: `merging.mle` and `merging.strips` on tensors.

The same formulas, but for two things. Variances are given: in the merger they change a little with the consistency.
And consistency is taken as it comes, where the merger rounds what is nearly 0 or 1: nothing could be learned there.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from openhdr.merging.mle import TINY
from openhdr.merging.strips import BRIGHT, HARDLY_SEEN, MEASURED


def merge_known(
    bracket: Mapping[str, torch.Tensor], consistency: torch.Tensor, factor: torch.Tensor
) -> torch.Tensor:
    """(1, 8, H, W): radiance (3), weight, coverage, the reference's light (3), as `TrustNet.refined` takes it.

    The weight is the merger's over the reference's grain (`openhdr.merging.trustnet.refinement`).

    bracket: see `objectives.trustnet`, frames shortest first. consistency: (K, H, W) of the frames beside the
    reference. factor: (3, H, W) of the hole fill.
    """
    consistency = torch.cat((torch.ones_like(consistency[:1]), consistency)).index_select(0, bracket["order"])
    consistency = consistency * bracket["inside"]
    room, light = bracket["saturation_weight"], bracket["light"]
    weights = room * consistency / bracket["variance"]
    weight = weights.sum(0)
    radiance = (weights[:, None] * light).sum(0) / (weight + float(TINY))
    reference = light.index_select(0, bracket["reference"])[0]
    radiance, weight = _faded(radiance, weight, consistency, bracket, reference)
    coverage = (consistency[0] + (consistency[1:] * room[1:]).sum(0)).clamp(max=1)
    top = bracket["top"][:, None, None]
    hole_fill = torch.maximum(bracket["hole_fill"] * factor, reference)
    shown = torch.where(reference > float(BRIGHT) * top, hole_fill, reference)
    radiance = shown + coverage * (radiance - shown)
    weight = weight / bracket["grain"]
    return torch.cat((radiance, weight[None], coverage[None], reference))[None]


def _faded(
    radiance: torch.Tensor,
    weight: torch.Tensor,
    consistency: torch.Tensor,
    bracket: Mapping[str, torch.Tensor],
    reference: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where hardly anything was seen: the shortest consistent frame's level, else the reference as it is."""
    share = ((consistency * bracket["saturation_weight"]).sum(0) / float(HARDLY_SEEN)).clamp(max=1)
    value = reference
    for light, one in zip(bracket["light"].flip(0), consistency.flip(0), strict=True):
        value = torch.where(one > 0, light, value)
    return value + share * (radiance - value), torch.where(share < MEASURED, 0, weight)
