"""Three exposures of one photo, given in sRGB codes -> light: by a network, or by Debevec and Malik's weighted mean.

Zhang et al., Revisiting the stack-based inverse tone mapping, CVPR 2023, section 3.5 and table 2.
"""

from __future__ import annotations

import torch
from torch import nn

from openhdr.models.layers.blocks import ImageConv, conv3x3, leaky, resize
from openhdr.models.layers.codes import srgb_to_linear

VIEW = 256  # side of the small view that shows a network all of a photo, pixels
WIDTH = 32
SRGB_CUBIC = (0.0, 0.012, 0.682, 0.306)
"""a0 ... a3 of the cubic closest to the sRGB decoding curve with its end points kept (largest error 0.002):
what the curve starts from. The paper gives no start."""

CODE_LOW, CODE_HIGH = 0.02, 0.98  # sRGB codes outside are as good as clipped: Debevec's weight is 0 there
LEAST_WEIGHT = 1e-4


class FusionModel(nn.Module):
    """MEFM: three masks that blend the exposures, and a cubic curve from the blend to light.

    As in ExpandNet, a local branch (3x3), a dilated branch (3x3, dilation 2) and a global branch (strided
    convolutions of the image at 256x256 down to a vector). Choices where figure 3 gives no numbers: 32
    channels; masks by softmax, so that they sum to one; the curve from the global vector, beginning as the
    sRGB curve.
    """

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.ModuleList((conv3x3(9, WIDTH), conv3x3(WIDTH, WIDTH)))
        self.dilated = nn.ModuleList(conv3x3(WIDTH if i else 9, WIDTH, dilation=2) for i in range(3))
        self.glob = nn.ModuleList(conv3x3(WIDTH if i else 9, WIDTH, stride=2) for i in range(6))
        self.merge = nn.Conv2d(3 * WIDTH, WIDTH, 1)
        self.masks = ImageConv(WIDTH, 3, 1)
        self.curve = nn.Linear(WIDTH, 4)
        nn.init.zeros_(self.curve.weight)
        with torch.no_grad():
            self.curve.bias.copy_(torch.tensor(SRGB_CUBIC))

    def forward(self, up: torch.Tensor, image: torch.Tensor, down: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B, 3, H, W) 0..1 each -> `out` (B, 3, H, W) linear, >= 0; `fused` (B, 3, H, W) 0..1; `masks`
        (B, 3, H, W) for up, image, down, summing to 1; `curve` (B, 4) = a0 ... a3.
        """
        exposures = torch.cat((up, image, down), 1)  # B 9 H W
        near = wide = exposures
        for conv in self.local:
            near = leaky(conv(near))
        for conv in self.dilated:
            wide = leaky(conv(wide))
        glob = resize(exposures, (VIEW, VIEW))
        for conv in self.glob:
            glob = leaky(conv(glob))
        glob = glob.mean((2, 3))  # B 32
        everywhere = glob[:, :, None, None].expand(-1, -1, *near.shape[-2:])
        x = leaky(self.merge(torch.cat((near, wide, everywhere), 1)))
        masks = torch.softmax(self.masks(x), 1)
        m_up, m_mid, m_down = masks.split(1, 1)
        fused = m_up * up + m_mid * image + m_down * down  # equation 7
        curve = self.curve(glob)
        return {"out": apply_curve(fused, curve), "fused": fused, "masks": masks, "curve": curve}


def apply_curve(fused: torch.Tensor, curve: torch.Tensor) -> torch.Tensor:
    """a3 I^3 + a2 I^2 + a1 I + a0 (equation 8), kept at 0 or above. curve: (B, 4) a0 ... a3."""
    a0, a1, a2, a3 = (a[:, None, None, None] for a in curve.unbind(1))
    return torch.relu(((a3 * fused + a2) * fused + a1) * fused + a0)


def debevec_fusion(up: torch.Tensor, image: torch.Tensor, down: torch.Tensor) -> dict[str, torch.Tensor]:
    """The three exposures merged without learning: `out` as in `FusionModel`, and `ev` (B, 2), the stops of
    up and down beyond the photo, measured in the pixels, because nothing declares them.
    """
    ev = exposure_stops(up, image, down)
    return {"out": merge_exposures(up, image, down, ev), "ev": ev}


def exposure_stops(up: torch.Tensor, image: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """(B, 2) stops by which `up` is longer than the photo, >= 0, and `down`, <= 0.

    The weighted mean of the log ratio of light over pixels that are well exposed in both; 0 where none is.
    """
    light, weight = _log_light(image), _triangle(image)
    stops = []
    for other in (up, down):
        both = weight * _triangle(other)
        ratio = (both * (_log_light(other) - light)).sum((1, 2, 3)) / both.sum((1, 2, 3)).clamp(min=1e-6)
        stops.append(ratio)
    return torch.stack((stops[0].clamp(min=0), stops[1].clamp(max=0)), 1)


def merge_exposures(
    up: torch.Tensor, image: torch.Tensor, down: torch.Tensor, ev: torch.Tensor
) -> torch.Tensor:
    """Debevec and Malik's mean: (B, 3, H, W) codes 0..1 each, ev (B, 2) -> (B, 3, H, W) linear.

    Every exposure is decoded by the sRGB curve, divided by its exposure and weighted by a triangle over the
    codes. Where all are clipped the shortest decides at the top and the longest at the bottom.
    """
    exposures = torch.stack((up, image, down), 1)  # B 3 3 H W
    stops = torch.stack((ev[:, 0], torch.zeros_like(ev[:, 0]), ev[:, 1]), 1)
    radiance = srgb_to_linear(exposures) * torch.exp2(-stops)[..., None, None, None]
    bright = image > 0.5
    spare = torch.stack((~bright, torch.zeros_like(bright), bright), 1) * LEAST_WEIGHT
    weight = _triangle(exposures) + spare
    return (weight * radiance).sum(1) / weight.sum(1).clamp(min=1e-12)


def _log_light(code: torch.Tensor) -> torch.Tensor:
    return torch.log2(srgb_to_linear(code).clamp(min=1e-4))


def _triangle(code: torch.Tensor) -> torch.Tensor:
    return torch.minimum(code - CODE_LOW, CODE_HIGH - code).clamp(min=0)
