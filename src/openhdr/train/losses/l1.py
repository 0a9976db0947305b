"""Mean absolute differences with gradients: after the challenge's tone mapping, and of tanh values.

    mu_law_l1   mean |T(a) - T(b)|,  T(x) = log(1 + 5000 t) / log(5001),
                t = tanh(x^2.24 / p)  or  t = x^2.24 without p
    tanh_l1     mean |tanh(a) - tanh(b)|  (HDRUNet, Chen et al. 2021; EAPNet trains on the sum of both)

p is the 99th percentile of the light x^2.24 over the whole batch; no gradient passes through it. The programs of
ADNet and GSANet take it from the prediction, the challenge's score from the truth; AHDRNet has none.
Domain: gamma-coded values (light^(1/2.24)). ADNet, equation 5, where the denominator lacks its logarithm.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from openhdr.color.transfer import MU, NETWORK_GAMMA
from openhdr.train.distributed import gathered

PERCENT = 99.0
_LEAST = 1e-6  # of light: keeps a black batch from dividing by zero

PercentileOf = Literal["prediction", "truth", "none"]


def mu_law_l1(
    prediction: torch.Tensor, truth: torch.Tensor, percentile: PercentileOf = "prediction", tanh: bool = False
) -> torch.Tensor:
    """One number >= 0. prediction, truth: gamma-coded, any shape; values below 0 count as 0.

    percentile: the image that p is taken of, over the batches of all processes. tanh: take `tanh_l1` of the
    tone-mapped values.
    """
    level = None
    if percentile != "none":
        level = light_percentile(gathered(prediction if percentile == "prediction" else truth))
    ours, theirs = tone_mapped(prediction, level), tone_mapped(truth, level)
    return tanh_l1(ours, theirs) if tanh else (ours - theirs).abs().mean()


def tanh_l1(prediction: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """One number, 0..2. prediction, truth: the networks' output as it is, any shape."""
    return (prediction.tanh() - truth.tanh()).abs().mean()


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
