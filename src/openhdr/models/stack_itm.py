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
  photo clips; predicted exposures are cut to 0..1 for the fusion, the progressive outputs are not;
- on request (`measured = "kept"`) light that the photo measured stays as it is: the fusion, with one mask for three
  colours and one cubic, cannot give it back exactly.
6.9 million parameters in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import nn

from openhdr.models.layers.blocks import ImageConv, conv3x3, leaky, pad_to_multiple, resize, twice
from openhdr.models.layers.codes import srgb_to_linear
from openhdr.models.layers.exposure_fusion import VIEW, FusionModel, debevec_fusion
from openhdr.models.layers.measured import Measured, keep_measured
from openhdr.models.layers.swin import SwinBlock

WIDTHS = (32, 64, 128, 192, 192)  # of the encoder's levels, at 1/1 ... 1/16
GLOBAL_WIDTH = 64
DILATIONS = (1, 5, 9, 13)
REDUCTION = 8  # of the channel attention


@dataclass(frozen=True)
class StackITMConfig:
    """The ablations of table 2, and one option of ours; the defaults are the full system as the paper has it."""

    exposure_block: bool = True  # EAB with its global fusion and styles
    luminance_guided: bool = True  # LGC
    cross_attention: Literal["cross", "own", "none"] = "cross"  # own: CMAB without the opposite's features
    fusion: Literal["learned", "debevec"] = "learned"  # MEFM, or the classical weighted mean
    measured: Measured = "painted"  # kept: light that the photo measured stays (layers.measured)


# --- the exposure models: their blocks (sections 3.2 to 3.4) --------------------------------------


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
            x = leaky(block(torch.cat((twice(x), skip), 1)))
            x = give_mean(x, styles[j]) if styles else x
            decoded.append(x)
            images.append(self.images[j + 1](x) + twice(images[-1]))  # equation 11
        return {"progressive": images, "styles": styles, "decoded": decoded}


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
        if self.config.measured == "kept":
            parts["out"] = keep_measured(srgb_to_linear(image), parts["out"])
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
