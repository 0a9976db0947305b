"""Reading in a child process with limits on memory and time: what a file does to its decoder stays there.

A crash, an endless loop or a flood of memory ends the child, and the caller gets a FileError. It protects against
accidents; it is no cage for code that breaks out of a decoder, which runs with the rights of the user.

Children wait for further files, so that starting one is paid once. Request and answer are a line of JSON each; the
pixels follow the answer as they are in memory.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args, get_type_hints

import numpy as np

from openhdr.core.child import Child, Ended, answers_only
from openhdr.core.config import plain
from openhdr.core.errors import FileError, MissingExtraError, OpenHDRError, printable
from openhdr.core.memory import give_back

MEMORY_GB, SECONDS = 4.0, 60.0
VARIABLE = "OPENHDR_ISOLATE"
"""Environment variable: where it is set and not empty, `read` and `probe` work in a child process."""

Kind = TypeVar("Kind")


def wanted() -> bool:
    return bool(os.environ.get(VARIABLE))


class Reader(Child):
    """A process that reads files. It ends when this one does."""

    def __init__(self, memory_gb: float) -> None:
        self.memory_gb = memory_gb
        serve = f"io.isolated.serve({{'read': io.read, 'probe': io.probe}}, {memory_gb})"
        super().__init__(f"from openhdr import io; {serve}", {VARIABLE: "", "OPENBLAS_NUM_THREADS": "1"})


def _answered(answers: BinaryIO) -> dict[str, Any]:
    """An answer, with the pixels in its facts."""
    answer: dict[str, Any] = json.loads(answers.readline())
    if "shape" in answer:
        answer["facts"]["pixels"] = pixels = np.empty(answer["shape"], answer["dtype"])
        if answers.readinto(pixels.data.cast("B")) < pixels.nbytes:  # type: ignore[attr-defined]
            raise EOFError
    return answer


_idle: list[Reader] = []


def call(
    function: str,
    kind: type[Kind],
    path: str | Path,
    options: dict[str, Any],
    memory_gb: float,
    seconds: float,
) -> Kind:
    """What the function of `openhdr.io` returns for the file, a `kind`, made by a child process.

    memory_gb: for pixels and all else that decoding takes (not on Windows). Raises what the function raises, and
    FileError when reading takes longer than `seconds` or ends the child.
    """
    child = _free(memory_gb)
    try:
        request = {"function": function, "path": os.path.abspath(path), "options": options}
        answer = child.exchange(request, seconds, _answered)
    except BaseException as error:
        child.end()
        if isinstance(error, Ended):
            slow, lost = f"takes longer than {seconds:g} s to read", f"ends its decoder ({error.why})"
            problem = slow if error.late else lost
            raise FileError(path, problem, "the file is damaged, or made to do so") from error
        raise
    _idle.append(child)
    if "missing" in answer:
        raise MissingExtraError(*answer["missing"])
    if "problem" in answer:
        raise FileError(path, answer["problem"])
    return _rebuilt(kind, answer["facts"])


def _free(memory_gb: float) -> Reader:
    """A child that waits, or a new one. Children of the parent of a fork are left alone."""
    while _idle:
        with contextlib.suppress(IndexError):  # another thread was faster
            child = _idle.pop()
            if child.owner != os.getpid():
                continue
            if child.memory_gb == memory_gb and child.process.poll() is None:
                return child
            child.end()
    return Reader(memory_gb)


@atexit.register
def end_children() -> None:
    """End the children that wait for files."""
    while _idle:
        child = _idle.pop()
        if child.owner == os.getpid():
            child.end()


def _rebuilt(kind: Any, value: Any) -> Any:
    """A value of type `kind` from JSON: dataclasses from objects, tuples from lists."""
    if isinstance(value, list):
        return tuple(_rebuilt(None, item) for item in value)
    if not isinstance(value, dict):
        return Path(value) if kind is Path else value
    kinds: list[Any] = [each for each in (kind, *get_args(kind)) if is_dataclass(each)]
    if not kinds:
        return {name: _rebuilt(None, item) for name, item in value.items()}
    hints = get_type_hints(kinds[0])
    return kinds[0](**{name: _rebuilt(hints[name], item) for name, item in value.items()})


# What runs in the child


def serve(functions: Mapping[str, Callable[..., Any]], memory_gb: float) -> None:
    """Answer requests from standard input until it closes. functions: those of `openhdr.io` that may be asked for."""
    answers = answers_only()
    _limit_memory(memory_gb)
    for line in sys.stdin.buffer:
        _answer(json.loads(line), functions, answers)
        give_back()  # a child that waits holds no photo


def _answer(request: dict[str, Any], functions: Mapping[str, Callable[..., Any]], answers: BinaryIO) -> None:
    answer: dict[str, Any]
    try:
        result = functions[request["function"]](request["path"], **_rebuilt(None, request["options"]))
    except MissingExtraError as error:
        answer, pixels = {"missing": [error.need, error.extra]}, None
    except (OpenHDRError, MemoryError) as error:
        problem = str(error).removeprefix(f"{printable(request['path'])}: ")
        answer, pixels = {"problem": problem or "needs more memory than it may have"}, None
    else:
        answer, pixels = _facts(result)
    answers.write(json.dumps(answer).encode() + b"\n")
    if pixels is not None:
        answers.write(np.ascontiguousarray(pixels).data.cast("B"))
    answers.flush()


def _facts(result: Any) -> tuple[dict[str, Any], np.ndarray | None]:
    """A dataclass as JSON values, its pixels apart."""
    facts = plain(result)
    pixels = facts.pop("pixels", None)
    if pixels is None:
        return {"facts": facts}, None
    return {"facts": facts, "shape": pixels.shape, "dtype": pixels.dtype.str}, pixels


def _limit_memory(memory_gb: float) -> None:
    """Let this process take so much more than it has. Where the system cannot, nothing is limited."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    bound = pages * resource.getpagesize() + int(memory_gb * 1e9)
    with contextlib.suppress(ValueError, OSError):  # a lower limit holds already; macOS has none
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
