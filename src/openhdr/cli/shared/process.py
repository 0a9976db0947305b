"""The process that runs a command: its standard streams, the signals that end it, and where files are decoded."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any

import click

ENDING = ("SIGTERM", "SIGHUP")  # the second is not known to every system


def prepare() -> None:
    """Make the process safe to stop and to print from. To be called once, before anything else."""
    for descriptor in range(3):  # else the next file that is opened would get what decoders print
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (None where it is closed; kept to the end)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    streams: tuple[Any, Any] = (sys.stdout, sys.stderr)
    for stream in streams:
        with contextlib.suppress(AttributeError):  # a test's own
            stream.reconfigure(errors="backslashreplace")  # file names may hold what no encoding has
    for name in ENDING:
        with contextlib.suppress(AttributeError, ValueError):  # ValueError: not the main thread
            signal.signal(getattr(signal, name), _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that unfinished files are removed."""
    sys.exit(128 + number)


def silence_stdout() -> None:
    """Let nothing more reach standard output, whose reader is gone: the interpreter flushes it once more at its end."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _isolate(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        from openhdr.io import isolated

        os.environ[isolated.VARIABLE] = "1"


isolate_option = click.option(
    "--isolate",
    is_flag=True,
    expose_value=False,
    callback=_isolate,
    help="Decode files in a child process with limits on memory and time, for photos from strangers.",
)
"""Adds --isolate to a command."""
