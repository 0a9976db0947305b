"""SICE (Cai et al. 2018): 589 stacks of JPEG exposures with a fused label.

    ROOT/Dataset_Part1/N/1.JPG 2.JPG ... (360 stacks), ROOT/Dataset_Part2/N/... (229 stacks), dark to bright;
    labels in ROOT/Dataset_PartK/Label/N.JPG or N.PNG

The stacks carry no exposure times. The authors test on 58 stacks of part 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError
from openhdr.data.dataset import Dataset, Entry, first_folder, need_entries, subfolders
from openhdr.data.files import read_codes
from openhdr.data.sample import Sample
from openhdr.data.splits import numbered
from openhdr.io import images_in

LAYOUT = "Dataset_Part1/N/1.JPG 2.JPG ... (and Dataset_Part2) with labels in Dataset_Part1/Label/N.JPG"
IMAGES = (".jpg", ".jpeg", ".png")


def open_sice(root: Path, split: str) -> Dataset:
    """All stacks of one split."""
    tested = numbered("sice", "test")
    chosen: dict[str, Callable[[int, int], bool]] = {
        "test": lambda part, number: part == 1 and number in tested,
        "train": lambda part, number: part == 2 or number not in tested,
        "all": lambda part, number: True,
    }
    return open_stacks("sice", root, chosen[split])


def open_stacks(kind: str, root: Path, chosen: Callable[[int, int], bool]) -> Dataset:
    """The stacks and labels of which `chosen` (part, number) is true, as samples without exposures."""
    entries = {}
    for part in (1, 2):
        top = first_folder(root, (f"Dataset_Part{part}",))
        for folder in subfolders(top) if top else []:
            if not folder.name.isdecimal():
                continue
            if chosen(part, int(folder.name)):
                name = f"part{part}/{folder.name}"
                labels = first_folder(folder.parent, ("Label",)) or folder.parent / "Label"
                there = [path for path in images_in(labels, IMAGES) if path.stem == folder.name]
                label = there[0] if there else labels / f"{folder.name}.JPG"
                entries[name] = Entry((label,), partial(_load, name, folder, label))
    return need_entries(kind, root, LAYOUT, entries)


def _load(name: str, folder: Path, label: Path) -> Sample:
    paths = images_in(folder, IMAGES)
    if len(paths) < 3:
        raise FileError(folder, f"holds {len(paths)} images", "expected a stack of three or more exposures")
    frames = [read_codes(path) for path in paths]
    # numbers go from dark to bright, but a few stacks are stored the other way: brightness decides
    order = np.argsort([frame.mean() for frame in frames], kind="stable")
    sorted_frames = tuple(frames[k] for k in order)
    return Sample(name, sorted_frames, None, len(frames) // 2, "srgb", None, {"label": read_codes(label)})
