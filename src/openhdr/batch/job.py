"""One result of a batch: how it is made in a process of its own, and the record that says it is done.

The record lies beside the result, `NAME.json`, and is written last: a result without one is made again, one whose
inputs, options and version are the same is not. A process may therefore be killed at any moment.
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from openhdr.batch.plan import Option
from openhdr.batch.process import are_ending, call
from openhdr.batch.storage import Storage, open_storage, sweep
from openhdr.core.child import Ended
from openhdr.core.errors import FileError, OpenHDRError, UnavailableError
from openhdr.core.files import sha256_of
from openhdr.core.version import __version__

PICTURES = (".jpg", ".jpeg", ".webp")  # of which thumbnails are drawn
THUMBNAILS = "thumbnails"
RUN = "openhdr.cli.shared.job_server:run_command"
Status = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One result. A job can be sent to another machine.

    name: path without extension in `out`, a folder or URL. inputs: names in `folder`, a folder or URL. to: extensions
    of the results, "" = a folder; the first holds the light, the second a picture to look at, others are converted
    from the first. command: `merge`, `expand` or `simulate`; args: its options, as the command line spells them;
    options: the same by name, for the record. seconds: after which it has failed, None = never.
    """

    name: str
    inputs: tuple[str, ...]
    folder: str
    out: str
    to: tuple[str, ...] = (".exr", ".jpg")
    command: str = "merge"
    args: tuple[str, ...] = ()
    options: dict[str, Option] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the results in `out`."""
        return tuple(self.name + suffix for suffix in self.to)

    @property
    def device(self) -> str:
        """Where its network runs: `cpu`, `cuda`, ..."""
        return str(self.options.get("device", "cpu"))

    @property
    def picture(self) -> str:
        """The result that a browser shows; "" = none."""
        shown = [name for name in self.outputs[:2] if PurePosixPath(name).suffix in PICTURES]
        return shown[-1] if shown else ""

    def perform(self, slot: AbstractContextManager[None] = nullcontext(), threads: int = 1) -> Record:
        """Make the result on so many cores, and its record; a failure is a record, too.

        A failure of the disk or the network is not written, so the job is tried again. slot: waited for before the
        work.
        """
        known = settled(self)  # by another worker, since the job was handed out
        if known is not None and known.status == "done":
            return known
        out, folder = open_storage(self.out), open_storage(self.folder)
        began = time.monotonic()
        inputs: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory(prefix="openhdr-") as scratch:
            status: Status = "failed"
            error, outputs, answer, passing = "", {}, {}, False
            try:
                paths = _fetched(self, folder, Path(scratch), inputs)
                with slot:
                    began = time.monotonic()
                    answer = _made(self, out, paths, Path(scratch), threads)
                outputs = answer.pop("outputs", {})
                error, passing = str(answer.get("error", "")), answer.get("passing", False)
                status = "failed" if error else "done"
            except (OpenHDRError, Ended) as problem:
                if are_ending():
                    raise
                error, passing = str(problem), isinstance(problem, UnavailableError)
            record = Record(
                __version__, self.command, self.name, self.to, tuple(inputs), self.options, status, error, outputs,
                round(time.monotonic() - began, 3), answer.get("facts"), tuple(answer.get("notes", ())),
            )  # fmt: skip
            if not passing:
                record.write(out)
        return record

    def lost(self, error: str) -> Record:
        """The record of a job that left none; it is not written, so the job is tried again."""
        return Record(__version__, self.command, self.name, self.to, (), self.options, "failed", error)


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
    """The record of a job that was done or has failed already, with the same inputs, options and version.

    Inputs are compared by their size and time, and by their content where those differ.
    """
    out, folder = open_storage(job.out), open_storage(job.folder)
    record = Record.read(out, job.name)
    if record is None or (record.openhdr, record.command, record.options, record.to) != (
        *(__version__, job.command, job.options, job.to),
    ):
        return None
    if tuple(one["file"] for one in record.inputs) != job.inputs:
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


def _fetched(job: Job, folder: Storage, scratch: Path, inputs: list[dict[str, Any]]) -> list[Path]:
    """The inputs as local files; `inputs` gets what identifies each. Reading them whole also warms the disk's cache."""
    paths = []
    for number, name in enumerate(job.inputs):
        into = scratch / str(number)
        into.mkdir()
        stamp = folder.stamp(name)
        if stamp is None:
            raise FileError(f"{job.folder}/{name}", "does not exist")
        paths.append(folder.fetched(name, into))
        inputs.append({"file": name, "sha256": sha256_of(paths[-1]), "stamp": list(stamp)})
    return paths


def _made(job: Job, out: Storage, inputs: list[Path], scratch: Path, threads: int) -> dict[str, Any]:
    """What the command answers, and sizes of the files that it made."""
    staged = {name: out.staged(name, scratch) for name in job.outputs}
    thumbnail = f"{THUMBNAILS}/{job.name}.jpg" if job.picture else ""
    if thumbnail:
        staged[thumbnail] = out.staged(thumbnail, scratch / "0")
    for path in staged.values():
        sweep(path)
    first, *others = job.outputs
    args = [*map(str, inputs), "-o", str(staged[first]), "--json", *job.args]
    if others:
        args += ["--preview", str(staged[others[0]])]
    given = {"command": job.command, "args": args}
    if thumbnail:
        given |= {"picture": str(staged[job.picture]), "thumbnail": str(staged[thumbnail])}
    answer = call(RUN, given, threads, job.seconds)
    for name in others[1:]:
        if "error" not in answer:
            convert = {"command": "convert", "args": [str(staged[first]), "-o", str(staged[name]), "--json"]}
            converted = call(RUN, convert, threads, job.seconds)
            answer |= {key: converted[key] for key in converted.keys() & {"error", "passing"}}
    if "error" not in answer:
        if isinstance(answer["facts"], dict):
            answer["facts"]["output"] = first
        answer["outputs"] = {}
        for name, path in staged.items():
            answer["outputs"] |= _delivered(out, path, name)
    return answer


def _delivered(out: Storage, path: Path, name: str) -> dict[str, int]:
    """Put a staged file, or a folder of them, in its place; names and sizes."""
    if path.is_dir():
        found: dict[str, int] = {}
        for one in sorted(path.iterdir()):
            found |= _delivered(out, one, f"{name}/{one.name}")
        return found
    size = path.stat().st_size
    out.deliver(path, name)
    return {name: size}
