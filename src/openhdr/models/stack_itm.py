"""Stack-based inverse tone mapping: one photo -> a longer and a shorter exposure -> HDR (Zhang et al.,
Revisiting the stack-based inverse tone mapping, CVPR 2023).

An up-exposure and a down-exposure model of one structure watch each other at every encoder level (CMAB) and
share a block that sees the whole photo (EAB); from it come the means S_j of the decoder's channels, which
set how far the exposure is moved. Images grow over five scales. A fusion model (MEFM) blends the three
exposures and turns codes into light.

No program was published and the text gives no widths. Choices:
- five encoder levels of 32, 64, 128, 192, 192 channels, four of them strided, because the progressive
  output has five scales; four decoder blocks with skips from the encoder, a 3x3 convolution each;
- the guide multiplies the input of every encoder convolution, the image too, resized to the level;
- S_j replaces the mean after the decoder block's activation;
- EAB with 64 channels, two Swin blocks (the second shifted), windows of 8, four heads;
- LeakyReLU 0.1 between convolutions; attention maps of one channel, as figure 9 shows them; channel attention
  with a reduction of 8; features reduced to half by the 1x1 convolutions of the cross-model attention; maps and
  global features resized bilinearly;
- sizes inside grow to a multiple of 16 by repeating the border;
- photos enter in sRGB codes, as the paper takes them from files; the light that comes out is 1 where the
  photo clips; predicted exposures are cut to 0..1 for the fusion, the progressive outputs are not.
6.9 million parameters in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional as F

from openhdr.models.layers.blocks import ImageConv, conv3x3, pad_to_multiple
from openhdr.models.layers.codes import srgb_to_linear
from openhdr.models.layers.swin import SwinBlock

WIDTHS = (32, 64, 128, 192, 192)  # of the encoder's levels, at 1/1 ... 1/16
GLOBAL_WIDTH = 64
DILATIONS = (1, 5, 9, 13)
REDUCTION = 8  # of the channel attention
VIEW = 256  # side of the exposure adaptive block's input, pixels

FUSION_WIDTH = 32
SRGB_CUBIC = (0.0, 0.012, 0.682, 0.306)
"""a0 ... a3 of the cubic closest to the sRGB decoding curve with its end points kept (largest error 0.002):
what the curve starts from. The paper gives no start."""

CODE_LOW, CODE_HIGH = 0.02, 0.98  # sRGB codes outside are as good as clipped: Debevec's weight is 0 there
LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class StackITMConfig:
    """The ablations of table 2; the defaults are the full system."""

    exposure_block: bool = True  # EAB with its global fusion and styles
    luminance_guided: bool = True  # LGC
    cross_attention: Literal["cross", "own", "none"] = "cross"  # own: CMAB without the opposite's features
    fusion: Literal["learned", "debevec"] = "learned"  # MEFM, or the classical weighted mean


# --- the exposure models: their blocks (sections 3.2 to 3.4) --------------------------------------


def leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.1, inplace=True)


def resize(x: torch.Tensor, size: torch.Size | tuple[int, int]) -> torch.Tensor:
    """Bilinear, antialiased when shrinking."""
    if (
        torch.compiler.is_exporting()
    ):  # an export must serve every size; enlarging, antialiasing changes nothing
        return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False, antialias=True)
    if x.shape[-2:] == torch.Size(size):
        return x
    shrinks = size[0] < x.shape[-2] or size[1] < x.shape[-1]
    wide = x.float() if shrinks else x  # antialiasing knows no 16-bit floats on a processor
    resized = F.interpolate(wide, size=tuple(size), mode="bilinear", align_corners=False, antialias=shrinks)
    return resized.to(x.dtype)


class GuidedConv(nn.Module):
    """Luminance-guided convolution, LGC: features times the guide, then a 3x3 convolution (section 3.2)."""

    def __init__(self, inputs: int, outputs: int, stride: int, guided: bool) -> None:
        super().__init__()
        self.guided = guided
        self.conv = conv3x3(inputs, outputs, stride)

    def forward(self, x: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        """x: (B, C, h, w). guide: (B, 1, H, W) 0..1. Returns (B, C', h / stride, w / stride)."""
        return leaky(self.conv(x * resize(guide, x.shape[-2:]) if self.guided else x))


class ChannelAttention(nn.Module):
    """CBAM's: the mean and the maximum of every channel go through one small MLP (Woo et al., ECCV 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = max(width // REDUCTION, 4)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same shape."""
        gate = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * gate[:, :, None, None]


class CrossModelAttention(nn.Module):
    """CMAB: one model's features, helped by the other model's of the same level (equations 1 to 3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.reduce = nn.ModuleList((nn.Conv2d(width, half, 1), nn.Conv2d(width, half, 1)))
        self.score = nn.ModuleList((nn.Conv2d(width, 1, 1), nn.Conv2d(width, 1, 1)))
        self.dilated = nn.ModuleList(conv3x3(width, width // 4, dilation=d) for d in DILATIONS)
        self.attention = ChannelAttention(width)
        self.output = nn.Conv2d(width, width, 1)

    def forward(self, current: torch.Tensor, opposite: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, C, H, W) twice -> features (B, C, H, W), and the maps M_cur and M_ref (B, 1, H, W) in 0..1."""
        reduced = [conv(x) for conv, x in zip(self.reduce, (current, opposite), strict=True)]
        both = torch.cat(reduced, 1)  # B C H W
        maps = [torch.sigmoid(conv(both)) for conv in self.score]
        both = torch.cat([m * x for m, x in zip(maps, reduced, strict=True)], 1)
        wide = torch.cat([leaky(conv(both)) for conv in self.dilated], 1)  # B C H W
        return self.output(self.attention(wide)) + current, *maps


class ExposureBlock(nn.Module):
    """Exposure adaptive block, EAB, shared: global features of the whole photo (section 3.4)."""

    def __init__(self, width: int, blocks: int, heads: int, window: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            (conv3x3(3, width // 2, 2), conv3x3(width // 2, width, 2), conv3x3(width, width))
        )
        self.blocks = nn.ModuleList(SwinBlock(width, heads, window, bool(i % 2)) for i in range(blocks))

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """(B, 3, 256, 256) -> F_glo (B, C, 64, 64)."""
        x = view
        for conv in self.convs:
            x = leaky(conv(x))
        for block in self.blocks:
            x = block(x)
        return x


class GlobalFusion(nn.Module):
    """Global feature fusion block, GFFB: the last encoder features beside the global ones."""

    def __init__(self, width: int, width_global: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width + width_global, width, 1)
        self.conv = conv3x3(width, width)

    def forward(self, encoded: torch.Tensor, glob: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w), (B, C', 64, 64) -> (B, C, h, w)."""
        x = torch.cat((encoded, resize(glob, encoded.shape[-2:])), 1)
        return leaky(self.conv(leaky(self.reduce(x))))


class Styles(nn.Module):
    """S_1 ... S_n, the means that the decoder's channels are given (equations 4 and 5).

    S_1 comes from the pooled global and encoder features, each further one linearly from the one before.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(*pair) for pair in pairwise((inputs, *widths)))

    def forward(self, glob: torch.Tensor, encoded: torch.Tensor) -> list[torch.Tensor]:
        """Features (B, C', 64, 64) and (B, C, h, w) -> n vectors (B, width)."""
        s = torch.cat((glob.mean((2, 3)), encoded.mean((2, 3))), 1)
        styles = []
        for linear in self.linear:
            s = linear(s)
            styles.append(s)
        return styles


def give_mean(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) with the mean of every channel replaced by (B, C): equation 6."""
    return x - x.mean((2, 3), keepdim=True) + mean[:, :, None, None]


class Encoder(nn.Module):
    """The contracting half of one exposure model, level by level."""

    def __init__(self, config: StackITMConfig) -> None:
        super().__init__()
        guided = config.luminance_guided
        self.convs = nn.ModuleList(
            GuidedConv(a, b, stride=1 + bool(i), guided=guided)
            for i, (a, b) in enumerate(pairwise((3, *WIDTHS)))
        )
        self.attend = nn.ModuleList(
            CrossModelAttention(width) for width in (WIDTHS if config.cross_attention != "none" else ())
        )


class Decoder(nn.Module):
    """The expanding half of one exposure model."""

    def __init__(self, config: StackITMConfig) -> None:
        super().__init__()
        narrowing = WIDTHS[::-1]
        if config.exposure_block:
            self.fuse = GlobalFusion(WIDTHS[-1], GLOBAL_WIDTH)
            self.styles = Styles(WIDTHS[-1] + GLOBAL_WIDTH, narrowing[1:])
        self.blocks = nn.ModuleList(conv3x3(a + b, b) for a, b in pairwise(narrowing))
        self.images = nn.ModuleList(ImageConv(width, 3, 1) for width in narrowing)

    def forward(self, levels: list[torch.Tensor], glob: torch.Tensor | None) -> dict[str, list[torch.Tensor]]:
        """levels: encoder features, finest first. glob: F_glo, None without EAB. Returns `progressive`, five
        images (B, 3, h, w) from coarse to fine; `styles`, S_1 ... S_4; `decoded`, the features of the four
        decoder blocks with the means S_j.
        """
        x = levels[-1]
        styles: list[torch.Tensor] = []
        if glob is not None:
            styles = self.styles(glob, x)
            x = self.fuse(x, glob)
        images, decoded = [self.images[0](x)], []
        for j, (block, skip) in enumerate(zip(self.blocks, levels[-2::-1], strict=True)):
            x = leaky(block(torch.cat((_twice(x), skip), 1)))
            x = give_mean(x, styles[j]) if styles else x
            decoded.append(x)
            images.append(self.images[j + 1](x) + _twice(images[-1]))  # equation 11
        return {"progressive": images, "styles": styles, "decoded": decoded}


def _twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


# --- fusion: three exposures -> light (section 3.5) -----------------------------------------------


class FusionModel(nn.Module):
    """MEFM: three masks that blend the exposures, and a cubic curve from the blend to light.

    As in ExpandNet, a local branch (3x3), a dilated branch (3x3, dilation 2) and a global branch (strided
    convolutions of the image at 256x256 down to a vector). Choices where figure 3 gives no numbers: 32
    channels; masks by softmax, so that they sum to one; the curve from the global vector, beginning as the
    sRGB curve.
    """

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.ModuleList((conv3x3(9, FUSION_WIDTH), conv3x3(FUSION_WIDTH, FUSION_WIDTH)))
        self.dilated = nn.ModuleList(
            conv3x3(FUSION_WIDTH if i else 9, FUSION_WIDTH, dilation=2) for i in range(3)
        )
        self.glob = nn.ModuleList(conv3x3(FUSION_WIDTH if i else 9, FUSION_WIDTH, stride=2) for i in range(6))
        self.merge = nn.Conv2d(3 * FUSION_WIDTH, FUSION_WIDTH, 1)
        self.masks = ImageConv(FUSION_WIDTH, 3, 1)
        self.curve = nn.Linear(FUSION_WIDTH, 4)
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


# --- the network ----------------------------------------------------------------------------------


class StackITM(nn.Module):
    """One photo -> HDR."""

    Config = StackITMConfig
    bounded = False
    encoding = "srgb"  # of the photo it takes; what it gives is linear

    def __init__(self, config: StackITMConfig) -> None:
        super().__init__()
        self.config = config
        self.encode_up, self.encode_down = Encoder(config), Encoder(config)
        self.decode_up, self.decode_down = Decoder(config), Decoder(config)
        if config.exposure_block:
            self.exposure_block = ExposureBlock(GLOBAL_WIDTH, blocks=2, heads=4, window=8)
        if config.fusion == "learned":
            self.fusion = FusionModel()

    def forward(
        self, image: torch.Tensor, return_parts: bool = False, view: torch.Tensor | None = None
    ) -> torch.Tensor | dict[str, Any]:
        """image: (B, 3, H, W) RGB 0..1, sRGB-coded. view: (B, 3, 256, 256), EAB's input; by default the
        image resized. Returns (B, 3, H, W) linear HDR, >= 0, 1.0 = the photo clips.

        With `return_parts` a dict: `out`; `exposure_up` and `exposure_down` (B, 3, H, W) codes 0..1; of the
        fusion model `fused`, `masks` (B, 3, H, W), `curve` (B, 4), or of the classical one `ev` (B, 2); and
        for each model, with the ending `_up` or `_down`: `progressive` (five images, unbounded, coarse to
        fine, of the padded size), `styles` (S_1 ... S_4), `decoded` (features with these means), `encoded`
        (features of five levels, fine to coarse), `attention` (M_cur, M_ref of every level).
        """
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, 2 ** (len(WIDTHS) - 1))
        glob = None
        if self.config.exposure_block:
            glob = self.exposure_block(resize(image, (VIEW, VIEW)) if view is None else view)
        parts: dict[str, Any] = dict(self._encode(padded))
        for name, decoder in (("up", self.decode_up), ("down", self.decode_down)):
            decoded = decoder(parts[f"encoded_{name}"], glob)
            parts |= {f"{part}_{name}": value for part, value in decoded.items()}
            exposure = parts[f"progressive_{name}"][-1][..., :height, :width]
            parts[f"exposure_{name}"] = exposure.clamp(0, 1)
        fuse = self.fusion if self.config.fusion == "learned" else debevec_fusion
        parts |= fuse(parts["exposure_up"], image, parts["exposure_down"])
        return parts if return_parts else parts["out"]

    def _encode(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Both encoders side by side, because each level of one looks at the same level of the other."""
        guide_up, guide_down = 1 - image.amin(1, keepdim=True), image.amax(1, keepdim=True)
        up = down = image
        parts: dict[str, Any] = {
            "encoded_up": [],
            "encoded_down": [],
            "attention_up": [],
            "attention_down": [],
        }
        for level in range(len(WIDTHS)):
            up = self.encode_up.convs[level](up, guide_up)
            down = self.encode_down.convs[level](down, guide_down)
            if self.config.cross_attention != "none":
                own = self.config.cross_attention == "own"
                beside_up, beside_down = (torch.zeros_like(x) if own else x for x in (down, up))
                (up, *maps_up), (down, *maps_down) = (
                    self.encode_up.attend[level](up, beside_up),
                    self.encode_down.attend[level](down, beside_down),
                )
                parts["attention_up"].append(tuple(maps_up))
                parts["attention_down"].append(tuple(maps_down))
            parts["encoded_up"].append(up)
            parts["encoded_down"].append(down)
        return parts

    @staticmethod
    def from_authors(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """None: the authors published no weights."""
        return None
