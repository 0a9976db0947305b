"""Output files that appear whole or not at all, and stay after a power cut; folders, and the images in them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar

from openhdr.core.errors import FileError, UnavailableError

STEM_KEPT = 40  # characters of the target's name in the temporary one, which must not become too long
MAX_TEXT = 1 << 26  # characters of a file of facts

Parsed = TypeVar("Parsed")

_REMEDIES = {
    errno.ENOENT: "check that the folder exists",
    errno.ENOTDIR: "check that the folder exists",
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EFBIG: "raise the limit on file sizes, or write a smaller file",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it becomes `path` when the block succeeds, else it is removed.

    The bytes are on the disk before the name changes. The temporary name keeps the suffix, because encoders
    choose by it. A link stays a link: the file that it points to is replaced. A pipe or device is written to.
    Raises UnavailableError when the folder is missing or not writable or the disk is full, FileError when the file is
    read-only.
    """
    with _writing(path):
        target = writable_file(path)
        if target.exists() and not target.is_file():
            with tempfile.TemporaryDirectory() as folder:
                temporary = Path(folder, f"content{target.suffix}")
                yield temporary
                with temporary.open("rb") as content, target.open("wb") as pipe:
                    shutil.copyfileobj(content, pipe)
            return
        temporary = _created_beside(target)
        try:
            yield temporary
            _to_disk(temporary, os.O_RDWR)
            _keep_mode(target, temporary)
            os.replace(temporary, target)
            with contextlib.suppress(OSError):  # not every system lets folders be opened
                _to_disk(target.parent, os.O_RDONLY)
        finally:
            temporary.unlink(missing_ok=True)


def write_whole(path: str | Path, data: bytes | memoryview) -> None:
    """Write `data` as the whole content of `path`, as `whole_file` does."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def writable_file(path: str | Path) -> Path:
    """The file that writing to `path` changes: itself, or what it links to.

    Raises FileError when it is a folder or read-only. Whether the folder can be written shows in writing.
    """
    with _writing(path):
        target = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
        try:
            mode = os.stat(target).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return target
        if stat.S_ISDIR(mode):
            raise FileError(path, "cannot be written (it is a folder)", "name a file")
        if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise FileError(path, "cannot be written (it is read-only)", "choose another name")
        return target


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """Turn errors of the system into an UnavailableError that names `path`."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "")
        raise UnavailableError(path, f"cannot be written ({error.strerror or error})", remedy) from error


def _created_beside(target: Path) -> Path:
    """An empty file of a new name in the folder of `target`, with the permissions that new files get."""
    while True:
        name = f".{target.stem[:STEM_KEPT]}-{secrets.token_hex(4)}{target.suffix}"
        with contextlib.suppress(FileExistsError):
            temporary = target.with_name(name)
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return temporary


def _keep_mode(target: Path, temporary: Path) -> None:
    """Give the new file the permissions of the one that it replaces."""
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))


def _to_disk(path: Path, access: int) -> None:
    """Wait until the disk holds the file or folder."""
    handle = os.open(path, access)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def parsed(path: Path, parse: Callable[[str], Parsed], kind: str, remedy: str = "") -> Parsed:
    """What `parse`, such as `json.loads`, makes of a small text file in UTF-8.

    kind: what the file should be, for messages. Raises FileError when it is missing, too large or something else.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_TEXT + 1)
    except UnicodeDecodeError as error:
        raise FileError(path, f"is not {kind} (no text in UTF-8)", remedy) from error
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})", remedy) from error
    if len(text) > MAX_TEXT:
        raise FileError(path, f"is not {kind} (longer than {MAX_TEXT} characters)", remedy)
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"is not {kind} ({error})", remedy) from error


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def natural_order(name: str) -> list[int | str]:
    """Sort key for names with numbers: 2 before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def is_image(name: str, endings: Collection[str]) -> bool:
    """Whether a file name has one of the endings (lower case, with dot), and does not begin with a dot."""
    path = PurePosixPath(name)
    return path.name[:1] not in ("", ".") and path.suffix.lower() in endings


def images_in(folder: Path, endings: Collection[str], deep: bool = False) -> list[Path]:
    """Files of a folder with one of the endings, in natural order (2 before 10); none where there is no folder.

    deep: those of folders in it, too. What begins with a dot is passed over.
    """
    found = []
    for place, inside, names in os.walk(folder):
        inside[:] = [name for name in inside if deep and name[0] != "."]
        found += [Path(place, name) for name in names if is_image(name, endings)]
    return sorted(found, key=lambda path: natural_order(path.as_posix()))


def make_folder(folder: Path, remedy: str = "choose another folder with -o") -> None:
    """Make a folder if it is not there. Raises FileError, which says what to do: `remedy`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(folder, f"cannot be made ({error.strerror})", remedy) from error
