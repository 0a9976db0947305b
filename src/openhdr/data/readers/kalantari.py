"""Kalantari and Ramamoorthi 2017: 74 training and 15 test scenes of people, 1000 x 1500.

    ROOT/Training/SCENE/, ROOT/Test/{EXTRA,PAPER}/SCENE/ (or SCENE/ folders directly in ROOT):
    three 16-bit .tif in the order of their names, exposure.txt with three EVs, HDRImg.hdr

Frames are coded by gamma 2.2. The truth is light over exposure time with time = 2^EV, so the reference clips
at 2^-EV of it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError
from openhdr.data.dataset import Dataset, Entry, first_folder, need_entries, subfolders
from openhdr.data.files import read_codes, read_linear, read_numbers
from openhdr.data.sample import Sample
from openhdr.io import images_in

LAYOUT = "a folder a scene with three .tif frames, exposure.txt (three EVs) and HDRImg.hdr"
RESPONSE = "gamma:2.2"
_FOLDERS = {"train": ("Training", "train"), "test": ("Test", "testing")}


def open_kalantari(root: Path, split: str) -> Dataset:
    """All scenes of one split."""
    return open_scene_folders("kalantari", root, split, LAYOUT, ("HDRImg.hdr",))


def open_scene_folders(kind: str, root: Path, split: str, layout: str, labels: tuple[str, ...]) -> Dataset:
    """Scenes of this layout; `labels` are the names that the truth may have."""
    top = first_folder(root, _FOLDERS[split]) or root
    if top == root and any(first_folder(root, names) for names in _FOLDERS.values()):
        raise FileError(
            root, f"has no {_FOLDERS[split][0]} folder", f"{kind} expects one beside the other split"
        )
    entries = {}
    for folder in subfolders(top):
        nested = [inner for inner in subfolders(folder) if _is_scene(inner)]
        for scene in nested or ([folder] if _is_scene(folder) else []):
            name = str(scene.relative_to(top))
            found = (scene / label for label in labels if (scene / label).is_file())
            label = next(found, scene / labels[0])
            entries[name] = Entry((scene / "exposure.txt", label), partial(_load, name, scene, label))
    return need_entries(kind, root, layout, entries)


def _is_scene(folder: Path) -> bool:
    return (folder / "exposure.txt").is_file() or bool(images_in(folder, (".tif", ".tiff")))


def _load(name: str, folder: Path, label: Path) -> Sample:
    paths = images_in(folder, (".tif", ".tiff"))
    if len(paths) != 3:
        raise FileError(
            folder, f"holds {len(paths)} .tif files", "expected three frames, shortest exposure first"
        )
    stops = read_numbers(folder / "exposure.txt", 3)
    if not (np.diff(stops) > 0).all():
        raise FileError(
            folder / "exposure.txt", "does not rise", "expected three EVs, shortest exposure first"
        )
    truth = read_linear(label) * np.float32(2.0 ** stops[1])
    ev = tuple(float(stop) for stop in stops - stops[1])
    return Sample(name, tuple(read_codes(path) for path in paths), ev, 1, RESPONSE, truth)
