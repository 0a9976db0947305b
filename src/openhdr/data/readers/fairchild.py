"""HDR Photographic Survey (Fairchild 2007): 105 OpenEXR images, with nine-shot brackets where fetched.

    ROOT[/HDR]/SCENE.exr, optionally ROOT/SCENE/ with the shots as JPEG, PNG or TIFF

The images are calibrated by one factor a scene that is published apart; values are taken as relative.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openhdr.data.brackets import read_shots
from openhdr.data.dataset import Dataset, Entry, first_folder, images_in, need_entries
from openhdr.data.files import read_linear
from openhdr.data.sample import Sample

LAYOUT = "SCENE.exr files (in the folder or in HDR/), optionally SCENE/ with its shots"
SHOTS = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def open_fairchild(root: Path, split: str) -> Dataset:
    """All scenes; there is no split."""
    folder = first_folder(root, ("HDR",)) or root
    paths = images_in(folder, (".exr",))
    entries = {path.stem: Entry((path,), partial(_load, path, root / path.stem)) for path in paths}
    return need_entries("fairchild", root, LAYOUT, entries)


def _load(path: Path, folder: Path) -> Sample:
    shots = images_in(folder, SHOTS)
    frames, ev, reference = read_shots(shots) if shots else ((), None, 0)
    return Sample(path.stem, frames, ev, reference, "srgb", read_linear(path))
