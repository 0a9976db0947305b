"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's mallopt


def give_back() -> None:
    """Return freed memory at once, where the C library would keep it for later (glibc).

    Between two steps of a merge that is half a gigabyte which the next step would only add to.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return


@cache
def keep(heaps: int) -> None:
    """Let threads share so many heaps, and let these keep what is freed until `give_back` (glibc).

    Threads come and go with every step of a merge, and what they freed would stay with heaps of their own that nobody
    uses; while steps run, memory that went back to the system costs as much time as what is computed in it.
    """
    for name, value in ((_ARENA_MAX, heaps), (_MMAP_THRESHOLD, 1 << 25), (_TRIM_THRESHOLD, 1 << 30)):
        try:
            ctypes.CDLL(None).mallopt(name, value)
        except (AttributeError, OSError, TypeError):  # not the GNU C library
            return
