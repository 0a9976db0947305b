"""How long a call takes and how much memory it needs at most."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from openhdr.core.memory import give_back

T = TypeVar("T")

_CLEAR_PEAK = "5"  # written to clear_refs: forget the process's highest memory so far (Linux)


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What a call gave and needed.

    time_s: wall clock. cpu_s: processor time of all threads, which other programs disturb less. peak_mb: 1e6
    bytes of memory that the call needed above what was in use when it began, or None where the system does
    not report it (Linux does).
    """

    value: T
    time_s: float
    cpu_s: float
    peak_mb: float | None


def measure(call: Callable[[], T]) -> Measured[T]:
    """Run `call` once. Another thread's memory counts too, so nothing else should run."""
    gc.collect()
    give_back()  # freed memory that the C library keeps would hide that the call needs it
    before = _status_bytes("VmRSS") if _forget_peak() else None
    start, start_cpu = time.perf_counter(), _processor_seconds()
    value = call()
    time_s, cpu_s = time.perf_counter() - start, _processor_seconds() - start_cpu
    peak = None if before is None else max(0.0, (_status_bytes("VmHWM") - before) / 1e6)
    return Measured(value, time_s, cpu_s, peak)


def _processor_seconds() -> float:
    """Of this process, and of programs that it ran and that have ended."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def _forget_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text(_CLEAR_PEAK)
    except OSError:
        return False
    return True


def _status_bytes(name: str) -> int:
    """A line of /proc/self/status, which counts in kB = 1024 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")
