"""The challenge's tone mapping of gamma-coded images, with gradients."""

from __future__ import annotations

import math

import torch

from openhdr.data.sample import NETWORK_GAMMA

MU = 5000.0
PERCENT = 99.0
_LEAST = 1e-6  # of light: keeps a black batch from dividing by zero


def tone_mapped(image: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
    """log(1 + 5000 t) / log(5001) of gamma-coded values >= 0, any shape.

    t = tanh(light / scale), or light where `scale` is None.
    """
    light = image.clamp(min=0) ** NETWORK_GAMMA
    if scale is not None:
        light = torch.tanh(light / scale)
    return torch.log1p(MU * light) / math.log1p(MU)


@torch.no_grad()
def percentile_of(image: torch.Tensor, percent: float = PERCENT) -> torch.Tensor:
    """A percentile of the light of gamma-coded values, over all of them, linear between neighbours as NumPy's."""
    light = (image.clamp(min=0) ** NETWORK_GAMMA).flatten()
    place = (len(light) - 1) * percent / 100
    below = int(place)
    low = torch.kthvalue(light, below + 1).values
    high = torch.kthvalue(light, min(below + 2, len(light))).values
    return (low + (high - low) * (place - below)).clamp(min=_LEAST)
