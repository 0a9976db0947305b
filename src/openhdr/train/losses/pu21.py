"""How far two images of light are apart on a display, with gradients.

    mean over images of sqrt(mean((V(a) - V(b))^2) / 256^2 + 1e-4),  V: PU21 (metrics.pu21)

the root of what the PU21-PSNR of expanded photos is the logarithm of, where the photo clips at 100 cd/m2; and

    mean over images of 10 log10(mean((V(a) - V(b))^2) / 256^2 + 3e-5),

nearly that score itself. It gives photos of which little clips the same weight as those of which much does, as the
mean score does: for whole views. Of small patches, on many of which nothing clips, the root is the better measure.
"""

from __future__ import annotations

import torch

from openhdr.metrics.pu21 import BRIGHTEST, DARKEST, PARAMETERS, PEAK

CLIPS_AT = 100.0  # cd/m2 of the value 1.0
_FLOOR = 1e-4  # of a squared difference: keeps the root's gradient finite
_GOOD = 3e-5  # the same: what is better than 45 dB counts little


def pu21_distance(light: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """light, truth: (B, 3, H, W) linear, 1.0 = the photo clips; values below 0 count as 0."""
    return torch.sqrt(_squared(light, truth) + _FLOOR).mean()


def pu21_decibels(light: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """As `pu21_distance`; less is better."""
    return 10 * torch.log10(_squared(light, truth) + _GOOD).mean()


def _squared(light: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(B,) mean squared differences, 1 = the peak of a display of 100 cd/m2."""
    return ((perceived(light) - perceived(truth)) / PEAK).square().mean((1, 2, 3))


def perceived(light: torch.Tensor) -> torch.Tensor:
    """V of linear light of any shape, float32."""
    p1, p2, p3, p4, p5, p6, p7 = PARAMETERS
    power = (light.float() * CLIPS_AT).clamp(DARKEST, BRIGHTEST) ** p4
    return p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6)
