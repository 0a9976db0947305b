"""A process that makes results one after another: what a photo does to its decoder, or a merge to memory, stays there.

It ends when the process that started it does, however that ends. Request and answer are a line of JSON each; lines
before the answer tell of the progress. `call` has a function called in one of several that are kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from openhdr.core.child import Child, Ended, answers_only

SERVE = "openhdr.cli.shared.job_server"  # module that answers
SAID = 2000  # bytes of what a process said last
ATTEMPTS = 3  # processes that a call is given


Tell = Callable[[dict[str, Any]], None]
"""Takes what is told before the answer."""


class Process(Child):
    """threads: cores that it may use. module: whose function `serve` answers, see `answer_requests`."""

    def __init__(self, threads: int, module: str = SERVE) -> None:
        self.threads = threads
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (kept as long as the process)
        limits = ("OPENHDR_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
        code = f"from {module} import serve; serve()"
        super().__init__(code, dict.fromkeys(limits, str(threads)), self.said, own_session=True)

    def ask(self, request: dict[str, Any], seconds: float | None, hear: Tell | None = None) -> dict[str, Any]:
        """The answer. hear: gets what is told on the way. Raises Ended."""

        def receive(answers: BinaryIO) -> dict[str, Any]:
            while "told" in (answer := json.loads(answers.readline())):
                if hear:
                    hear(answer["told"])
            return answer

        return self.exchange(request, seconds, receive)

    def why(self, status: int) -> str:
        """The signal, or the last line that was said."""
        found = super().why(status)
        if status < 0:
            return f"{found}: out of memory, or killed" if found == "SIGKILL" else found
        self.said.seek(max(self.said.seek(0, os.SEEK_END) - SAID, 0))
        lines = self.said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), found)

    def end(self) -> None:
        super().end()
        with contextlib.suppress(OSError):
            self.said.close()


_idle: list[Process] = []
_busy: list[Process] = []
_lock, _stopping = threading.Lock(), threading.Event()


def call(
    target: str,
    given: dict[str, Any],
    threads: int = 1,
    seconds: float | None = None,
    hear: Tell | None = None,
) -> dict[str, Any]:
    """What a function (`package.module:name`) answers in a process that is kept for the next call.

    given: its arguments; they and the answer are plain values. An error that the user can mend is answered as
    {"error"}. Called again where the process was lost, which may have been killed for memory that others took.
    hear: gets what the function tells on the way by its argument `tell`.
    Raises Ended when it is lost ATTEMPTS times, takes longer than `seconds`, or all processes were ended and
    `allow_processes` was not called since.
    """
    request = {"target": target, "given": given, "tells": hear is not None}
    for attempt in range(ATTEMPTS):
        try:
            with _process(threads) as process:
                return process.ask(request, seconds, hear)
        except Ended as end:
            if end.late or _stopping.is_set() or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


@contextmanager
def _process(threads: int) -> Iterator[Process]:
    """A process that waits for work, or a new one; it is kept, unless it ended."""
    with _lock:
        if _stopping.is_set():
            raise Ended("all processes are being ended")
        usable = [one for one in _idle if one.threads == threads and one.owner == os.getpid()]
        process = usable[0] if usable else Process(threads)
        _idle[:] = [one for one in _idle if one is not process]
        _busy.append(process)
    try:
        yield process
    except BaseException:
        process.end()
        raise
    else:
        with _lock:
            _idle.append(process)
    finally:
        with _lock:
            _busy.remove(process)


def end_processes() -> None:
    """End all processes, and begin none until `allow_processes`. The next run makes again what they were making."""
    _stopping.set()
    with _lock:
        for process in _busy:
            process.process.kill()
        while _idle:
            _idle.pop().end()


def allow_processes() -> None:
    """Take work again."""
    _stopping.clear()


def are_ending() -> bool:
    """Whether all processes are being ended."""
    return _stopping.is_set()


# What runs in the process


def answer_requests(answer: Callable[[dict[str, Any], Tell], dict[str, Any]]) -> None:
    """Answer requests from standard input, one after another, until it closes; nothing else is printed."""
    answers = answers_only()
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def write(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content).encode() + b"\n")
        answers.flush()

    while True:
        write(answer(json.loads(requests.get()), lambda told: write({"told": told})))


def _listen(requests: queue.Queue[str]) -> None:
    """Pass requests on; end at once when nobody is left to ask, so that nothing is made twice at a time."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)
