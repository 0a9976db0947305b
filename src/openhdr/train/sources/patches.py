"""Training samples cut from a dataset on disk.

A dataset in its original layout is cut into shards of patches first, once; or, with `data.on_the_fly`, a patch is cut
out of its scene each time that it is asked for, which costs the time of reading the scene and no disk. Every epoch
passes through all patches in a new random order.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError, RequestError, unknown_name
from openhdr.data.dataset import Dataset
from openhdr.data.patches import (
    PAPER_CUTS,
    PatchConfig,
    corners_of,
    crop,
    prepare_patches,
    read_sized,
    unpack,
)
from openhdr.data.readers import open_dataset
from openhdr.data.sample import Sample
from openhdr.data.shards import INDEX, open_shards
from openhdr.data.splits import refuse_held_out
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import ShardIndex, shuffled

_HOLD_OUT_SEED = 20230616  # of the draw of scenes that are held out, so that every run holds out the same


@dataclass(frozen=True)
class PatchSource:
    """Patches of a dataset, read from shards."""

    patches: ShardIndex
    config: DataConfig
    seed: int

    @property
    def epoch(self) -> int:
        return self.patches.samples

    def sample(self, index: int) -> Sample:
        return unpack(self.patches.read(shuffled(self.seed, index, self.patches.samples)))

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        return held_out(self.config, config)


@dataclass(frozen=True)
class SceneSource:
    """Patches of a dataset, cut when they are asked for. places: (scene, x, y) of every patch."""

    dataset: Dataset
    places: tuple[tuple[str, int, int], ...]
    cut: PatchConfig
    config: DataConfig
    seed: int

    @property
    def epoch(self) -> int:
        return len(self.places)

    def sample(self, index: int) -> Sample:
        name, left, top = self.places[shuffled(self.seed, index, len(self.places))]
        return crop(read_sized(self.dataset, name, self.cut), left, top, self.cut.size)

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        return held_out(self.config, config)


def held_out(data: DataConfig, config: ValidationConfig) -> tuple[list[Sample], str]:
    """Held-out scenes, spread over all of the split, and a line that says which."""
    held = held_out_scenes(data, Path(config.path or data.path))
    spread = np.linspace(0, len(held) - 1, min(config.samples, len(held))).round().astype(int)
    chosen = held.only([held.names[k] for k in spread])
    samples = [(crop(sample, 0, 0, config.size) if config.size else sample) for sample in chosen]
    split = data.validation_split or f"{data.split}, held out"
    return samples, f"{len(samples)} scenes of {held.kind} ({split}): {', '.join(chosen.names)}"


def held_out_scenes(data: DataConfig, folder: Path) -> Dataset:
    """The scenes of a dataset's folder that are validated on. Raises OpenHDRError where there are none."""
    if (folder / INDEX).is_file():
        raise RequestError(
            f"{folder} holds patches for training; name the dataset's own folder as "
            "validation.path in the recipe, or do without (validation.every = 0)"
        )
    _, held = split_of(data, folder)
    if not len(held):
        raise FileError(folder, "holds no complete validation scene", f"expected {held.layout}")
    return held


def open_patches(config: DataConfig, seed: int, cache: Path) -> PatchSource | SceneSource:
    """The patches of a dataset's folder, or of a folder of patches.

    cache: where patches are written, if the folder holds none.
    """
    folder = Path(config.path)
    if not config.path or not folder.is_dir():
        raise FileError(
            config.path or "the training data", "is not a folder", "give the dataset's folder as `data`"
        )
    if (folder / INDEX).is_file():
        shards = open_shards(folder)
    else:
        dataset, cut = to_be_cut(config)
        if config.on_the_fly:
            refuse_held_out(dataset.names)
            places = tuple((name, *one) for name, found in corners_of(dataset, cut).items() for one in found)
            if not places:
                raise FileError(
                    folder, f"holds no image of {cut.size}x{cut.size} pixels", "that is what is cut"
                )
            return SceneSource(dataset, places, cut, config, seed)
        shards = prepare_patches(dataset, cache, cut)
    if shards.facts.get("kind") != "patches" or not shards.samples:
        raise FileError(folder, "holds no patches", "give the dataset's own folder as `data`")
    refuse_held_out(shards.facts["scenes"])
    return PatchSource(ShardIndex.of(shards), config, seed)


def to_be_cut(config: DataConfig) -> tuple[Dataset, PatchConfig]:
    """The scenes that a recipe trains on, and how they are cut."""
    folder = Path(config.path)
    dataset, _ = split_of(config, folder)
    if not len(dataset):
        raise FileError(folder, "holds no complete scene", f"{dataset.kind} expects {dataset.layout}")
    if config.cut not in PAPER_CUTS:
        raise unknown_name("value of recipe key 'data.cut',", config.cut, PAPER_CUTS)
    return dataset, PAPER_CUTS[config.cut]


def split_of(config: DataConfig, folder: Path) -> tuple[Dataset, Dataset]:
    """Scenes to train on and scenes to validate on, complete ones only.

    Without a validation split, or where the folder has no scene of it, scenes are held out: `hold_out`, but at most
    half of them.
    """
    dataset = open_dataset(config.dataset, folder, config.split).complete()
    if config.validation_split:
        try:
            return dataset, open_dataset(config.dataset, folder, config.validation_split).complete()
        except FileError:
            if len(dataset) < 2:
                raise
    order = np.random.default_rng(_HOLD_OUT_SEED).permutation(len(dataset))
    held = {dataset.names[k] for k in order[: min(config.hold_out, len(dataset) // 2)]}
    kept = [name for name in dataset.names if name not in held]
    return dataset.only(kept), dataset.only([name for name in dataset.names if name in held])
