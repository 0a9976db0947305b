"""Liang, Xu, Zhang, Yue, Zhang, "A Hybrid l1-l0 Layer Decomposition Model for Tone Mapping", CVPR 2018.

Written from the paper's model; details it leaves open are settled by measured outputs of the authors'
program. Sides that are multiples of four agree with them: pixels to float32 rounding (3e-8), means to 1e-10.
Other sides were not compared. Log luminance s is split twice:

    base 1 = argmin |s - b|^2 / 2 + 0.3 |grad b|_1 + 0.003 |grad (s - b)|_0        detail 1 = s - base 1
    base 2 = total variation smoothing of base 1, at a quarter of its size          detail 2 = base 1 - base 2

and put together again with a compressed base and a slightly boosted, compressed detail 1. Luminance is the
largest channel (the V of HSV); hue is kept and saturation multiplied by 0.6. Everything inside is float64.

Limits: the offset of the logarithm is absolute, so the scale of the picture matters; the curve depends on the
picture's extremes and percentiles. The Fourier solver makes it slow and memory-hungry on large pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.color.bilateral_grid import joint_bilateral
from openhdr.color.resize import resize


@dataclass(frozen=True)
class LiangOptions:
    """The constants of the paper and of the authors' demonstration; log luminance is scaled to 0..1."""

    offset: float = 1e-4  # added to the luminance before the logarithm
    base_smoothness: float = 0.3  # weight of |grad base 1|_1
    detail_sparsity: float = 0.003  # weight of |grad detail 1|_0
    steps: int = 15
    growth: float = 4.0  # of the splitting penalty, each step
    coarse_smoothness: float = 0.1  # weight of |grad base 2|_1
    coarse_steps: int = 10
    coarse_growth: float = 2.0
    coarse_shrink: int = 4
    guide_spatial: float = 0.01  # sigma of the joint bilateral filter as a share of the smaller side
    guide_tonal: float = 0.05
    base_gain: float = 0.8
    base_gamma: float = 2.2
    detail_gain: float = 1.2
    detail_gamma: float = 0.8
    clip: float = 0.005  # share of the pixels clipped at each end
    saturation: float = 0.6


DEFAULTS = LiangOptions()


def liang_tonemap(linear: np.ndarray, options: LiangOptions = DEFAULTS) -> np.ndarray:
    """The whole pipeline in float64, for the operator `liang` and for the metrics tm-psnr and tm-ssim.

    linear: (H, W, 3) float, linear RGB >= 0, finite; the published results scale it to a maximum of 1.
    Returns (H, W, 3) float64, 0..1, display-ready. A black picture stays black; a constant one becomes 0.5.
    """
    rgb = np.asarray(linear, np.float64)
    value = rgb.max(axis=2)
    if value.max() <= 0:
        return np.zeros_like(rgb)
    tone = _compose(*decompose(value, options), options)
    spread = value - rgb.min(axis=2)  # saturation of HSV is spread / value
    share = options.saturation * (value[..., None] - rgb) / np.where(value > 0, value, 1)[..., None]
    share[spread <= 0] = 0
    return tone[..., None] * (1 - share)


def decompose(
    value: np.ndarray, options: LiangOptions = DEFAULTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W) float64 luminance -> detail 1, detail 2, base 2; they add up to log luminance scaled to 0..1."""
    signal = _unit_range(np.log(value + options.offset))
    base1 = _split(signal, options.base_smoothness, options.detail_sparsity, options.steps, options.growth)
    base2 = _coarse_base(base1, options)
    return signal - base1, base1 - base2, base2


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


def _unit_range(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _split(signal: np.ndarray, smoothness: float, sparsity: float, steps: int, growth: float) -> np.ndarray:
    """Base layer by the alternating direction method of multipliers.

    With c1 for grad b and c2 for grad (s - b), multipliers y1, y2 and penalty m, each step solves
    (1 + n m G'G) b = s + G'(m c1 + y1) + G'(m (Gs - c2) - y2) by Fourier transform (periodic borders; n = 2,
    or 1 without the l0 term), then shrinks: c1 softly by smoothness / m, c2 hard at c2^2 = 2 sparsity / m.
    Both multipliers become -m times what the shrinking took away. sparsity 0 leaves the l0 term out.
    """
    terms = 2 if sparsity else 1
    spectrum = np.fft.rfft2(signal)
    system = _gradient_power(signal.shape)
    slopes = [_forward(signal, axis) for axis in (0, 1)]
    pull = [slope if sparsity else np.zeros_like(slope) for slope in slopes]  # c1 = c2 = y1 = y2 = 0, m = 1
    soft_multiplier, hard_multiplier = [0.0, 0.0], [0.0, 0.0]
    penalty = 1.0
    for _ in range(steps):
        source = np.fft.rfft2(_forward_adjoint(pull[0], 0) + _forward_adjoint(pull[1], 1))
        base = np.fft.irfft2((spectrum + source) / (1 + terms * penalty * system), s=signal.shape)
        for axis in (0, 1):
            slope = _forward(base, axis)
            wanted = slope - soft_multiplier[axis] / penalty
            taken = np.clip(wanted, -smoothness / penalty, smoothness / penalty)
            soft_multiplier[axis] = -penalty * taken
            pull[axis] = penalty * growth * (wanted - taken) + soft_multiplier[axis]
            if sparsity:
                wanted = slopes[axis] - slope - hard_multiplier[axis] / penalty
                taken = np.where(wanted**2 > 2 * sparsity / penalty, 0, wanted)
                hard_multiplier[axis] = -penalty * taken
                pull[axis] += penalty * growth * (slopes[axis] - wanted + taken) - hard_multiplier[axis]
        penalty *= growth
    return base


def _forward(values: np.ndarray, axis: int) -> np.ndarray:
    """Forward difference with periodic border."""
    return np.roll(values, -1, axis) - values


def _forward_adjoint(values: np.ndarray, axis: int) -> np.ndarray:
    return np.roll(values, 1, axis) - values


def _gradient_power(shape: tuple[int, int]) -> np.ndarray:
    """Eigenvalues of the sum of adjoint times forward differences, laid out as rfft2 gives frequencies."""
    rows = 2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(shape[0]))
    columns = 2 - 2 * np.cos(2 * np.pi * np.fft.rfftfreq(shape[1]))
    return rows[:, None] + columns


def _coarse_base(base1: np.ndarray, options: LiangOptions) -> np.ndarray:
    small_shape = tuple(-(-side // options.coarse_shrink) for side in base1.shape)
    small = resize(base1, small_shape, "linear", 1 / options.coarse_shrink)
    small = _split(small, options.coarse_smoothness, 0.0, options.coarse_steps, options.coarse_growth)
    smooth = resize(small, base1.shape, "linear")
    # Below one pixel the grid would have more cells than the picture pixels; only sides under 100 px meet
    # this.
    spatial_px = max(options.guide_spatial * min(base1.shape), 1.0)
    return joint_bilateral(smooth, _unit_range(base1), spatial_px, options.guide_tonal)
