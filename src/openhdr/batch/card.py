"""The photos of a card, or of any folder: found, described by their metadata, and grouped into brackets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any

from openhdr import io
from openhdr.batch.storage import open_storage
from openhdr.bracketing.grouping import Shot, group
from openhdr.camera.exposure import relative_ev
from openhdr.core import progress
from openhdr.core.errors import FileError, OpenHDRError
from openhdr.core.files import is_image, natural_order
from openhdr.core.threads import cores

WORTH_PROCESSES, CHUNK = 2000, 200  # files from which describing them is spread; files at a time
HEAD_BYTES = 1 << 18  # of a photo in an object store: metadata stand in front


@dataclass(frozen=True)
class Card:
    """Photos, described. problems: of files that could not be read, in words."""

    photos: tuple[io.ImageInfo, ...]
    problems: tuple[str, ...] = ()


def read_card(paths: Iterable[Path]) -> Card:
    """Describe files; those of folders, too, and of those in them. Raises FileError for a folder without images."""
    files = [file for path in paths for file in photos_in(path)]
    return _card(files, _described)


def read_bucket(url: str) -> Card:
    """Describe the photos under a URL by their first bytes; paths are the objects' names. Raises FileError."""
    names = [name for name in open_storage(url).names() if is_image(name, io.ENDINGS)]
    if not names:
        raise FileError(url, "holds no photos")
    return _card(sorted(names, key=natural_order), partial(_described_object, url))


def _card(files: Sequence[Any], describe: Callable[[Any], io.ImageInfo | str]) -> Card:
    found, problems = [], []
    with _mapper(len(files)) as mapped, progress.task("reading", len(files)) as advance:
        for described in mapped(describe, files):
            if isinstance(described, str):
                problems.append(described)
            else:
                found.append(described)
            advance()
    return Card(tuple(found), tuple(problems))


def photos_in(path: Path) -> list[Path]:
    """The file itself, or the image files of a folder and of those in it. Raises FileError where there are none."""
    if not path.is_dir():
        return [path]
    found = io.images_in(path, io.ENDINGS, deep=True)
    if not found:
        raise FileError(path, "holds no photos", "name the folder that they are in")
    return found


@contextmanager
def _mapper(count: int) -> Iterator[Callable[..., Iterable[io.ImageInfo | str]]]:
    """`map`, or that of processes where there are many files."""
    if count < WORTH_PROCESSES or cores() == 1:
        yield map
        return
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        yield partial(pool.map, chunksize=CHUNK)


def _described(path: Path) -> io.ImageInfo | str:
    try:
        return io.probe(path)
    except OpenHDRError as error:
        return str(error)


def _described_object(url: str, name: str) -> io.ImageInfo | str:
    """By the first bytes, and where those do not tell, by all."""
    storage = open_storage(url)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, PurePosixPath(name).name)
        for most in (HEAD_BYTES, None):
            try:
                path.write_bytes(storage.read(name, most) or b"")
                return replace(io.probe(path), path=Path(name))
            except OpenHDRError as error:
                problem = str(error).replace(scratch, url)
    return problem


def brackets_of(photos: Sequence[io.ImageInfo], eager: bool = False) -> list[list[io.ImageInfo]]:
    """Photos that were shot as brackets, each in the order of shooting. What openhdr made of photos is no photo.

    eager: doubtful brackets, too.
    """
    shot = [photo for photo in photos if not io.is_result(photo.metadata)]
    return [[shot[i] for i in members] for members in group([shot_of(photo) for photo in shot], eager)]


def shot_of(photo: io.ImageInfo) -> Shot:
    """What grouping looks at."""
    facts, exposure = photo.metadata, photo.exposure
    known = exposure is not None and exposure.time_s is not None
    when = seconds_of(facts.get("date"))
    return Shot(
        name=photo.path.as_posix(),
        size=(photo.width, photo.height),
        camera=" ".join(str(facts.get(name, "")) for name in ("make", "model", "serial")),
        kind=photo.format,
        ev=relative_ev(exposure) if exposure is not None and known else None,
        time_s=(exposure.time_s if exposure else None) or 0.0,
        when=None if when is None else when + facts.get("subsecond", 0.0),
        exact="subsecond" in facts,
        focal_length=facts.get("focal_length"),
        bias_ev=exposure.bias_ev if exposure else None,
        mode=facts.get("exposure_mode"),
        bracketing=facts.get("bracketing"),
        sequence=facts.get("sequence"),
    )


def seconds_of(date: str | None) -> float | None:
    """`YYYY:MM:DD hh:mm:ss` on the camera's clock -> seconds; None where it is missing or no date."""
    try:
        return datetime.strptime(date or "", "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
