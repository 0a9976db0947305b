"""Queues of work and the processes that do it, one after another; a job can be cancelled at any time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from openhdr.batch.process import Process
from openhdr.core.child import Ended

WORKER = "openhdr.serve.worker"

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False)
class Job:
    """Some work for a process. request: see `worker`. label: what it is, for people. target: the result it is for.

    urgent: goes before what waits already. finished: called in the event loop when it is over, however it ends.
    """

    request: dict[str, Any]
    label: str
    target: str = ""
    urgent: bool = False
    seconds: float | None = None
    finished: Callable[[Job], None] = lambda job: None
    id: str = ""
    state: State = "waiting"
    given_up: bool = False
    step: str = ""
    percent: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> str:
        return str(self.answer.get("error", ""))

    def told(self) -> dict[str, Any]:
        """What the page shows."""
        return {
            "id": self.id, "target": self.target, "label": self.label, "state": self.state, "step": self.step,
            "percent": self.percent, "error": self.error,
        }  # fmt: skip


class Lane:
    """A queue and its process. changed: called whenever a job begins, goes on or ends."""

    def __init__(self, name: str, threads: int, changed: Callable[[], None]) -> None:
        self.name, self.threads, self.changed = name, threads, changed
        self.numbers = itertools.count(1)
        self.waiting: list[Job] = []
        self.running: Job | None = None
        self.process: Process | None = None
        self.arrived = asyncio.Event()

    @property
    def jobs(self) -> list[Job]:
        return [*([self.running] if self.running else []), *self.waiting]

    def add(self, job: Job) -> Job:
        job.id = f"{self.name}{next(self.numbers)}"
        place = len(self.waiting)
        if job.urgent:
            place = sum(one.urgent for one in self.waiting)
        self.waiting.insert(place, job)
        self.arrived.set()
        self.changed()
        return job

    def cancel(self, job: Job) -> None:
        """End a job; its process goes with it and a new one is started."""
        if job in self.waiting:
            self.waiting.remove(job)
            self._over(job, "cancelled")
        elif job is self.running and self.process is not None:
            job.given_up = True
            self.process.process.kill()

    async def work(self) -> None:
        """Do jobs until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                if self.process is None:  # started ahead of work, because importing takes a second
                    self.process = await asyncio.to_thread(Process, self.threads, WORKER)
                while not self.waiting:
                    self.arrived.clear()
                    await self.arrived.wait()
                job = self.running = self.waiting.pop(0)
                job.state = "running"
                self.changed()

                def hear(told: dict[str, Any], job: Job = job) -> None:
                    job.step, job.percent = told["label"], told["percent"]
                    loop.call_soon_threadsafe(self.changed)

                try:
                    job.answer = await asyncio.to_thread(self.process.ask, job.request, job.seconds, hear)
                except Ended as ended:
                    job.answer = {"error": "" if job.given_up else str(ended)}
                    self.process.end()
                    self.process = None
                self.running = None
                self._over(job, "cancelled" if job.given_up else "failed" if job.error else "done")
        finally:
            if self.process is not None:
                self.process.end()

    def _over(self, job: Job, state: State) -> None:
        job.state = state
        job.finished(job)
        self.changed()
