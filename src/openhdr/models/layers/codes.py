"""How codes stand for light, on tensors, with gradients: exposure alignment, and sRGB's curve (IEC 61966-2-1)."""

from __future__ import annotations

import torch

from openhdr.color.transfer import (
    NETWORK_GAMMA,
    SRGB_CODE_BREAK,
    SRGB_GAMMA,
    SRGB_LINEAR_BREAK,
    SRGB_OFFSET,
    SRGB_SLOPE,
)


def align_exposure(frames: torch.Tensor, ev: torch.Tensor, gamma: float = NETWORK_GAMMA) -> torch.Tensor:
    """Scale gamma-coded frames to the exposure of a frame of EV 0; not clamped, so short frames pass 1.

    frames: (B, N, 3, H, W) float, gamma-coded, >= 0. ev: (B, N) stops. Returns the shape of `frames`.

    The definition is ((x ** g) * 2 ** -ev) ** (1 / g), which is x * 2 ** (-ev / g) for x >= 0: one
    multiplication instead of two powers. (The papers write x ** g / t, linear light; their code and the
    challenge's stay in the gamma domain.)
    """
    scale = torch.exp2(-ev.to(frames.dtype) / gamma)
    return frames * scale[..., None, None, None]


def srgb_to_linear(code: torch.Tensor) -> torch.Tensor:
    """Any shape, 0..1 -> 0..1."""
    curve = ((code.clamp(min=SRGB_CODE_BREAK) + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_GAMMA
    return torch.where(code <= SRGB_CODE_BREAK, code / SRGB_SLOPE, curve)


def linear_to_srgb(light: torch.Tensor) -> torch.Tensor:
    """Any shape, 0..1 -> 0..1; the power curve goes on above."""
    curve = (1 + SRGB_OFFSET) * light.clamp(min=SRGB_LINEAR_BREAK) ** (1 / SRGB_GAMMA) - SRGB_OFFSET
    return torch.where(light <= SRGB_LINEAR_BREAK, SRGB_SLOPE * light, curve)
