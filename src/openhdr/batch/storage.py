"""Where photos come from and results go: a local folder, or a bucket of an object store, by one interface.

Object stores (`s3://`, `gs://`, `az://`) need the extra `cloud`; keys and regions are taken from the environment
variables that each store's own tools use. What is written appears whole or not at all in both.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from openhdr.core.errors import FileError, MissingExtraError, UnavailableError
from openhdr.core.files import make_folder, write_whole

Stamp = tuple[int, str]
"""Size in bytes, and what changes when the content does: time in ns, or the store's tag."""


class Storage(Protocol):
    """Files under one root; names are relative, with `/` between folders. All methods raise FileError."""

    def names(self) -> Iterator[str]:
        """All files."""

    def stamp(self, name: str) -> Stamp | None:
        """None where there is no such file."""

    def fetched(self, name: str, into: Path) -> Path:
        """The file, local: itself, or a copy in the folder `into`."""

    def read(self, name: str, most: int | None = None) -> bytes | None:
        """The content, or its first bytes; None where there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Replace a file."""

    def sweep(self, name: str) -> None:
        """Remove what a process that was killed left unfinished of a file."""

    def staged(self, name: str, into: Path) -> Path:
        """Where to write a local file that `deliver` puts in its place: there already, or in the folder `into`."""

    def deliver(self, path: Path, name: str) -> None:
        """Put a staged file in its place."""


def open_storage(root: str) -> Storage:
    """The storage at a path or URL."""
    return Bucket(root) if is_url(root) else Folder(Path(root))


def is_url(root: str) -> bool:
    return "://" in root


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one that all machines of a cluster share."""

    root: Path

    def names(self) -> Iterator[str]:
        for folder, _, files in os.walk(self.root):
            yield from (Path(folder, file).relative_to(self.root).as_posix() for file in files)

    def stamp(self, name: str) -> Stamp | None:
        try:
            status = os.stat(self.root / name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_size, str(status.st_mtime_ns)

    def fetched(self, name: str, into: Path) -> Path:
        return self.root / name

    def read(self, name: str, most: int | None = None) -> bytes | None:
        try:
            with open(self.root / name, "rb") as file:
                return file.read() if most is None else file.read(most)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        make_folder(path.parent)
        write_whole(path, data)

    def sweep(self, name: str) -> None:
        sweep(self.root / name)

    def staged(self, name: str, into: Path) -> Path:
        path = self.root / name
        make_folder(path.parent)
        return path

    def deliver(self, path: Path, name: str) -> None:
        pass


def sweep(path: Path) -> None:
    """Remove what a process that was killed left unfinished beside a file (see `core.files.whole_file`)."""
    for left in path.parent.glob(f".{glob.escape(path.stem[:40])}-????????{glob.escape(path.suffix)}"):
        left.unlink(missing_ok=True)


class Bucket:
    """Objects under a URL."""

    def __init__(self, url: str) -> None:
        try:
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            raise MissingExtraError(f"{url} needs 'obstore', which", "cloud") from error
        self.url = url.rstrip("/")
        with _telling(self.url):
            self.store: Any = from_url(self.url, client_options={"allow_http": True})

    def names(self) -> Iterator[str]:
        with _telling(self.url):
            for batch in self.store.list():
                yield from (found["path"] for found in batch)

    def stamp(self, name: str) -> Stamp | None:
        try:
            with _telling(f"{self.url}/{name}"):
                found = self.store.head(name)
        except FileNotFoundError:
            return None
        return found["size"], found["e_tag"] or str(found["last_modified"])

    def fetched(self, name: str, into: Path) -> Path:
        content = self.read(name)
        if content is None:
            raise FileError(f"{self.url}/{name}", "does not exist")
        path = into / PurePosixPath(name).name
        path.write_bytes(content)
        return path

    def read(self, name: str, most: int | None = None) -> bytes | None:
        options = {} if most is None else {"options": {"range": (0, most)}}
        try:
            with _telling(f"{self.url}/{name}"):
                return bytes(self.store.get(name, **options).bytes())
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """On condition that nobody else has written since: of two writers of one result, the first wins."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with _telling(f"{self.url}/{name}"):
            try:
                found = self.store.head(name)
                mode: Any = {key: found[key] for key in ("e_tag", "version") if found[key]}
            except FileNotFoundError:
                mode = "create"
            with contextlib.suppress(AlreadyExistsError, PreconditionError):
                self.store.put(name, data, mode=mode)

    def sweep(self, name: str) -> None:
        pass  # an object is there whole or not at all

    def staged(self, name: str, into: Path) -> Path:
        return into / PurePosixPath(name).name

    def deliver(self, path: Path, name: str) -> None:
        self.write(name, path.read_bytes())


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """Turn what the store says into an UnavailableError that names the object."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnavailableError(
            url, f"cannot be reached ({reason})", "check the address and the keys in the environment"
        ) from error


@contextmanager
def sole_writer(root: str) -> Iterator[None]:
    """Refuse a second batch into the same folder of this machine. The lock goes with the process, however it ends."""
    if is_url(root):
        yield
        return
    make_folder(Path(root))
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        yield
        return
    with open(Path(root, ".batch.lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FileError(
                root, "is being written by another batch", "wait for it, or choose another folder"
            ) from error
        yield
