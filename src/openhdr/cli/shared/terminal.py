"""What commands show: tables, JSON, notes, a progress bar."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from openhdr.core import progress
from openhdr.core.config import plain
from openhdr.core.errors import printable

FIRST_SIGN_S = 0.3  # shorter work shows no bar


def echo_json(facts: Any) -> None:
    """Print `facts` as indented JSON on stdout; infinities become the strings "inf" and "-inf"."""
    finite = plain(facts, lambda number: number if math.isfinite(number) else str(number))
    click.echo(json.dumps(finite, indent=2, allow_nan=False))


def echo_notes(name: str, notes: tuple[str, ...]) -> None:
    """Say on stderr what was changed or assumed about a file."""
    for note in notes:
        click.echo(printable(f"note: {name}: {note}" if name else f"note: {note}"), err=True)


def echo_notes_of_files(written: Iterable[tuple[Path, tuple[str, ...]]]) -> None:
    """Say what was changed in each of some files; what holds for several is said of the first."""
    said: set[str] = set()
    for path, notes in written:
        echo_notes(path.name, tuple(note for note in notes if note not in said))
        said.update(notes)


def echo_written(paths: Iterable[Path | None]) -> None:
    """Name the files, None = not asked for, that stand beside a result."""
    names = ", ".join(str(path) for path in paths if path)
    if names:
        click.echo(printable(f"also written: {names}"))


def format_table(rows: list[dict[str, str]]) -> str:
    """Left-aligned plain text table; the keys of the first row are the head. Columns without a word are left out."""
    if not rows:
        return ""
    rows = [{head: printable(cell) for head, cell in row.items()} for row in rows]
    heads = [head for head in rows[0] if any(row[head] for row in rows)]
    widths = [max(len(head), *(len(row[head]) for row in rows)) for head in heads]
    lines = [heads, *([row[head] for head in heads] for row in rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show on stderr what is being done, on a terminal only, from FIRST_SIGN_S on until the block ends."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    waiting = bar.add_task("starting", total=None)

    @contextmanager
    def shown(label: str, total: int) -> Iterator[progress.Advance]:
        bar.update(waiting, visible=False)
        identifier = bar.add_task(label, total=total)
        try:
            yield partial(bar.advance, identifier)
        finally:
            bar.remove_task(identifier)

    # a timer, because the first step may itself take long
    first_sign = threading.Timer(FIRST_SIGN_S, bar.start)
    first_sign.start()
    try:
        with progress.listening(shown):
            yield
    finally:
        first_sign.cancel()
        first_sign.join()
        bar.stop()
