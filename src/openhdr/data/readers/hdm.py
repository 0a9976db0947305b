"""HdM / NTIRE 2021 and 2022: frames from two Alexa cameras' footage, 1060 x 1900.

Three layouts are in use, found by what is in the folder:

    challenge   ROOT[/train]/0001_short.png _medium.png _long.png _gt.png _exposures.npy _alignratio.npy
    ADNet       ROOT/training/SCENE/0.png 1.png 2.png gt.png exposures.npy alignratio.npy
                and ROOT/validation/ in the challenge layout, ROOT/val.npy = ids of it
    GSANet      ROOT/short_sub medium_sub long_sub gt_sub/NAME.png, exposures/ID_exposures.npy,
                alignratio/ID_alignratio.npy: patches, NAME starts with the ID

Without split folders, whole shots are held out for validation by the published list (splits/hdm.json).
The truth is a 16-bit PNG in the gamma domain: code / alignratio = light^(1/2.24), 1.0 = the medium frame
clips. A patch keeps its image's alignratio.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import FileError
from openhdr.data.dataset import Dataset, Entry, first_folder, images_in, need_entries, subfolders
from openhdr.data.files import read_array, read_codes
from openhdr.data.sample import Sample
from openhdr.data.splits import numbers_of

LAYOUT = (
    "0001_short.png 0001_medium.png 0001_long.png 0001_gt.png 0001_exposures.npy 0001_alignratio.npy, or a "
    "folder a scene with 0.png 1.png 2.png gt.png exposures.npy alignratio.npy"
)
RESPONSE = f"gamma:{NETWORK_GAMMA:g}"
_FOLDERS = {"train": ("training", "train"), "validation": ("validation", "valid", "val")}


def open_hdm(root: Path, split: str) -> Dataset:
    """All scenes of one split, by split folders, val.npy or the published list of shots."""
    folder = first_folder(root, _FOLDERS[split]) or root
    divided = any(first_folder(root, names) for names in _FOLDERS.values())
    if divided and folder == root:
        raise FileError(root, f"has no {split} folder", f"expected one of: {', '.join(_FOLDERS[split])}")
    entries = _gsanet(folder) or _challenge(folder) or _folders(folder)
    if not divided:
        held = set(numbers_of("hdm", "validation"))
        entries = {
            name: e for name, e in entries.items() if (_number(name) in held) == (split == "validation")
        }
    dataset = need_entries("hdm", root, LAYOUT, entries)
    listed = root / "val.npy"
    if split == "validation" and listed.is_file():
        return dataset.only(_listed_names(listed, dataset))
    return dataset


def _number(name: str) -> int:
    """The scene number that a scene's or patch's name begins with; -1 where there is none."""
    digits = name.split("_")[0]
    return int(digits) if digits.isdecimal() else -1


def _challenge(folder: Path) -> dict[str, Entry]:
    names = [path.name.removesuffix("_medium.png") for path in images_in(folder, (".png",))]
    found = [name for name in names if not name.endswith(".png")]
    pieces = ("short.png", "medium.png", "long.png", "gt.png", "exposures.npy", "alignratio.npy")
    return {name: _entry(name, [folder / f"{name}_{piece}" for piece in pieces]) for name in found}


def _folders(folder: Path) -> dict[str, Entry]:
    pieces = ("0.png", "1.png", "2.png", "gt.png", "exposures.npy", "alignratio.npy")
    scenes = [path for path in subfolders(folder) if any((path / piece).is_file() for piece in pieces)]
    return {path.name: _entry(path.name, [path / piece for piece in pieces]) for path in scenes}


def _gsanet(folder: Path) -> dict[str, Entry]:
    entries = {}
    for medium in images_in(folder / "medium_sub", (".png",)):
        key = medium.name.split("_")[0]
        frames = [
            folder / f"{kind}_sub" / medium.name.replace("medium", kind)
            for kind in ("short", "medium", "long", "gt")
        ]
        numbers = [folder / kind / f"{key}_{kind}.npy" for kind in ("exposures", "alignratio")]
        name = medium.stem.replace("_medium", "")
        entries[name] = _entry(name, frames + numbers)
    return entries


def _entry(name: str, files: list[Path]) -> Entry:
    return Entry(tuple(files), partial(_load, name, files))


def _load(name: str, files: list[Path]) -> Sample:
    *frames, truth, exposures, ratio = files
    stops = read_array(exposures, 3)
    align = np.float32(read_array(ratio, 1)[0])
    if not align > 0:
        raise FileError(ratio, f"holds {align:g}", "expected a ratio above 0")
    codes = read_codes(truth)
    if codes.dtype != np.uint16:
        raise FileError(truth, f"is {codes.dtype}", "expected a 16-bit PNG")
    light = (codes.astype(np.float32) / align) ** np.float32(NETWORK_GAMMA)
    ev = tuple(float(stop) for stop in stops - stops[1])
    return Sample(name, tuple(read_codes(frame) for frame in frames), ev, 1, RESPONSE, light)


def _listed_names(path: Path, dataset: Dataset) -> list[str]:
    """Names of the ids in val.npy."""
    try:
        ids = np.load(path, allow_pickle=False).ravel()
    except (OSError, ValueError) as error:
        raise FileError(
            path, f"is not a NumPy array ({error})", "expected a list of scene numbers"
        ) from error
    by_number = {int(name): name for name in dataset.names if name.isdecimal()}
    unknown = [int(number) for number in ids if int(number) not in by_number]
    if unknown:
        raise FileError(path, f"lists scene {unknown[0]}, which is not in the validation folder")
    return [by_number[int(number)] for number in ids]
