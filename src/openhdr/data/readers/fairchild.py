"""HDR Photographic Survey (Fairchild 2007): 105 OpenEXR images, with brackets of nine frames where fetched.

    ROOT[/HDR]/SCENE.exr, optionally ROOT/SCENE/ with the photos as JPEG, PNG or TIFF

The images are calibrated by one factor a scene that is published apart; values are taken as relative.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openhdr.data.brackets import PHOTOS, read_frames
from openhdr.data.dataset import Dataset, Entry, first_folder, need_entries
from openhdr.data.files import read_linear
from openhdr.data.sample import Sample
from openhdr.io import images_in

LAYOUT = "SCENE.exr files (in the folder or in HDR/), optionally SCENE/ with its photos"


def open_fairchild(root: Path, split: str) -> Dataset:
    """All scenes; there is no split."""
    folder = first_folder(root, ("HDR",)) or root
    paths = images_in(folder, (".exr",))
    entries = {path.stem: Entry((path,), partial(_load, path, root / path.stem)) for path in paths}
    return need_entries("fairchild", root, LAYOUT, entries)


def _load(path: Path, folder: Path) -> Sample:
    photos = images_in(folder, PHOTOS)
    frames, ev, reference = read_frames(photos) if photos else ((), None, 0)
    return Sample(path.stem, frames, ev, reference, "srgb", read_linear(path))
