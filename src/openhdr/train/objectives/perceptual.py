"""L1 of VGG16's features (Simonyan and Zisserman 2015) after the third, fourth and fifth pooling.

The weights come from a local file in the layout in which they are commonly stored (`features.0.weight`, ...).
Nothing is fetched.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.core.errors import FileError
from openhdr.models.checkpoints import read

LEVELS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Widths of the convolutions between poolings."""

COMPARED = (2, 3, 4)  # levels whose pooled features count
IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of sRGB codes 0..1


class VGGFeatures(nn.Module):
    """VGG16 up to its fifth pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        width = 3
        for widths in LEVELS:
            level = nn.ModuleList()
            for out in widths:
                level.append(nn.Conv2d(width, out, 3, padding=1))
                width = out
            self.levels.append(level)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """(B, 3, H, W) sRGB codes 0..1 -> features of the compared levels that have at least one pixel."""
        mean, spread = (image.new_tensor(c)[:, None, None] for c in (IMAGENET_MEAN, IMAGENET_SPREAD))
        x, found = (image - mean) / spread, []
        for number, level in enumerate(self.levels):
            if min(x.shape[-2:]) < 2:
                break
            for conv in level.children():
                x = F.relu(conv(x))
            x = F.max_pool2d(x, 2)
            if number in COMPARED:
                found.append(x)
        return found


def perceptual_distance(weights: str, image: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Sum over levels of the features' mean absolute difference; images (B, 3, H, W), sRGB codes."""
    net = _load(weights, str(image.device))
    with torch.no_grad():
        wanted = net(truth)
    pairs = zip(net(image), wanted, strict=True)
    return sum(((a - b).abs().mean() for a, b in pairs), start=image.new_zeros(()))


@lru_cache(maxsize=2)
def _load(weights: str, device: str) -> VGGFeatures:
    path = Path(weights)
    state, _ = read(path)
    net = VGGFeatures()
    own, number = {}, 0  # of the layer, ReLUs and poolings counted too: 0, 2, 5, 7, 10, ...
    for i, widths in enumerate(LEVELS):
        for k in range(len(widths)):
            for kind in ("weight", "bias"):
                key = f"features.{number}.{kind}"
                if key not in state:
                    raise FileError(path, f"has no '{key}'", "expected the weights of VGG16")
                own[f"levels.{i}.{k}.{kind}"] = state[key]
            number += 2
        number += 1
    try:
        net.load_state_dict(own)
    except RuntimeError as error:
        raise FileError(
            path, "does not fit VGG16", "expected the weights of VGG16 without batch norm"
        ) from error
    return net.to(device).eval().requires_grad_(False)
