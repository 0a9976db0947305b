"""A process that makes results one after another: what a photo does to its decoder, or a merge to memory, stays there.

It ends when the process that started it does, however that ends. Request and answer are a line of JSON each.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

SERVE = "openhdr.cli.served"  # module that answers
SAID = 2000  # bytes of what a process said last


class Ended(Exception):
    """The process is gone; says why. late: it was given up, not lost."""

    def __init__(self, reason: str, late: bool = False) -> None:
        self.late = late
        super().__init__(reason)


class Process:
    """Started with the first request. threads: cores that it may use."""

    def __init__(self, threads: int) -> None:
        self.threads, self.owner = threads, os.getpid()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (kept as long as the process)
        limits = ("OPENHDR_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
        start = f"import sys; sys.path[:] = {sys.path!r}; from {SERVE} import serve; serve()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            env=os.environ | dict.fromkeys(limits, str(threads)),
            start_new_session=True,  # Ctrl-C is for the one that started it, which ends this
        )

    def ask(self, request: dict[str, Any], seconds: float | None) -> dict[str, Any]:
        """The answer. Raises Ended when the process crashes, or takes longer and is killed."""
        assert self.process.stdin is not None and self.process.stdout is not None
        late = threading.Timer(seconds or threading.TIMEOUT_MAX, self.process.kill)
        late.daemon = True
        late.start()
        began = time.monotonic()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            status = self.process.wait()
            if seconds is not None and time.monotonic() - began >= seconds:
                raise Ended(f"took longer than {seconds:g} s", late=True) from error
            raise Ended(f"its process ended ({self._reason(status)})") from error
        finally:
            late.cancel()

    def _reason(self, status: int) -> str:
        """The signal, or the last line that was said."""
        with contextlib.suppress(ValueError):
            name = signal.Signals(-status).name
            return f"{name}: out of memory, or killed" if name == "SIGKILL" else name
        self.said.seek(max(self.said.seek(0, os.SEEK_END) - SAID, 0))
        lines = self.said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), f"exit status {status}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.said):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
