"""Mean absolute difference of tanh values, with gradients (HDRUNet, Chen et al. 2021; EAPNet cites it).

    mean |tanh(a) - tanh(b)|

Domain: the networks' output as it is. EAPNet trains on the sum of this and the mu-law loss.
"""

from __future__ import annotations

import torch

from openhdr.train.losses.mu_law import PercentileOf, mu_law_l1


def tanh_l1(prediction: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """One number, 0..2; any shape."""
    return (prediction.tanh() - truth.tanh()).abs().mean()


def tanh_and_mu_law_l1(
    prediction: torch.Tensor, truth: torch.Tensor, percentile: PercentileOf = "prediction"
) -> torch.Tensor:
    """`tanh_l1` + `mu_law_l1` of gamma-coded values."""
    return tanh_l1(prediction, truth) + mu_law_l1(prediction, truth, percentile)
