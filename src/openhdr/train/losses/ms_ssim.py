"""Multi-scale structural similarity with gradients (Wang, Simoncelli and Bovik 2003, equation 7).

    product over 5 scales of cs_j^w_j, at the last scale ssim_5^w_5 in place of cs_5

cs is the contrast-structure factor and ssim the whole similarity, both means over the windows of one channel of
one image, and the products are averaged; the window is Gaussian, 11x11, sigma 1.5, inside the image only;
scales halve by 2x2 means. A scale smaller than the window takes a window of its own size.

The two-stage network's program differs (`two_stage_ms_ssim`): means are over channels and batch as well; every
mean m is mapped to (m + 1) / 2; and the last factor stands inside the product over the other four, so it counts
to the 4th power.

Domain: values 0..1. A similarity: train on 1 - it.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
_LEAST = 1e-6  # negative means have no real power


def ms_ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """One number, at most 1. x, y: (B, C, H, W) in 0..1, sides of at least 16."""
    similarity, structure = _scales(x, y)
    weights = x.new_tensor(WEIGHTS)[:, None, None]
    factors = torch.cat([structure[:-1], similarity[-1:]])
    return (factors.clamp(min=_LEAST) ** weights).prod(dim=0).mean()


def two_stage_ms_ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The two-stage program's variant: one number, at most 1. x, y: (B, C, H, W) in 0..1, sides from 16."""
    similarity, structure = ((1 + means.mean(dim=(1, 2))) / 2 for means in _scales(x, y))
    weights = x.new_tensor(WEIGHTS)
    last = similarity[-1] ** weights[-1]
    return (structure[:-1] ** weights[:-1] * last).prod()


def ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean structural similarity at one scale: one number, at most 1. x, y: (B, C, H, W) in 0..1."""
    return _means(x, y)[0].mean()


def _scales(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(5, B, C) similarity and (5, B, C) contrast-structure, from the finest scale on."""
    similarity, structure = [], []
    for scale in range(len(WEIGHTS)):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        whole, part = _means(x, y)
        similarity.append(whole)
        structure.append(part)
    return torch.stack(similarity), torch.stack(structure)


def _means(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, C) means over the windows: similarity and contrast-structure."""
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    cross, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance = _window_mean(x * y) - cross
    variances = _window_mean(x * x + y * y) - squares
    structure = (2 * covariance + C2) / (variances + C2)
    whole = (2 * cross + C1) / (squares + C1) * structure
    return whole.mean(dim=(2, 3)), structure.mean(dim=(2, 3))


def _window_mean(x: torch.Tensor) -> torch.Tensor:
    size = min(WINDOW, x.shape[-2], x.shape[-1])
    offsets = torch.arange(size, dtype=x.dtype, device=x.device) - size // 2
    window = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    window = (window / window.sum()).expand(x.shape[1], 1, 1, size)
    across = F.conv2d(x, window, groups=x.shape[1])
    return F.conv2d(across, window.transpose(2, 3), groups=x.shape[1])
