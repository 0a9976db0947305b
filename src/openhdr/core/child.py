"""A Python process that answers requests: what a file or a job does to it stays there.

A request is a line of JSON on its standard input. On its standard output stand answers only, see `answers_only`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, BinaryIO, TypeVar

Answer = TypeVar("Answer")


class Ended(Exception):
    """The child is gone, as the message says. why: a signal, say. late: it took too long and was killed."""

    def __init__(self, message: str, why: str = "", late: bool = False) -> None:
        self.why, self.late = why, late
        super().__init__(message)


class Child:
    """owner: id of the process that started it; a fork of that has no part in its children."""

    def __init__(
        self,
        code: str,
        environment: Mapping[str, str],
        said: IO[bytes] | int = subprocess.DEVNULL,
        own_session: bool = False,
    ) -> None:
        """code: what it runs, with the modules of this process. environment: variables that differ from this process's.
        said: where its standard error goes. own_session: Ctrl-C is for this process only, which ends the child.
        """
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, **environment},
            start_new_session=own_session,
        )

    @property
    def pipes(self) -> tuple[Any, Any]:
        """What the child reads from and writes to."""
        return self.process.stdin, self.process.stdout

    def exchange(
        self, request: dict[str, Any], seconds: float | None, receive: Callable[[BinaryIO], Answer]
    ) -> Answer:
        """What `receive` reads of the child's answer. Raises Ended when it crashes, or takes longer and is killed.

        receive: may raise EOFError, or ValueError, for an answer that breaks off.
        """
        requests, answers = self.pipes
        began = time.monotonic()  # before the timer, or what it kills may seem to have ended in time
        late = threading.Timer(seconds or threading.TIMEOUT_MAX, self.process.kill)
        late.daemon = True
        late.start()
        try:
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
            return receive(answers)
        except (OSError, EOFError, ValueError) as error:
            status = self.process.wait()
            if seconds is not None and time.monotonic() - began >= seconds:
                raise Ended(f"took longer than {seconds:g} s", late=True) from error
            why = self.why(status)
            raise Ended(f"its process ended ({why})", why) from error
        finally:
            late.cancel()

    def why(self, status: int) -> str:
        """The signal that ended it, or its exit status."""
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
        return f"exit status {status}"

    def end(self) -> None:
        """Kill it, whatever it does."""
        self.process.kill()
        self.process.wait()
        for stream in self.pipes:
            with contextlib.suppress(OSError):
                stream.close()


def answers_only() -> BinaryIO:
    """In the child: its standard output. What decoders print there later goes nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return answers
