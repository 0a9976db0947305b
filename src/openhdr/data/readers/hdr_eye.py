"""HDR-Eye (Nemoto et al. 2015): 46 scenes with nine exposures, the merged HDR image and an LDR image.

    ROOT[/images]/HDR/C01_HDR.hdr (or C01.hdr, .exr), ROOT[/images]/Bracketed_images/C01/*.jpg,
    ROOT[/images]/LDR/C01_LDR.jpg

Only the HDR images are required. The truth's scale is its own: where the bracket's shutter times are not in
its metadata, exposures are unknown and 1.0 has no meaning.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openhdr.data.brackets import PHOTOS, read_frames
from openhdr.data.dataset import Dataset, Entry, first_folder, need_entries
from openhdr.data.files import read_codes, read_linear
from openhdr.data.sample import Sample
from openhdr.io import images_in

LAYOUT = "HDR/C01_HDR.hdr ..., optionally Bracketed_images/C01/*.jpg and LDR/C01_LDR.jpg"


def open_hdr_eye(root: Path, split: str) -> Dataset:
    """All scenes; there is no split."""
    top = first_folder(root, ("images",)) or root
    folder = first_folder(top, ("HDR",)) or top / "HDR"
    entries = {}
    for path in images_in(folder, (".hdr", ".exr")):
        name = path.stem.removesuffix("_HDR")
        entries[name] = Entry((path,), partial(_load, name, path, top))
    return need_entries("hdr-eye", root, LAYOUT, entries)


def _load(name: str, path: Path, top: Path) -> Sample:
    brackets = first_folder(top, ("Bracketed_images", "BRACKETED_IMAGES"))
    photos = images_in(brackets / name, PHOTOS) if brackets else []
    truth = read_linear(path)
    frames, ev, reference = read_frames(photos) if photos else ((), None, 0)
    single = [
        p for p in images_in(first_folder(top, ("LDR",)) or top / "LDR", PHOTOS) if p.stem.startswith(name)
    ]
    extras = {"ldr": read_codes(single[0])} if single else {}
    return Sample(name, frames, ev, reference, "srgb", truth, extras)
