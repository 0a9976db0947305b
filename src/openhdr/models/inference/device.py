"""Where a network runs, how exactly, and in how many tiles at a time."""

from __future__ import annotations

import copy

import torch
from torch import nn

from openhdr.core.errors import RequestError
from openhdr.models.inference.run_options import RunOptions

TILE_PIXELS = 24_576
"""Area of a tile of one step: a few megabytes a tensor, which a core's caches can hold."""

DEVICE_TILE_PIXELS = 1 << 18
"""The same where memory is fast and steps cost more to start."""


def on_device(net: nn.Module, options: RunOptions) -> nn.Module:
    """A copy of a network in evaluation mode, where it is asked for. RequestError if that cannot be.

    Channels lie together, as convolutions want them: in blocks, or in bfloat16.
    """
    try:
        ready = copy.deepcopy(net).eval().to(torch.device(options.device))
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"device '{options.device}' cannot be used here; use cpu") from error
    return ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def arithmetic(options: RunOptions) -> torch.autocast:
    """Context in which convolutions and products of matrices are as exact as asked for; sums stay in float32.

    It holds for the thread that enters it.
    """
    exact = is_exact(options)
    dtype = torch.bfloat16 if exact else getattr(torch, options.precision)
    return torch.autocast(torch.device(options.device).type, dtype, enabled=not exact)


def is_exact(options: RunOptions) -> bool:
    """Whether products are float32, as `auto` is unless a runner has chosen for it."""
    return options.precision in ("auto", "float32")


def multiplies_bfloat16(options: RunOptions) -> bool:
    """Whether the network runs on a processor with instructions for products of bfloat16."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.6 has none
    return options.device == "cpu" and bool(capabilities.get("avx512_bf16"))


def threads_of(options: RunOptions) -> int:
    """Tiles worked on at a time: an accelerator takes one."""
    return (options.threads or torch.get_num_threads()) if options.device == "cpu" else 1


def tile_pixels(options: RunOptions) -> int:
    return TILE_PIXELS if options.device == "cpu" else DEVICE_TILE_PIXELS
