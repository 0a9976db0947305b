"""One job for each of several files: finish the others when one fails, name those that failed, exit with 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from openhdr.cli import worded
from openhdr.core import progress
from openhdr.core.errors import OpenHDRError

Result = TypeVar("Result")


def each(label: str, jobs: Iterable[tuple[Any, ...]], work: Callable[..., Result]) -> list[Result]:
    """Run `work(*job)` for every job and return what those gave that succeeded.

    An error the user can mend is printed at once; after the last job the command then exits with 2.
    """
    jobs = list(jobs)
    results, failed = [], []
    with progress.task(label, len(jobs)) as advance:
        for job in jobs:
            try:
                results.append(work(*job))
            except OpenHDRError as error:
                if len(jobs) == 1:
                    raise
                failed.append(str(job[0]))
                said = worded(error, click.get_current_context().command)
                click.echo(f"openhdr: error: {' '.join(said.split())}", err=True)
            advance()
    if failed:
        sys.stderr.flush()
        click.get_current_context().call_on_close(lambda: _give_up(failed, len(jobs)))
    return results


def _give_up(failed: list[str], count: int) -> None:
    done = "the others are done" if len(failed) < count else "nothing was done"
    raise OpenHDRError(f"{len(failed)} of {count} files failed: {', '.join(failed)}; {done}")
