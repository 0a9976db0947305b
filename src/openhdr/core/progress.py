"""Progress of long work, without threading a callback through every function.

Work announces itself with `with task("merging", total=10) as advance:` and calls `advance()` after each
step. Nothing is shown unless a listener is installed (the command line installs a bar on stderr).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Advance = Callable[[], None]
Listener = Callable[[str, int], AbstractContextManager[Advance]]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


def task(label: str, total: int) -> AbstractContextManager[Advance]:
    """Announce `total` steps of work called `label`; the value of the `with` block advances by one step."""
    listener = _listener.get()
    return listener(label, total) if listener else nullcontext(lambda: None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send the tasks announced inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
