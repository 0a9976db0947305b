"""Luminance split into a base and two details, by l1 and l0 norms of their gradients.

Liang, Xu, Zhang, Yue, Zhang, "A Hybrid l1-l0 Layer Decomposition Model for Tone Mapping", CVPR 2018. Log luminance s
is split twice:

    base 1 = argmin |s - b|^2 / 2 + 0.3 |grad b|_1 + 0.003 |grad (s - b)|_0        detail 1 = s - base 1
    base 2 = total variation smoothing of base 1, at a quarter of its size          detail 2 = base 1 - base 2

Everything inside is float64. The Fourier solver makes it slow and memory-hungry on large images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.filters.bilateral_grid import joint_bilateral
from openhdr.filters.resize import resize


@dataclass(frozen=True)
class SplitOptions:
    """The constants of the paper and of the authors' demonstration, for log luminance scaled to 0..1."""

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


DEFAULTS = SplitOptions()


def decompose(
    value: np.ndarray, options: SplitOptions = DEFAULTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W) float64 luminance -> detail 1, detail 2, base 2; they add up to log luminance scaled to 0..1."""
    signal = _unit_range(np.log(value + options.offset))
    base1 = _split(signal, options.base_smoothness, options.detail_sparsity, options.steps, options.growth)
    base2 = _coarse_base(base1, options)
    return signal - base1, base1 - base2, base2


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
    soft_multiplier: list[np.ndarray | float] = [0.0, 0.0]
    hard_multiplier: list[np.ndarray | float] = [0.0, 0.0]
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


def _coarse_base(base1: np.ndarray, options: SplitOptions) -> np.ndarray:
    small_shape = tuple(-(-side // options.coarse_shrink) for side in base1.shape)
    small = resize(base1, small_shape, "linear", 1 / options.coarse_shrink)
    small = _split(small, options.coarse_smoothness, 0.0, options.coarse_steps, options.coarse_growth)
    smooth = resize(small, base1.shape, "linear")
    # Below one pixel the grid would have more cells than the picture pixels; only sides under 100 px meet
    # this.
    spatial_px = max(options.guide_spatial * min(base1.shape), 1.0)
    return joint_bilateral(smooth, _unit_range(base1), spatial_px, options.guide_tonal)
