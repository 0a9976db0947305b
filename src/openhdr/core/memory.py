"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
from functools import cache

_MOST_HEAPS = -8  # M_ARENA_MAX of glibc's mallopt


def give_back() -> None:
    """Return freed memory at once, where the C library would keep it for later (glibc).

    Between two steps of a merge that is half a gigabyte which the next step would only add to.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return


@cache
def share_heaps(most: int) -> None:
    """Let threads take memory from so many heaps at most, where each would have its own (glibc).

    Threads come and go with every step of a merge, and what they freed would stay with heaps that nobody uses.
    """
    try:
        ctypes.CDLL(None).mallopt(_MOST_HEAPS, most)
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return
