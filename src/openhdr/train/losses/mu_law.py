"""Mean absolute difference after the challenge's tone mapping, with gradients.

    mean |T(a) - T(b)|,  T(x) = log(1 + 5000 t) / log(5001),  t = tanh(x^2.24 / p)  or  t = x^2.24 without p

p is the 99th percentile of the light x^2.24 over the whole batch; no gradient passes through it. The programs of
ADNet and GSANet take it from the prediction, the challenge's score from the truth; AHDRNet has none.
Domain: gamma-coded values (light^(1/2.24)). ADNet, equation 5, where the denominator lacks its logarithm.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from openhdr.color.transfer import MU, NETWORK_GAMMA

PERCENT = 99.0
_LEAST = 1e-6  # of light: keeps a black batch from dividing by zero

PercentileOf = Literal["prediction", "truth", "none"]


def mu_law_l1(
    prediction: torch.Tensor, truth: torch.Tensor, percentile: PercentileOf = "prediction"
) -> torch.Tensor:
    """One number >= 0. prediction, truth: gamma-coded, any shape; values below 0 count as 0."""
    level = None
    if percentile != "none":
        level = light_percentile(prediction if percentile == "prediction" else truth)
    return (tone_mapped(prediction, level) - tone_mapped(truth, level)).abs().mean()


def tone_mapped(image: torch.Tensor, level: torch.Tensor | None) -> torch.Tensor:
    """T of gamma-coded values of any shape; `level` is p, or None."""
    light = image.clamp(min=0) ** NETWORK_GAMMA
    if level is not None:
        light = torch.tanh(light / level)
    return mu_law(light)


def mu_law(light: torch.Tensor) -> torch.Tensor:
    """log(1 + mu x) / log(1 + mu) of light of any shape, >= 0."""
    return torch.log1p(MU * light) / math.log1p(MU)


@torch.no_grad()
def light_percentile(image: torch.Tensor, percent: float = PERCENT) -> torch.Tensor:
    """A percentile of the light of gamma-coded values, over all of them, linear between neighbours."""
    light = (image.clamp(min=0) ** NETWORK_GAMMA).flatten()
    place = (len(light) - 1) * percent / 100
    below = int(place)
    low = torch.kthvalue(light, below + 1).values
    high = torch.kthvalue(light, min(below + 2, len(light))).values
    return (low + (high - low) * (place - below)).clamp(min=_LEAST)
