"""HdM / NTIRE 2021 and 2022: frames from two Alexa cameras' footage, 1060 x 1900.

Three layouts are in use, found by what is in the folder:

    challenge   ROOT[/train]/0001_short.png _medium.png _long.png _gt.png _exposures.npy _alignratio.npy
    ADNet       ROOT/training/SCENE/0.png 1.png 2.png gt.png exposures.npy alignratio.npy
                and ROOT/validation/ in the challenge layout, ROOT/val.npy = ids of it
    GSANet      ROOT/short_sub medium_sub long_sub gt_sub/NAME.png, exposures/ID_exposures.npy,
                alignratio/ID_alignratio.npy: patches, NAME starts with the ID

Splits are listed in splits/hdm.json, with whose they are. A folder that is divided already, with complete scenes in
both parts, stays as it is: every split for training is its training part, every other one its validation part.
The truth is a 16-bit PNG in the gamma domain: code / alignratio = light^(1/2.24), 1.0 = the medium frame
clips. A patch keeps its image's alignratio.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import FileError
from openhdr.data.challenge import read_result
from openhdr.data.dataset import Dataset, Entry, first_folder, need_entries, subfolders
from openhdr.data.files import read_array, read_codes
from openhdr.data.sample import Sample
from openhdr.data.splits import numbered
from openhdr.io import images_in

LAYOUT = (
    "0001_short.png 0001_medium.png 0001_long.png 0001_gt.png 0001_exposures.npy 0001_alignratio.npy, or a "
    "folder a scene with 0.png 1.png 2.png gt.png exposures.npy alignratio.npy"
)
RESPONSE = f"gamma:{NETWORK_GAMMA:g}"
_FOLDERS = {"train": ("training", "train"), "validation": ("validation", "valid", "val")}


def open_hdm(root: Path, split: str) -> Dataset:
    """The scenes of one split, by the folder's own division, val.npy or the lists of splits/hdm.json."""
    if split == "test":  # the challenges published no truth of it
        frames = _scenes(first_folder(root, ("test", "testing")) or root)
        entries = {name: _entry(name, list(entry.files[:4])) for name, entry in frames.items()}
        return need_entries("hdm", root, LAYOUT, entries)
    parts = {name: first_folder(root, names) for name, names in _FOLDERS.items()}
    held = _scenes(parts["validation"]) if parts["validation"] else {}
    if (
        split != "all"
        and parts["train"]
        and any(all(path.is_file() for path in one.files) for one in held.values())
    ):
        entries = (
            _scenes(parts["train"]) if split.endswith("train") else held
        )  # whoever divided the folder decides
    else:
        folders = [folder for folder in parts.values() if folder] or [root]
        entries = {name: entry for folder in folders for name, entry in _scenes(folder).items()}
        if entries and split != "all":
            wanted = numbered("hdm", split)
            entries = {name: entry for name, entry in entries.items() if _number(name) in wanted}
            if not entries:
                raise FileError(
                    root, f"holds no scene of the split '{split}'", f"its scenes: {wanted.source}"
                )
    dataset = need_entries("hdm", root, LAYOUT, entries)
    listed = root / "val.npy"
    if split == "validation" and listed.is_file():
        return dataset.only(_listed_names(listed, dataset))
    return dataset


def _scenes(folder: Path) -> dict[str, Entry]:
    return _gsanet(folder) or _challenge(folder) or _folders(folder)


def _number(name: str) -> int:
    """The scene number that a scene's or patch's name begins with; -1 where there is none."""
    digits = name.split("_")[0]
    return int(digits) if digits.isdecimal() else -1


def _challenge(folder: Path) -> dict[str, Entry]:
    names = [path.name.removesuffix("_medium.png") for path in images_in(folder, (".png",))]
    found = [name for name in names if not name.endswith(".png")]
    pieces = ("short.png", "medium.png", "long.png", "exposures.npy", "gt.png", "alignratio.npy")
    return {name: _entry(name, [folder / f"{name}_{piece}" for piece in pieces]) for name in found}


def _folders(folder: Path) -> dict[str, Entry]:
    pieces = ("0.png", "1.png", "2.png", "exposures.npy", "gt.png", "alignratio.npy")
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
        entries[name] = _entry(name, [*frames[:3], numbers[0], frames[3], numbers[1]])
    return entries


def _entry(name: str, files: list[Path]) -> Entry:
    return Entry(tuple(files), partial(_load, name, files))


def _load(name: str, files: list[Path]) -> Sample:
    """files: three frames, the exposures and, where there is a truth, it and its ratio."""
    *frames, exposures = files[:4]
    stops = read_array(exposures, 3)
    light = read_result(*files[4:]) if files[4:] else None
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
