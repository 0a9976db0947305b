"""A dataset -> shards of patches, so that training reads small pieces in long runs. Resumes where it stopped.

The settings of the papers are in PAPER_CUTS; a stack-based run crops 384 of the 512 while it trains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import io
from openhdr.core.errors import RequestError
from openhdr.data.dataset import Dataset
from openhdr.data.files import array_bytes
from openhdr.data.sample import PicturesT, Sample
from openhdr.data.shards import Pieces, ShardSet, array_from, prepare
from openhdr.data.splits import refuse_held_out


@dataclass(frozen=True)
class PatchConfig:
    """How an image is cut."""

    size: int = 256  # pixels
    stride: int = 128  # pixels between patches
    edge: int = 0  # pixels: one more patch at the border where more than so many remain; 0 = none
    total: int = 0  # patches of all scenes together, drawn at random from the grid; 0 = all
    resize: int = 0  # pixels: first bring the image to a square of this side; 0 = leave it
    scenes_per_shard: int = 4

    def __post_init__(self) -> None:
        if self.size < 1 or self.stride < 1 or min(self.edge, self.total) < 0 or self.scenes_per_shard < 1:
            raise RequestError(f"patch settings {self}; expected size, stride and scenes_per_shard above 0")


_DRAW_SEED = 20210419  # of the patches that `total` draws, so that every run cuts the same

PAPER_CUTS = {
    "adnet": PatchConfig(size=256, stride=128),
    "eapnet": PatchConfig(size=256, stride=128),
    "gsanet": PatchConfig(size=480, stride=240, edge=48),
    "two-stage": PatchConfig(size=256, stride=256, total=7551),
    "stack-itm": PatchConfig(size=512, stride=512, resize=512),
    "ahdrnet": PatchConfig(size=256, stride=256),
}


def cut_positions(length: int, config: PatchConfig) -> list[int]:
    """Where patches begin along a side of `length` pixels; none when the side is shorter than a patch."""
    if length < config.size:
        return []
    begins = list(range(0, length - config.size + 1, config.stride))
    rest = length - (begins[-1] + config.size)
    return begins + [length - config.size] if config.edge and rest > config.edge else begins


Corners = dict[str, list[tuple[int, int]]]
"""Scene -> the upper left corners (x, y) of its patches."""


def corners_of(dataset: Dataset, config: PatchConfig) -> Corners:
    """Where the patches of every scene lie; only the headers of files are read."""
    corners: Corners = {}
    for name in dataset.names:
        picture = next(
            path for path in dataset.entries[name].files if path.suffix not in (".txt", ".npy", ".json")
        )
        info = io.probe(picture)
        height, width = (config.resize, config.resize) if config.resize else (info.height, info.width)
        corners[name] = [(x, y) for y in cut_positions(height, config) for x in cut_positions(width, config)]
    every = [(name, corner) for name, found in corners.items() for corner in found]
    if not config.total or config.total >= len(every):
        return corners
    chosen = np.sort(np.random.default_rng(_DRAW_SEED).permutation(len(every))[: config.total])
    drawn: Corners = {name: [] for name in corners}
    for k in chosen:
        drawn[every[k][0]].append(every[k][1])
    return drawn


def prepare_patches(dataset: Dataset, folder: Path, config: PatchConfig) -> ShardSet:
    """Cut every scene of `dataset` into shards in `folder`. Shards of an interrupted run are kept.

    Raises FileError for a scene that cannot be read, RequestError for one that is held out.
    """
    refuse_held_out(dataset.names)
    step = config.scenes_per_shard
    groups = [dataset.names[k : k + step] for k in range(0, len(dataset), step)]
    corners = corners_of(dataset, config)
    fills = {
        f"patches-{n:05d}.tar": partial(_cut_all, dataset, {name: corners[name] for name in group}, config)
        for n, group in enumerate(groups)
    }
    facts = {"kind": "patches", "dataset": dataset.kind, "scenes": list(dataset.names), "cut": asdict(config)}
    return prepare(folder, facts, fills)


def turn(sample: PicturesT, flip_x: bool, flip_y: bool, transpose: bool) -> PicturesT:
    """The sample mirrored and transposed, all its images alike (GSANet: each with probability one half)."""

    def turned(picture: np.ndarray) -> np.ndarray:
        picture = picture[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        return np.ascontiguousarray(picture.transpose(1, 0, 2) if transpose else picture)

    return sample.changed(turned)


def crop(sample: PicturesT, left: int, top: int, size: int) -> PicturesT:
    """A square piece of all images of a sample; the truth's scale stays."""
    return sample.changed(lambda picture: np.ascontiguousarray(picture[top : top + size, left : left + size]))


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """(H, W, 3) -> (side, side, 3), of the same type; the shape is not kept."""
    import cv2

    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def read_sized(dataset: Dataset, name: str, config: PatchConfig) -> Sample:
    """A scene of a dataset at the size that it is cut at."""
    sample = dataset.load(name)
    return sample.changed(partial(resized, side=config.resize)) if config.resize else sample


def _cut_all(dataset: Dataset, corners: Corners, config: PatchConfig) -> Iterator[tuple[str, Pieces]]:
    for name, found in corners.items():
        if not found:
            continue
        sample = read_sized(dataset, name, config)
        for number, (left, top) in enumerate(found):
            key = f"{name}_{number:04d}".replace(".", "_").replace("/", "_")
            yield key, pack(replace(crop(sample, left, top, config.size), name=key))


def pack(sample: Sample) -> Pieces:
    """A sample as pieces of a shard."""
    facts: dict[str, Any] = {
        "name": sample.name,
        "ev": sample.ev,
        "reference": sample.reference,
        "response": sample.response,
    }
    facts["extras"], facts["frames"] = sorted(sample.extras), len(sample.frames)
    pieces = {"json": json.dumps(facts).encode()}
    pieces |= {f"{number}.npy": array_bytes(frame) for number, frame in enumerate(sample.frames)}
    pieces |= {f"{name}.npy": array_bytes(picture) for name, picture in sample.extras.items()}
    if sample.truth is not None:
        pieces["truth.npy"] = array_bytes(sample.truth.astype(np.float32))
    return pieces


def unpack(pieces: Pieces) -> Sample:
    """The sample that `pack` packed."""
    facts = json.loads(pieces["json"])
    return Sample(
        name=facts["name"],
        frames=tuple(array_from(pieces[f"{number}.npy"]) for number in range(facts["frames"])),
        ev=None if facts["ev"] is None else tuple(facts["ev"]),
        reference=facts["reference"],
        response=facts["response"],
        truth=array_from(pieces["truth.npy"]) if "truth.npy" in pieces else None,
        extras={name: array_from(pieces[f"{name}.npy"]) for name in facts["extras"]},
    )
