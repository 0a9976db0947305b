"""Liang, Xu, Zhang, Yue, Zhang, "A Hybrid l1-l0 Layer Decomposition Model for Tone Mapping", CVPR 2018.

Written from the paper's model; details it leaves open are settled by measured outputs of the authors'
program. Sides that are multiples of four agree with them: pixels to float32 rounding (3e-8), means to 1e-10.
Other sides were not compared. Log luminance is split into a base and two details (filters/l1_l0.py) and put together
again with a compressed base and a slightly boosted, compressed first detail. Luminance is the largest channel (the V
of HSV); hue is kept and saturation multiplied by 0.6. Everything inside is float64.

Limits: the offset of the logarithm is absolute, so the scale of the image matters; the curve depends on the
image's extremes and percentiles. Slow and memory-hungry on large images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.filters import l1_l0


@dataclass(frozen=True)
class LiangOptions:
    """The constants of the paper and of the authors' demonstration."""

    split: l1_l0.SplitOptions = l1_l0.DEFAULTS
    base_gain: float = 0.8
    base_gamma: float = 2.2
    detail_gain: float = 1.2
    detail_gamma: float = 0.8
    clip: float = 0.005  # share of the pixels clipped at each end
    saturation: float = 0.6


DEFAULTS = LiangOptions()


def liang(linear: np.ndarray, options: LiangOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, display-ready as sRGB codes."""
    return liang_tonemap(linear, options).astype(np.float32)


def liang_tonemap(linear: np.ndarray, options: LiangOptions = DEFAULTS) -> np.ndarray:
    """The whole pipeline in float64, for the operator `liang` and for the metrics tm-psnr and tm-ssim.

    linear: (H, W, 3) float, linear RGB >= 0, finite; the published results scale it to a maximum of 1.
    Returns (H, W, 3) float64, 0..1, display-ready. A black picture stays black; a constant one becomes 0.5.
    """
    rgb = np.asarray(linear, np.float64)
    value = rgb.max(axis=2)
    if value.max() <= 0:
        return np.zeros_like(rgb)
    tone = _compose(*l1_l0.decompose(value, options.split), options)
    spread = value - rgb.min(axis=2)  # saturation of HSV is spread / value
    share = options.saturation * (value[..., None] - rgb) / np.where(value > 0, value, 1)[..., None]
    share[spread <= 0] = 0
    return tone[..., None] * (1 - share)


def _compose(
    detail1: np.ndarray, detail2: np.ndarray, base2: np.ndarray, options: LiangOptions
) -> np.ndarray:
    """(H, W) float64 0..1: compressed base, detail, and the ends clipped."""
    tone = options.base_gain * np.maximum(base2, 0) ** (1 / options.base_gamma) + detail2
    tone += options.detail_gain * _compress_detail(detail1, options.detail_gamma)
    ordered = np.sort(tone, axis=None)
    low, high = (ordered[_half_up(share * tone.size) - 1] for share in (options.clip, 1 - options.clip))
    if high <= low:
        return np.full_like(tone, 0.5)
    return np.clip((tone - low) / (high - low), 0, 1)


def _compress_detail(detail: np.ndarray, gamma: float) -> np.ndarray:
    """sign(d) s (|d| / s)^gamma with s the largest detail; negative detail beyond -s stays as it is."""
    largest = detail.max()
    if largest <= 0:
        return detail
    size = np.abs(detail)
    return np.sign(detail) * np.where(
        size <= largest, largest * (np.minimum(size, largest) / largest) ** gamma, size
    )


def _half_up(position: float) -> int:
    return max(math.floor(position + 0.5), 1)
