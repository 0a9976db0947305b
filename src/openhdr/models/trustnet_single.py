"""The network of openhdr's own expansion of one photo: it sees a reduced photo and says how bright clipped light is.

Its input and the use of its output are in `openhdr.expansion.trustnet_single`, where it runs without PyTorch. A U-Net
over five scales, the finest of 2 x 2 cells, with the mean over the whole picture at the coarsest: what a clipped area
is, a lamp, a window or the sky, is seen in the rest of the photo. Channels drop out at random while it trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import conv3x3

FEATURES = 11  # channels of what it sees, see `openhdr.expansion.trustnet_single.network_input`


@dataclass(frozen=True)
class TrustNetSingleConfig:
    """widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size; head: of what is seen once more at the end."""

    widths: tuple[int, int, int, int, int] = (32, 48, 64, 96, 128)
    head: int = 64


class TrustNetSingle(nn.Module):
    """A reduced photo -> stops above the clipping level."""

    Config = TrustNetSingleConfig
    bounded = False

    def __init__(self, config: TrustNetSingleConfig = TrustNetSingleConfig()) -> None:
        super().__init__()
        self.config = config
        widths, seen = config.widths, 4 * FEATURES
        finest, deep = widths[0], widths[-1]
        self.first = conv3x3(seen, finest)
        self.down = nn.ModuleList(conv3x3(*pair) for pair in pairwise(widths))
        self.residual = nn.ModuleList(Residual(width) for width in widths)
        self.whole = nn.Sequential(nn.Linear(deep, deep), nn.ReLU(), nn.Dropout(0.2), nn.Linear(deep, deep))
        self.up = nn.ModuleList(conv3x3(fine + coarse, fine) for fine, coarse in pairwise(widths))
        self.head = nn.Sequential(
            nn.Conv2d(finest + seen, config.head, 1), nn.ReLU(), nn.Conv2d(config.head, 12, 1)
        )
        self.forget = nn.Dropout2d(0.1)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(B, 11, H, W) -> (B, 3, H, W) stops >= 0. H and W are multiples of 32."""
        folded = F.pixel_unshuffle(seen, 2)
        x = self.residual[0](F.relu(self.first(folded)))
        skips = []
        for down, residual in zip(self.down, self.residual[1:], strict=True):
            skips.append(x)
            x = self.forget(residual(F.relu(down(F.avg_pool2d(x, 2)))))
        x = x + self.whole(x.mean((2, 3)))[:, :, None, None]
        for up in reversed(self.up):
            x = F.relu(up(torch.cat((F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()), 1)))
        return F.softplus(F.pixel_shuffle(self.head(torch.cat((x, folded), 1)), 2))

    @staticmethod
    def from_authors(state: dict[str, torch.Tensor]) -> None:
        """There is no other layout."""
        return None


class Residual(nn.Module):
    """x plus two convolutions of it, which begin small."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = conv3x3(width, width), conv3x3(width, width)
        with torch.no_grad():
            for parameter in self.second.parameters():
                parameter.mul_(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))
