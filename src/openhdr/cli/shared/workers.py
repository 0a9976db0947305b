"""Work handed out to processes of this machine, or to a cluster: options, and how far it is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.core.errors import OpenHDRError, RequestError, printable
from openhdr.core.files import make_folder, write_whole
from openhdr.core.options import option
from openhdr.core.version import __version__

if TYPE_CHECKING:
    from openhdr.batch.run import WorkT
    from openhdr.bench.case import Case
    from openhdr.bench.load_case import CaseSource
    from openhdr.bench.trial import Make, Outcome, Trial
    from openhdr.bench.without_truth.page import Make as PieceMake

TRIAL = "openhdr.bench.trial:outcome_of"
SIZED = 100  # pieces of work whose needs tell how many fit into memory


@dataclass(frozen=True)
class WorkerOptions:
    """Who does the work. Raises RequestError for fewer than one worker, or for both."""

    workers: int | None = option(
        "Results made at a time, each on one core.  [default: as many as cores and memory allow]", None
    )
    cluster: str | None = option(
        "Address of a Dask scheduler whose workers do the work (tcp://host:8786).", None
    )

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise RequestError(f"`workers={self.workers}`: expected 1 or more")
        if self.workers is not None and self.cluster:
            raise RequestError("`workers`: a cluster has its own workers; leave it out")


@contextmanager
def done_by(
    options: WorkerOptions,
    work: Sequence[WorkT],
    need: Callable[[WorkT, int], float],
    failed: Callable[[Any], bool],
    alone: bool = False,
) -> Iterator[Iterator[tuple[WorkT, Any]]]:
    """Each piece of work with its answer, as it is finished; a bar shows how far it is. When the block is left, what
    still works is ended.

    need: GB that a piece takes on so many cores. failed: whether an answer tells of a failure. alone: one at a time, on
    all cores, unless the options say how many.
    """
    from openhdr.batch import run

    threads = 1
    with ExitStack() as stack:
        if options.cluster:
            make = stack.enter_context(run.on_cluster(options.cluster))
        else:
            some = () if alone else work[:: max(len(work) // SIZED, 1)]
            workers = run.Workers.for_needs((need(one, 1) for one in some), options.workers, alone)
            threads = workers.threads
            make = stack.enter_context(run.on_this_machine(workers))
        advance = stack.enter_context(results_bar(len(work)))

        def watched() -> Iterator[tuple[WorkT, Any]]:
            for one, answer in make((one, need(one, threads)) for one in work):
                advance(failed(answer))
                yield one, answer

        yield watched()


def trials_by(options: WorkerOptions, source: CaseSource, case: Case) -> Make:
    """Trials of a benchmark carried out by whom the options say, one at a time unless they say more."""
    from openhdr.batch.run import Call

    @contextmanager
    def make(trials: list[Trial]) -> Iterator[Iterator[tuple[Trial, Outcome]]]:
        shared = {"source": asdict(source), "columns": [asdict(one) for one in case.columns]}
        calls = [Call(TRIAL, {**shared, "trial": asdict(one)}, one.device) for one in trials]
        of = {id(call): trial for call, trial in zip(calls, trials, strict=True)}
        with done_by(options, calls, lambda call, threads: 0.0, failed, alone=True) as outcomes:
            yield ((of[id(call)], outcome) for call, outcome in outcomes)

    def failed(outcome: Outcome) -> bool:
        return "error" in outcome or "error" in (outcome["run"] or {})

    return make


def pieces_by(options: WorkerOptions, folder: Path, resume: bool) -> PieceMake:
    """Pieces of a comparison made by whom the options say, one at a time unless they say more.

    Answers are kept in FOLDER/parts. resume: one to the same question, in which nothing failed, is not asked for again.
    """
    from openhdr import provenance
    from openhdr.batch.run import Call
    from openhdr.bench.methods.settings import Setting, weights_sha256
    from openhdr.core.config import plain
    from openhdr.data.files import read_json

    def question(given: dict[str, Any]) -> dict[str, Any]:
        weights = [weights_sha256(Setting(**one)) for one in given["settings"]]
        about = {"weights": weights, "openhdr": __version__, "commit": provenance.commit()}
        return {"given": plain(given), **about}

    @contextmanager
    def make(target: str, given: dict[str, dict[str, Any]]) -> Iterator[Iterator[tuple[str, Any]]]:
        make_folder(folder / "parts")
        files = {name: folder / "parts" / f"{name}.json" for name in given}
        known = {
            name: answer
            for name, file in files.items()
            if resume and (answer := kept(file, question(given[name]))) and not failed(answer)
        }
        calls = {name: Call(target, one, in_steps=True) for name, one in given.items() if name not in known}
        of = {id(call): name for name, call in calls.items()}
        with done_by(options, list(calls.values()), lambda call, threads: 0.0, failed, alone=True) as answers:

            def all_answers() -> Iterator[tuple[str, Any]]:
                yield from known.items()
                for call, answer in answers:
                    name = of[id(call)]
                    content = {"question": question(given[name]), "answer": answer}
                    write_whole(files[name], json.dumps(content).encode())
                    yield name, answer

            yield all_answers()

    def kept(file: Path, asked: dict[str, Any]) -> Any:
        if not file.is_file():
            return None
        content = read_json(file)
        return content["answer"] if content["question"] == asked else None

    def failed(answer: Any) -> bool:
        return "error" in answer or any("error" in one for one in answer["facts"]["methods"].values())

    return make


@contextmanager
def results_bar(total: int) -> Iterator[Callable[[bool], None]]:
    """Results, time left, results a minute and failures on a terminal; nothing is shown in a pipe.

    Gives a function that is to be called after every result, with whether it failed.
    """
    if not sys.stderr.isatty():
        yield lambda failed: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    began, counts = time.monotonic(), [0, 0]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(failed: bool) -> None:
            counts[failed] += 1
            rate = 60 * sum(counts) / (time.monotonic() - began)
            said = f", {counts[1]} failed" if counts[1] else ""
            bar.update(task, advance=1, description=f"{rate:.3g} a minute{said}")

        yield advance


def give_up(failures: Sequence[tuple[str, str]], count: int, what: str, remedy: str = "") -> None:
    """Say what failed, by name and error, and exit with 2 if anything did. what: of which there were `count`."""
    for name, error in failures:
        click.echo(printable(f"failed: {name}: {error}"), err=True)
    if failures:
        raise OpenHDRError(f"{len(failures)} of {count} {what} failed" + (f"; {remedy}" if remedy else ""))
