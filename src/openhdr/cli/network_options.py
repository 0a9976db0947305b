"""The options of commands that may run a network: its weights, where, how exactly, in how much memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option("--weights", help="Of a network: the name of shipped weights, or a file."),
    click.option("--device", default="cpu", show_default=True, help="Of a network: cpu, cuda, cuda:1, mps."),
    click.option(
        "--precision",
        default="float32",
        show_default=True,
        help="Of a network: float32, bfloat16 or float16; the short ones are faster where the hardware has them.",
    ),
    click.option(
        "--memory", default=2.4, show_default=True, help="Of a network: GB for images and all between."
    ),
)


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --weights, --device, --precision and --memory to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
