"""CIEDE2000 colour difference with gradients that are finite everywhere, greys included.

The formula of metrics/ciede2000.py, written without angles where an angle has no derivative: chroma is
sqrt(a^2 + b^2 + tiny); the hue difference is cross / sqrt((c1 c2 + dot) / 2), which is 2 sqrt(c1 c2) sin(dh / 2);
the mean hue is the direction of the sum of the two unit vectors, which also gives the other colour's hue where
one is grey. For opposite hues, where the formula jumps, the gradient is that of one side.

Domain: sRGB code values 0..1. Published training code computes it on detached arrays, without a gradient.
"""

from __future__ import annotations

import math

import torch

from openhdr.metrics.ciede2000 import WHITE, XYZ_FROM_RGB
from openhdr.models.layers.codes import srgb_to_linear

_TINY = 1e-10  # of squared chroma: greys have chroma 1e-5
_LAB_BREAK, _LAB_SLOPE, _LAB_OFFSET = 0.008856, 7.787, 16 / 116
_POWER7 = 25.0**7


def delta_e_2000(prediction: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean CIEDE2000, one number >= 0 (the two-stage paper divides it by 255).

    prediction, truth: (B, 3, H, W), sRGB code values; clipped to 0..1.
    """
    return ciede2000(lab_from_srgb(prediction), lab_from_srgb(truth)).mean()


def lab_from_srgb(code: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) sRGB code values, clipped to 0..1 -> (B, 3, H, W) CIELAB, D65."""
    linear = srgb_to_linear(code.clamp(0, 1))
    matrix = torch.as_tensor(XYZ_FROM_RGB / WHITE[:, None], dtype=code.dtype, device=code.device)
    xyz = torch.einsum("ij,bjhw->bihw", matrix, linear)
    root = xyz.clamp(min=_LAB_BREAK) ** (1 / 3)
    x, y, z = torch.where(xyz > _LAB_BREAK, root, _LAB_SLOPE * xyz + _LAB_OFFSET).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def ciede2000(lab1: torch.Tensor, lab2: torch.Tensor) -> torch.Tensor:
    """(B, 3, ...) CIELAB twice -> (B, ...) colour difference, >= 0."""
    l1, a1, b1 = lab1.unbind(1)
    l2, a2, b2 = lab2.unbind(1)
    mean7 = ((_chroma(a1, b1) + _chroma(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * torch.sqrt(mean7 / (mean7 + _POWER7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = _chroma(a1, b1), _chroma(a2, b2)
    mean_l, mean_c, hue = (l1 + l2) / 2, (c1 + c2) / 2, _mean_hue(a1 / c1 + a2 / c2, b1 / c1 + b2 / c2)
    half = (c1 * c2 + a1 * a2 + b1 * b2) / 2
    d_h = (a1 * b2 - a2 * b1) / torch.sqrt(half.clamp(min=0) + _TINY)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / torch.sqrt(20 + (mean_l - 50) ** 2)
    light, chroma = (l2 - l1) / s_l, (c2 - c1) / (1 + 0.045 * mean_c)
    turn = d_h / (1 + 0.015 * mean_c * _hue_weight(hue))
    return _root(light**2 + chroma**2 + turn**2 + _rotation(mean_c, hue) * chroma * turn)


def _chroma(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.sqrt(a * a + b * b + _TINY)


def _root(squared: torch.Tensor) -> torch.Tensor:
    """Square root with gradient 0 where the colours are equal."""
    some = squared > 1e-12
    return torch.where(some, torch.sqrt(torch.where(some, squared, 1.0)), 0.0)


def _mean_hue(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Direction of (x, y) in 0..2 pi; 0 without a gradient where there is none."""
    some = x * x + y * y > 1e-12
    angle = torch.atan2(torch.where(some, y, 0.0), torch.where(some, x, 1.0))
    return torch.where(angle < 0, angle + 2 * math.pi, angle)


def _hue_weight(hue: torch.Tensor) -> torch.Tensor:
    return (
        1
        - 0.17 * torch.cos(hue - math.radians(30))
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + math.radians(6))
        - 0.20 * torch.cos(4 * hue - math.radians(63))
    )


def _rotation(chroma: torch.Tensor, hue: torch.Tensor) -> torch.Tensor:
    angle = math.radians(30) * torch.exp(-(((hue * (180 / math.pi) - 275) / 25) ** 2))
    power = chroma**7
    return -2 * torch.sqrt(power / (power + _POWER7)) * torch.sin(2 * angle)
