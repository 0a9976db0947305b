"""A set of samples on disk: names and what each needs, known before any pixel is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openhdr.core.errors import FileError, RequestError, unknown_name
from openhdr.data.sample import Sample

Load = Callable[[], Sample]


@dataclass(frozen=True)
class Entry:
    """One scene: the files that it needs and how it is read."""

    files: tuple[Path, ...]
    load: Load


@dataclass(frozen=True)
class Dataset:
    """Scenes by name, in a fixed order.

    kind: the row of the table of datasets. layout: one line that says what a scene is made of.
    """

    kind: str
    root: Path
    layout: str
    entries: Mapping[str, Entry]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Sample]:
        return (self.load(name) for name in self.entries)

    def load(self, name: str) -> Sample:
        """Read one scene. Raises FileError naming the missing or unusable file and what was expected."""
        if name not in self.entries:
            raise unknown_name(f"scene of dataset {self.kind}", name, self.names)
        missing = self.missing(name)
        if missing:
            raise FileError(
                missing[0], f"is missing from scene '{name}'", f"{self.kind} expects {self.layout}"
            )
        try:
            return self.entries[name].load()
        except RequestError as error:
            raise FileError(
                self.root, f"scene '{name}' cannot be used: {error}", f"expected {self.layout}"
            ) from error

    def missing(self, name: str) -> list[Path]:
        """Files of a scene that are not there."""
        return [path for path in self.entries[name].files if not path.is_file()]

    def complete(self) -> Dataset:
        """The scenes of which no file is missing."""
        return self.only([name for name in self.entries if not self.missing(name)])

    def only(self, names: Sequence[str]) -> Dataset:
        """The named scenes."""
        return replace(self, entries={name: self.entries[name] for name in names})


def need_entries(kind: str, root: Path, layout: str, entries: Mapping[str, Entry]) -> Dataset:
    """The dataset; raises FileError when the folder is missing or holds no scene."""
    if not root.is_dir():
        raise FileError(root, "is not a folder", f"{kind} expects {layout}")
    if not entries:
        raise FileError(root, "holds no scene", f"{kind} expects {layout}")
    return Dataset(kind, root, layout, dict(entries))


def subfolders(root: Path) -> list[Path]:
    """Folders in `root` in a fixed order (numbers by value), hidden ones left out; none if it is missing."""
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=numeric)


def numeric(path: Path) -> tuple[int, str]:
    """Sorting key: plain numbers by value first, then names."""
    return (int(path.stem), "") if path.stem.isdecimal() else (1 << 60, path.stem)


def first_folder(root: Path, names: Sequence[str]) -> Path | None:
    """The first of the named subfolders that exists, whatever its case."""
    there = {path.name.lower(): path for path in subfolders(root)}
    return next((there[name.lower()] for name in names if name.lower() in there), None)
