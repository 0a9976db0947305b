"""One result of a batch: how it is made in a process of its own, and the record that says it is done.

The record lies beside the result, `NAME.json`, and is written last: a result without one is made again, one whose
inputs, options and version are the same is not. A process may therefore be killed at any moment.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from openhdr.batch.plan import Option
from openhdr.batch.process import Ended, Process
from openhdr.batch.storage import Storage, open_storage, sweep
from openhdr.core.errors import FileError, OpenHDRError
from openhdr.core.files import sha256_of
from openhdr.core.version import __version__

PICTURES = (".jpg", ".jpeg", ".webp")  # of which thumbnails are drawn
THUMBNAILS = "thumbnails"
ATTEMPTS = 3  # processes that a job is given
Status = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One result. A job can be sent to another machine.

    name: path without extension in `out`, a folder or URL. photos: names in `folder`, a folder or URL. to: extensions
    of the results; the first holds the light, the second a picture to look at, others are converted from the first.
    command: `merge` or `expand`; args: its options, as the command line spells them; options: the same by name, for
    the record. threads: cores to use. seconds: after which it has failed, None = never.
    """

    name: str
    photos: tuple[str, ...]
    folder: str
    out: str
    to: tuple[str, ...] = (".exr", ".jpg")
    command: str = "merge"
    args: tuple[str, ...] = ()
    options: dict[str, Option] = field(default_factory=dict)
    threads: int = 1
    seconds: float | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the results in `out`."""
        return tuple(self.name + suffix for suffix in self.to)

    @property
    def picture(self) -> str:
        """The result that a browser shows; "" = none."""
        shown = [name for name in self.outputs[:2] if PurePosixPath(name).suffix in PICTURES]
        return shown[-1] if shown else ""


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a job. Written as JSON; `openhdr merge --like` takes it, too.

    inputs: {"file", "sha256", "stamp"} of each photo. outputs: bytes of each file. result: what the command's `--json`
    tells. notes: what it said on standard error.
    """

    openhdr: str
    command: str
    name: str
    to: tuple[str, ...]
    inputs: tuple[dict[str, Any], ...]
    options: dict[str, Option]
    status: Status
    error: str = ""
    outputs: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    result: Any = None
    notes: tuple[str, ...] = ()

    @staticmethod
    def read(storage: Storage, name: str) -> Record | None:
        """The record of a result, None where there is none that can be used."""
        data = storage.read(f"{name}.json")
        try:
            content: dict[str, Any] = json.loads(data or b"")
            known = {
                key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
            }
            values: list[Any] = [known[one.name] for one in fields(Record)]
            return Record(*values)
        except (ValueError, KeyError, AttributeError, RecursionError):
            return None

    def write(self, storage: Storage) -> None:
        storage.write(f"{self.name}.json", (json.dumps(asdict(self), indent=1) + "\n").encode())


def settled(job: Job) -> Record | None:
    """The record of a job that was done or has failed already, with the same photos, options and version.

    Photos are compared by their size and time, and by their content where those differ.
    """
    out, folder = open_storage(job.out), open_storage(job.folder)
    record = Record.read(out, job.name)
    if record is None or (record.openhdr, record.command, record.options, record.to) != (
        *(__version__, job.command, job.options, job.to),
    ):
        return None
    if tuple(one["file"] for one in record.inputs) != job.photos:
        return None
    for name, size in record.outputs.items():
        stamp = out.stamp(name)
        if stamp is None or stamp[0] != size:
            return None
    return record if all(_same(folder, one) for one in record.inputs) else None


def _same(folder: Storage, known: dict[str, Any]) -> bool:
    stamp = folder.stamp(known["file"])
    if stamp is None or list(stamp) == known["stamp"]:
        return stamp is not None
    if stamp[0] != known["stamp"][0]:
        return False
    with tempfile.TemporaryDirectory() as scratch:
        return sha256_of(folder.fetched(known["file"], Path(scratch))) == known["sha256"]


def perform(job: Job, slot: AbstractContextManager[None] = nullcontext()) -> Record:
    """Make the result and its record; a failure is a record, too. slot: waited for before the work."""
    known = settled(job)  # by another worker, since the job was handed out
    if known is not None and known.status == "done":
        return known
    out, folder = open_storage(job.out), open_storage(job.folder)
    began = time.monotonic()
    inputs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="openhdr-") as scratch:
        status: Status = "failed"
        error, outputs, answer = "", {}, {}
        try:
            paths = _fetched(job, folder, Path(scratch), inputs)
            with slot:
                began = time.monotonic()
                answer = _tried(job, out, paths, Path(scratch))
            outputs = answer.pop("outputs", {})
            error = str(answer.get("error", ""))
            status = "failed" if error else "done"
        except (OpenHDRError, Ended) as problem:
            if _stopping.is_set():
                raise
            error = str(problem)
        record = Record(
            __version__, job.command, job.name, job.to, tuple(inputs), job.options, status, error, outputs,
            round(time.monotonic() - began, 3), answer.get("facts"), tuple(answer.get("notes", ())),
        )  # fmt: skip
        record.write(out)
    return record


def failure(job: Job, error: str) -> Record:
    """The record of a job that left none; it is not written, so the job is tried again."""
    return Record(__version__, job.command, job.name, job.to, (), job.options, "failed", error)


def _fetched(job: Job, folder: Storage, scratch: Path, inputs: list[dict[str, Any]]) -> list[Path]:
    """The photos as local files; `inputs` gets what identifies each. Reading them whole also warms the disk's cache."""
    paths = []
    for number, name in enumerate(job.photos):
        into = scratch / str(number)
        into.mkdir()
        stamp = folder.stamp(name)
        if stamp is None:
            raise FileError(f"{job.folder}/{name}", "does not exist")
        paths.append(folder.fetched(name, into))
        inputs.append({"file": name, "sha256": sha256_of(paths[-1]), "stamp": list(stamp)})
    return paths


def _tried(job: Job, out: Storage, photos: list[Path], scratch: Path) -> dict[str, Any]:
    """As `_made`; once more where the process was lost, which may have been killed for memory that others took."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _made(job, out, photos, scratch)
        except Ended as end:
            if end.late or _stopping.is_set():
                raise
    return _made(job, out, photos, scratch)


def _made(job: Job, out: Storage, photos: list[Path], scratch: Path) -> dict[str, Any]:
    """What the command answers, and sizes of the files that it made."""
    staged = {name: out.staged(name, scratch) for name in job.outputs}
    thumbnail = f"{THUMBNAILS}/{job.name}.jpg" if job.picture else ""
    if thumbnail:
        staged[thumbnail] = out.staged(thumbnail, scratch / "0")
    for path in staged.values():
        sweep(path)
    first, *others = job.outputs
    args = [*map(str, photos), "-o", str(staged[first]), "--json", *job.args]
    if others:
        args += ["--preview", str(staged[others[0]])]
    request = {"command": job.command, "args": args, "picture": "", "thumbnail": ""}
    if thumbnail:
        request |= {"picture": str(staged[job.picture]), "thumbnail": str(staged[thumbnail])}
    with _process(job.threads) as process:
        answer = process.ask(request, job.seconds)
        for name in others[1:]:
            if "error" not in answer:
                convert = [str(staged[first]), "-o", str(staged[name])]
                asked = {"command": "convert", "args": convert, "picture": "", "thumbnail": ""}
                answer |= {
                    key: text for key, text in process.ask(asked, job.seconds).items() if key == "error"
                }
    if "error" not in answer:
        answer["facts"]["output"] = first
        for name, path in staged.items():
            out.deliver(path, name)
        answer["outputs"] = {name: path.stat().st_size for name, path in staged.items()}
    return answer


_idle: list[Process] = []
_busy: list[Process] = []
_lock, _stopping = threading.Lock(), threading.Event()


@contextmanager
def _process(threads: int) -> Iterator[Process]:
    """A process that waits for work, or a new one; it is kept, unless it ended."""
    with _lock:
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
    """End all processes; what they were making is made again by the next run."""
    _stopping.set()
    with _lock:
        for process in _busy:
            process.process.kill()
        while _idle:
            _idle.pop().end()


def allow_processes() -> None:
    """Take work again."""
    _stopping.clear()
