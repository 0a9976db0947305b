"""How far a batch is, on a terminal: results, time left, results a minute, failures."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openhdr.batch.job import Record


@contextmanager
def results_bar(total: int) -> Iterator[Callable[[Record], None]]:
    """Give a function that is to be called with every record. Nothing is shown in a pipe."""
    if not sys.stderr.isatty():
        yield lambda record: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    began, counts = time.monotonic(), Counter[str]()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(record: Record) -> None:
            counts[record.status] += 1
            rate = 60 * counts.total() / (time.monotonic() - began)
            failed = f", {counts['failed']} failed" if counts["failed"] else ""
            bar.update(task, advance=1, description=f"{rate:.3g} a minute{failed}")

        yield advance
