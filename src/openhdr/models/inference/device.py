"""Where a network runs, how exactly, and in how many tiles at a time."""

from __future__ import annotations

import copy

import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.models.inference.options import RunOptions

TILE_PIXELS = 24_576
"""Area of a tile of one step: a few megabytes a tensor, which a core's caches can hold."""

DEVICE_TILE_PIXELS = 1 << 18
"""The same where memory is fast and steps cost more to start."""


def on_device(net: nn.Module, options: RunOptions) -> nn.Module:
    """A copy of a network in evaluation mode, where and as exact as asked for. RequestError if that cannot be."""
    try:
        device = torch.device(options.device)
        return copy.deepcopy(net).eval().to(device=device, dtype=getattr(torch, options.precision))
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"device '{options.device}' cannot be used here; use cpu") from error


def threads_of(options: RunOptions) -> int:
    """Tiles worked on at a time: an accelerator takes one."""
    return (options.threads or torch.get_num_threads()) if options.device == "cpu" else 1


def tile_pixels(options: RunOptions) -> int:
    return TILE_PIXELS if options.device == "cpu" else DEVICE_TILE_PIXELS
