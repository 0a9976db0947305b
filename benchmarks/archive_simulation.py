"""A run over an archive with the real scheduler and stub merges: what scheduling, failures and stragglers cost.

    python benchmarks/archive_simulation.py --items 100000 --workers 50 --seconds 30

Each stub sleeps for a merge's time, shortened `--faster` times; the scheduler works at its own speed. Times are
log-normal (a spread of 35 %); one in a hundred is a straggler of ten times, one in two hundred fails.

All workers live in this process. Their clocks, which look at memory and at what runs up to a hundred times a second
each, are stopped: they belong to the workers' machines, and fifty of them cost more here than the scheduler.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass

import dask
import numpy as np
from distributed import LocalCluster

from openhdr.batch.run import on_cluster

CLOCKS = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1h",
    "distributed.admin.system-monitor.interval": "1h",
}
SPREAD, STRAGGLERS, SLOWER, FAILURES = 0.35, 0.01, 10.0, 0.005


@dataclass(frozen=True)
class Stub:
    """What a `batch.job.Job` is to the scheduler, without photos. seconds: that it takes."""

    name: str
    seconds: float
    fails: bool
    photos: tuple[str, ...] = ("DSC_0001.jpg", "DSC_0002.jpg", "DSC_0003.jpg")
    device: str = "cpu"

    def perform(self) -> str:
        time.sleep(self.seconds)
        return "failed" if self.fails else "done"

    def lost(self, error: str) -> str:
        return error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0, help="of a merge")
    parser.add_argument("--faster", type=float, default=300.0)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    sleeps = asked.seconds * np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, asked.items))
    sleeps *= np.where(rng.random(asked.items) < STRAGGLERS, SLOWER, 1.0)
    fails = rng.random(asked.items) < FAILURES
    stubs = [
        (Stub(f"{n:06d}", s / asked.faster, bool(f)), 0.0)
        for n, (s, f) in enumerate(zip(sleeps.tolist(), fails.tolist(), strict=True))
    ]
    options = {"threads_per_worker": 1, "processes": False, "dashboard_address": None, "memory_limit": 0}
    with (
        dask.config.set(CLOCKS),
        LocalCluster(n_workers=asked.workers, **options) as cluster,
        on_cluster(cluster.scheduler_address) as make,
    ):
        began, cpu = time.monotonic(), time.process_time()
        answers = [answer for _, answer in make(stubs)]
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    ideal = sleeps.sum() / asked.faster / asked.workers
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    failed, hours = sum(answer != "done" for answer in answers), asked.faster * ideal / 3600
    print(f"{len(answers)} items, {failed} failed, {asked.workers} workers, {peak:.0f} MB")
    print(f"{wall:.0f} s; {ideal:.0f} s if all workers were always busy")
    print(f"scheduler, client and stubs: {1e3 * cpu / asked.items:.2f} ms of a core an item")
    print(f"as merges of {asked.seconds:g} s: {hours:.1f} h, the longest {sleeps.max():.0f} s")


if __name__ == "__main__":
    main()
