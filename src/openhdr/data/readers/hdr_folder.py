"""Any folder of HDR images: Radiance .hdr and OpenEXR, subfolders included."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openhdr.data.dataset import Dataset, Entry, need_entries
from openhdr.data.files import read_linear
from openhdr.data.sample import Sample

LAYOUT = ".hdr or .exr files, in subfolders too"
SUFFIXES = (".hdr", ".exr")


def open_hdr_folder(root: Path, split: str) -> Dataset:
    """All images; names are paths below the root without suffix."""
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    entries = {}
    for path in found:
        name = str(path.relative_to(root).with_suffix(""))
        entries[name] = Entry((path,), partial(_load, name, path))
    return need_entries("hdr-folder", root, LAYOUT, entries)


def _load(name: str, path: Path) -> Sample:
    return Sample(name, (), None, 0, "linear", read_linear(path))
