"""Any folder of brackets: one subfolder a bracket (or the folder itself is one).

SCENE/*.jpg (.png .tif .webp .avif), two or more; optionally ev.txt or exposure.txt with one EV a photo in
the order of the names or info.json with shutter times, gt.exr or gt.hdr = truth with 1.0 = the middle exposure clips
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openhdr.data.brackets import PHOTOS, listed_stops, read_frames
from openhdr.data.dataset import Dataset, Entry, need_entries, subfolders
from openhdr.data.files import read_linear
from openhdr.data.sample import Sample
from openhdr.io import images_in

LAYOUT = (
    "a folder a bracket with two or more photos, optionally ev.txt (one EV a photo), info.json and gt.exr"
)
_TRUTH = ("gt.exr", "gt.hdr")


def open_bracket_folder(root: Path, split: str) -> Dataset:
    """All brackets."""
    folders = [folder for folder in (subfolders(root) or [root]) if len(_photos(folder)) > 1]
    entries = {folder.name: Entry(tuple(_photos(folder)), partial(_load, folder)) for folder in folders}
    return need_entries("bracket-folder", root, LAYOUT, entries)


def _photos(folder: Path) -> list[Path]:
    return images_in(folder, PHOTOS)


def _load(folder: Path) -> Sample:
    paths = _photos(folder)
    label = next((folder / name for name in _TRUTH if (folder / name).is_file()), None)
    frames, ev, reference = read_frames(paths, listed_stops(paths))
    return Sample(folder.name, frames, ev, reference, "srgb", read_linear(label) if label else None)
