"""Exposure alignment: what each photo would record at EV 0, in the networks' gamma-coded domain."""

from __future__ import annotations

import torch

from openhdr.color.transfer import NETWORK_GAMMA


def align_exposure(frames: torch.Tensor, ev: torch.Tensor, gamma: float = NETWORK_GAMMA) -> torch.Tensor:
    """Scale gamma-coded frames to the exposure of a frame of EV 0; not clamped, so short frames pass 1.

    frames: (B, N, 3, H, W) float, gamma-coded, >= 0. ev: (B, N) stops. Returns the shape of `frames`.

    The definition is ((x ** g) * 2 ** -ev) ** (1 / g), which is x * 2 ** (-ev / g) for x >= 0: one
    multiplication instead of two powers. (The papers write x ** g / t, linear light; their code and the
    challenge's stay in the gamma domain.)
    """
    scale = torch.exp2(-ev.to(frames.dtype) / gamma)
    return frames * scale[..., None, None, None]
