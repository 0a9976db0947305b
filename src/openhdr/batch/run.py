"""Much work, some of it at a time: on this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from openhdr.batch.process import allow_processes, are_ending, call, end_processes
from openhdr.core.child import Ended
from openhdr.core.errors import FileError, MissingExtraError
from openhdr.core.threads import cores

SHARE = 0.8  # of the free memory that may be used
AHEAD = 3  # times the workers: what is handed out
RETRIES = 10  # of what a worker did that died


def need_gb(megapixels: float, photos: int, threads: int = 1) -> float:
    """Memory that merging so many photos of a size takes, in GB.

    The program, the result, what is kept of each frame, the frames' codes, and what each further thread takes.
    Fitted to the process of a batch that merged brackets of 3 to 18 photos of 1.5 to 24 megapixels, twice each.
    """
    one = 0.7 + 0.038 * megapixels + 0.018 * photos + 0.003 * megapixels * photos
    return one + (threads - 1) * (0.37 + 0.01 * photos)


def free_gb() -> float:
    """Memory that can be used without swapping, in GB; a guess where the system does not say."""
    try:
        with open("/proc/meminfo") as file:
            facts = dict(line.split(":") for line in file)
        return int(facts["MemAvailable"].split()[0]) * 1024 / 1e9
    except (OSError, KeyError, ValueError):
        pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
        return 0.5 * pages * os.sysconf("SC_PAGE_SIZE") / 1e9 if pages > 0 else 4.0


@dataclass(frozen=True)
class Workers:
    """How much is done at a time, cores of each, and GB that all may take together."""

    count: int
    threads: int
    memory_gb: float

    @staticmethod
    def for_needs(needs_gb: Iterable[float], count: int | None = None, alone: bool = False) -> Workers:
        """As many as cores and memory allow, the cores shared among them; or `count`, of one core each.

        alone: one with all cores, unless `count` is given.
        """
        free = SHARE * free_gb()
        if count is not None:
            return Workers(count, 1, free)
        if alone:
            return Workers(1, cores(), free)
        fit = int(free / max([*needs_gb, 0.1]))
        workers = max(1, min(cores(), fit))
        return Workers(workers, max(1, cores() // workers), free)


class Room:
    """Slots of this machine: as much work at a time as there are workers, and as their memory allows.

    What needs more than there is runs alone.
    """

    def __init__(self, workers: Workers) -> None:
        self.places, self.memory_gb = workers.count, workers.memory_gb
        self.running, self.used_gb = 0, 0.0
        self.changed = threading.Condition()

    @contextmanager
    def slot(self, need_gb: float) -> Iterator[None]:
        """Wait for a place and for memory, and keep them for the block."""
        with self.changed:
            self.changed.wait_for(
                lambda: (
                    self.running == 0
                    or (self.running < self.places and self.used_gb + need_gb <= self.memory_gb)
                )
            )
            self.running += 1
            self.used_gb += need_gb
        try:
            yield
        finally:
            with self.changed:
                self.running -= 1
                self.used_gb -= need_gb
                self.changed.notify_all()


class Work(Protocol):
    """What is handed out: a `Job`, which makes files, or a `Call`. It can be sent to another machine."""

    @property
    def device(self) -> str:
        """`cpu`, or the kind of device that whoever does it needs."""

    def perform(self, slot: AbstractContextManager[None] = nullcontext(), threads: int = 1) -> Any:
        """Do it, in a process of its own on so many cores; a failure is an answer, too. slot: waited for before."""

    def lost(self, error: str) -> Any:
        """The answer where nobody gave one."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, plain values in and out; see `process.call`.

    in_steps: whether the function tells {"step": name} before each of its steps, and {"step": None} after the last. One
    that ends the process is left out when the function is called again, with `lost`: {name: why}.
    """

    target: str
    given: dict[str, Any]
    device: str = "cpu"
    in_steps: bool = False

    def perform(self, slot: AbstractContextManager[None] = nullcontext(), threads: int = 1) -> dict[str, Any]:
        lost: dict[str, str] = {}
        step: str | None = None

        def hear(told: dict[str, Any]) -> None:
            nonlocal step
            step = told["step"]

        with slot:
            while True:
                step = None
                given = self.given | ({"lost": lost} if self.in_steps else {})
                try:
                    return call(self.target, given, threads, hear=hear if self.in_steps else None)
                except Ended as end:
                    if are_ending():
                        raise
                    if step is None or step in lost:
                        return self.lost(str(end))
                    lost[step] = str(end)

    def lost(self, error: str) -> dict[str, Any]:
        return {"error": error}


WorkT = TypeVar("WorkT", bound=Work)


class Run(Protocol):
    """Does work."""

    def __call__(self, work: Iterable[tuple[WorkT, float]]) -> Iterator[tuple[WorkT, Any]]:
        """Give each with its answer as it is finished, and take new work as old is finished.

        work: each with the GB that it needs.
        """


@contextmanager
def on_this_machine(workers: Workers) -> Iterator[Run]:
    """Work in processes of this machine. One thread more than workers reads the next photos while the others merge."""
    room = Room(workers)
    allow_processes()
    pool = ThreadPoolExecutor(workers.count + 1)

    def run(work: Iterable[tuple[WorkT, float]]) -> Iterator[tuple[WorkT, Any]]:
        waiting: dict[Future[Any], WorkT] = {}
        coming = iter(work)
        while True:
            for one, need in islice(coming, AHEAD * workers.count - len(waiting)):
                waiting[pool.submit(one.perform, room.slot(need), workers.threads)] = one
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()

    try:
        yield run
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        end_processes()


@contextmanager
def on_cluster(address: str) -> Iterator[Run]:
    """Work by the workers of a Dask cluster. Each is done in a process of its own there.

    What a worker did that dies is given to another. Work for a GPU goes to workers with the resource GPU (`dask worker
    --resources GPU=1`). Raises FileError when the scheduler cannot be reached, or is lost.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        raise MissingExtraError("a cluster needs 'distributed', which", "cluster") from error
    for name in ("distributed", "asyncio", "tornado"):  # what went wrong is said in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise FileError(address, "no Dask scheduler answers", "start one with: dask scheduler") from error
    allow_processes()  # a cluster's workers may be threads of this process, in which an earlier run has ended

    def submitted(one: WorkT) -> Any:
        resources = {} if one.device == "cpu" else {"GPU": 1}
        return client.submit(one.perform, pure=False, retries=RETRIES, resources=resources)

    def answer_of(one: WorkT, status: str, result: Any) -> Any:
        """Work that ended every worker that tried it has failed."""
        if status == "finished":
            return result
        if status == "cancelled":
            raise FileError("the cluster", "its scheduler is gone", "start again: what is done is kept")
        _, problem, trace = result
        if type(problem).__name__ == "KilledWorker":
            return one.lost("every worker that tried it died; it may need more memory than they have")
        raise problem.with_traceback(trace)

    def run(work: Iterable[tuple[WorkT, float]]) -> Iterator[tuple[WorkT, Any]]:
        coming = (one for one, _ in work)
        ahead = AHEAD * max(sum(client.nthreads().values()), 1)
        waiting = {submitted(one): one for one in islice(coming, ahead)}
        answers = as_completed(waiting, with_results=True, raise_errors=False, loop=client.loop)
        for answered in answers.batches():
            for future, result in answered:
                one = waiting.pop(future)
                yield one, answer_of(one, future.status, result)
            for one in islice(coming, ahead - len(waiting)):
                following = submitted(one)
                waiting[following] = one
                answers.add(following)

    try:
        yield run
    finally:
        client.close(timeout=5)
