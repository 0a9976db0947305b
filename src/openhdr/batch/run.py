"""Many jobs, some at a time: on this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from openhdr.batch.job import Job, Record, allow_processes, end_processes, failure, perform
from openhdr.core.errors import FileError, MissingExtraError
from openhdr.core.threads import cores

SHARE = 0.8  # of the free memory that may be used
AHEAD = 3  # jobs a worker that are handed out
RETRIES = 10  # of a job whose worker died


def need_gb(megapixels: float, photos: int, threads: int = 1) -> float:
    """Memory that merging so many photos of a size takes, in GB.

    The frames' codes, and what is larger of two: the comparison of frames, or the result with its preview. Fitted to
    brackets of 3 to 18 photos of 1.5 to 24 megapixels, which it meets within 12 %.
    """
    comparing = 0.4 + 0.3 * threads + (0.05 + 0.013 * threads) * photos
    merging = 0.3 * threads + 0.066 * megapixels + 0.03 * photos
    return 0.003 * megapixels * photos + max(comparing, merging)


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
    """How many merges at a time, cores of each, and GB that all may take together."""

    count: int
    threads: int
    memory_gb: float

    @staticmethod
    def for_needs(needs_gb: Iterable[float], count: int | None = None) -> Workers:
        """As many as cores and memory allow, the cores shared among them; or `count`, of one core each."""
        free = SHARE * free_gb()
        if count is not None:
            return Workers(count, 1, free)
        fit = int(free / max([*needs_gb, 0.1]))
        workers = max(1, min(cores(), fit))
        return Workers(workers, max(1, cores() // workers), free)


class Room:
    """Slots of this machine: as many jobs at a time as there are workers, and as their memory allows.

    A job that needs more than there is runs alone.
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


Jobs = Iterable[tuple[Job, float]]
"""Jobs, each with the GB that it needs."""

Run = Callable[[Jobs], Iterator[tuple[Job, Record]]]
"""Makes jobs, and gives each with its record as it is finished; takes new ones as old ones are finished."""


@contextmanager
def on_this_machine(workers: Workers) -> Iterator[Run]:
    """Jobs in processes of this machine. One thread more than workers reads the next photos while the others merge."""
    room = Room(workers)
    allow_processes()
    pool = ThreadPoolExecutor(workers.count + 1)

    def run(jobs: Jobs) -> Iterator[tuple[Job, Record]]:
        waiting: dict[Future[Record], Job] = {}
        coming = iter(jobs)
        while True:
            for job, need in islice(coming, AHEAD * workers.count - len(waiting)):
                waiting[pool.submit(perform, job, room.slot(need))] = job
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
def on_cluster(address: str, work: Callable[[Job], Record] = perform) -> Iterator[Run]:
    """Jobs by the workers of a Dask cluster. Each runs in a process of its own there.

    A job whose worker dies is given to another. Jobs for a GPU go to workers with the resource GPU (`dask worker
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

    def submitted(job: Job) -> Any:
        device = str(job.options.get("device", "cpu"))
        resources = {} if device == "cpu" else {"GPU": 1}
        return client.submit(work, job, pure=False, retries=RETRIES, resources=resources)

    def run(jobs: Jobs) -> Iterator[tuple[Job, Record]]:
        coming = (job for job, _ in jobs)
        ahead = AHEAD * max(sum(client.nthreads().values()), 1)
        waiting = {submitted(job): job for job in islice(coming, ahead)}
        answers = as_completed(waiting, with_results=True, raise_errors=False, loop=client.loop)
        for answered in answers.batches():
            for future, result in answered:
                job = waiting.pop(future)
                yield job, _record(job, future.status, result)
            for job in islice(coming, ahead - len(waiting)):
                following = submitted(job)
                waiting[following] = job
                answers.add(following)

    try:
        yield run
    finally:
        client.close(timeout=5)


def _record(job: Job, status: str, result: Any) -> Record:
    """What a cluster answers as a record; a job that ended every worker that tried it has failed."""
    if status == "finished":
        return result
    if status == "cancelled":
        raise FileError("the cluster", "its scheduler is gone", "start the batch again: what is done is kept")
    _, problem, trace = result
    if type(problem).__name__ == "KilledWorker":
        return failure(job, "every worker that tried it died; it may need more memory than they have")
    raise problem.with_traceback(trace)
