"""The photos of a card, or of any folder: found, described by their metadata, and grouped into brackets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from openhdr import io
from openhdr.camera.exposure import relative_ev
from openhdr.camera.grouping import Shot, group
from openhdr.core import progress
from openhdr.core.errors import FileError, OpenHDRError
from openhdr.core.files import natural_order
from openhdr.core.threads import cores

WORTH_PROCESSES, CHUNK = 2000, 200  # files from which describing them is spread; files at a time


@dataclass(frozen=True)
class Card:
    """Photos, described. problems: of files that could not be read, in words."""

    photos: tuple[io.ImageInfo, ...]
    problems: tuple[str, ...] = ()


def read_card(paths: Iterable[Path]) -> Card:
    """Describe files; those of folders, too, and of those in them. Raises FileError for a folder without images."""
    files = [file for path in paths for file in images_in(path)]
    found, problems = [], []
    with _mapper(len(files)) as describe, progress.task("reading", len(files)) as advance:
        for described in describe(files):
            if isinstance(described, str):
                problems.append(described)
            else:
                found.append(described)
            advance()
    return Card(tuple(found), tuple(problems))


def images_in(path: Path) -> list[Path]:
    """The file itself, or the image files of a folder and of those in it, in natural order.

    What begins with a dot is passed over. Raises FileError for a folder without images.
    """
    if not path.is_dir():
        return [path]
    known = {ending for row in io.FORMATS.values() for ending in row.extensions}
    found = []
    for folder, inside, names in os.walk(path):
        inside[:] = [name for name in inside if name[0] != "."]
        found += [
            Path(folder, name)
            for name in names
            if name[0] != "." and os.path.splitext(name)[1].lower() in known
        ]
    if not found:
        raise FileError(path, "holds no photos", "name the folder that they are in")
    return sorted(found, key=lambda file: natural_order(file.as_posix()))


@contextmanager
def _mapper(count: int) -> Iterator[Callable[[Sequence[Path]], Iterable[io.ImageInfo | str]]]:
    """What describes files: here, or in processes where there are many."""
    if count < WORTH_PROCESSES or cores() == 1:
        yield partial(map, _described)
        return
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        yield partial(pool.map, _described, chunksize=CHUNK)


def _described(path: Path) -> io.ImageInfo | str:
    try:
        return io.probe(path)
    except OpenHDRError as error:
        return str(error)


def brackets_of(photos: Sequence[io.ImageInfo]) -> list[list[io.ImageInfo]]:
    """Photos that were shot as brackets, each in the order of shooting. What openhdr made of photos is no photo."""
    shot = [photo for photo in photos if not is_result(photo)]
    return [[shot[i] for i in members] for members in group([shot_of(photo) for photo in shot])]


def is_result(photo: io.ImageInfo) -> bool:
    """Whether it is HDR light of openhdr: it has the exposure of one of its photos, but is none of them."""
    return photo.encoding == "linear" and str(photo.metadata.get("software", "")).startswith("openhdr")


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
