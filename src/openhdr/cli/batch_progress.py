"""How far a batch is, on a terminal: results, time left, results a minute, failures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from openhdr.core.errors import printable

if TYPE_CHECKING:
    from openhdr.batch.job import Record


@contextmanager
def results_bar(total: int) -> Iterator[Callable[[Record], None]]:
    """Progress on a terminal: time left, results a minute, failures. Failures are printed at once."""
    failed = 0
    began = time.monotonic()
    bar: Any = None
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("merging"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        bar = Progress(
            *columns, TextColumn("{task.description}"), console=Console(stderr=True), transient=True
        )
        bar.start()
        identifier = bar.add_task("", total=total)

    done = 0

    def advance(record: Record) -> None:
        nonlocal failed, done
        done += 1
        failed += record.status == "failed"
        if record.status == "failed":
            said = printable(f"failed: {record.name}: {record.error}")
            bar.console.print(said, markup=False, highlight=False) if bar else click.echo(said, err=True)
        if bar:
            rate = 60 * done / (time.monotonic() - began)
            bar.update(
                identifier,
                advance=1,
                description=f"{rate:.3g} a minute" + (f", {failed} failed" if failed else ""),
            )

    try:
        yield advance
    finally:
        if bar:
            bar.stop()
