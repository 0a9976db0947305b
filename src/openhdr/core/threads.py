"""Work spread over the processor's cores; NumPy and OpenCV let go of the interpreter while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from openhdr.core.memory import keep

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """[function(item) for item in items], computed on all cores; order and results do not depend on them."""
    keep(cores())
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


THREADS = "OPENHDR_THREADS"
"""Environment variable: how many cores to use at most."""


def cores() -> int:
    """How many cores this process may use."""
    setting = os.environ.get(THREADS, "")
    if setting.isdecimal() and int(setting):
        return int(setting)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
