"""How far two images of light are apart on a display, with gradients.

    mean over images of sqrt(mean((V(a) - V(b))^2) / 256^2 + 1e-4),  V: PU21 (metrics.pu21)

the root of what the PU21-PSNR of expanded photos is the logarithm of, where the photo clips at 100 cd/m2. The
logarithm itself would give patches where nothing clips the same weight as those where all does.
"""

from __future__ import annotations

import torch

from openhdr.metrics.pu21 import BRIGHTEST, DARKEST, PARAMETERS, PEAK

CLIPS_AT = 100.0  # cd/m2 of the value 1.0
_FLOOR = 1e-4  # of a squared difference: keeps the root's gradient finite


def pu21_distance(light: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """light, truth: (B, 3, H, W) linear, 1.0 = the photo clips; values below 0 count as 0."""
    difference = (perceived(light) - perceived(truth)) / PEAK
    return torch.sqrt(difference.square().mean((1, 2, 3)) + _FLOOR).mean()


def perceived(light: torch.Tensor) -> torch.Tensor:
    """V of linear light of any shape, float32."""
    p1, p2, p3, p4, p5, p6, p7 = PARAMETERS
    power = (light.float() * CLIPS_AT).clamp(DARKEST, BRIGHTEST) ** p4
    return p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6)
