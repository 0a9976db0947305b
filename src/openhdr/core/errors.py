"""Every error a user can meet.

    OpenHDRError                 something is wrong that the user can mend; the command line exits with 2
    ├── FileError                a file: missing, empty, truncated, not an image, too large, not writable
    │   └── UnavailableError     the disk, the system or the network refused it: later, it may be used
    ├── RequestError             an option or argument: unknown name, contradiction, wrong shape
    │   └── ExposureError        exposures of a bracket: missing, identical, contradictory
    └── MissingExtraError        an optional dependency that the request needs is not installed

Any other exception is a fault of openhdr (exit 1). A message is one line and says which file or parameter,
what was found, what was expected, and what to do next. Parameters stand in backquotes, as Python writes them:
`ev`, `response='calibrate'`, `deghost=False`. The command line prints its own spelling instead: --ev.
"""

from __future__ import annotations

import copyreg
import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MAX_MESSAGE = 4000  # characters

PARAMETER = re.compile(r"`(\w+)(?:=([^`]*))?`")
"""A parameter in a message: its name, and its value where one is named."""


class OpenHDRError(Exception):
    """Base of all errors that the user can mend. The message is made safe to print."""

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by class, message and attributes, so that it passes from process to process."""
        return copyreg.__newobj__, (type(self), str(self)), vars(self)  # type: ignore[attr-defined]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the message speaks of, in their order."""
        return tuple(dict.fromkeys(found[1] for found in PARAMETER.finditer(str(self))))


class FileError(OpenHDRError):
    """A file cannot be used. `path` is named first in the message."""

    def __init__(self, path: str | Path, problem: str, remedy: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}" + (f"; {remedy}" if remedy else ""))


class UnavailableError(FileError):
    """A file cannot be used now: the disk is full, a server does not answer, a permission is missing."""


class RequestError(OpenHDRError):
    """An option or argument cannot be used."""


class ExposureError(RequestError):
    """The exposures of a bracket are missing, identical or contradictory."""


class MissingExtraError(OpenHDRError):
    """The request needs an optional dependency. `extra` is its name in `pip install 'openhdr[extra]'`."""

    def __init__(self, need: str, extra: str) -> None:
        self.need, self.extra = need, extra
        super().__init__(f"{need} is not installed; run: pip install 'openhdr[{extra}]'")


def printable(text: str) -> str:
    """`text` as one line that a terminal can show: other characters become escapes such as \\x1b or \\udce9.

    File names and what files say of themselves may hold any character.
    """
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= MAX_MESSAGE else shown[: MAX_MESSAGE - 1] + "…"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> RequestError:
    """The error for a name that is not in a table: names the nearest one, then all."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return RequestError(f"unknown {kind} '{name}'; {hint}choose one of: {', '.join(known)}")
