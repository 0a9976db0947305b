"""Training samples cut from a dataset on disk.

A dataset in its original layout is cut into shards of patches first, once; every epoch passes through all
patches in a new random order.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError, RequestError, unknown_name
from openhdr.data.dataset import Dataset
from openhdr.data.patches import PAPER_CUTS, crop, prepare_patches, unpack
from openhdr.data.readers import open_dataset
from openhdr.data.sample import Sample
from openhdr.data.shards import INDEX, open_shards
from openhdr.data.splits import refuse_held_out
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import ShardIndex, shuffled

_HOLD_OUT_SEED = 20230616  # of the draw of scenes that are held out, so that every run holds out the same


@dataclass(frozen=True)
class PatchSource:
    """Patches of a dataset."""

    patches: ShardIndex
    config: DataConfig
    seed: int

    @property
    def epoch(self) -> int:
        return self.patches.samples

    def sample(self, index: int) -> Sample:
        return unpack(self.patches.read(shuffled(self.seed, index, self.patches.samples)))

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        path = Path(config.path or self.config.path)
        if (path / INDEX).is_file():
            raise RequestError(
                f"{path} holds patches for training; name the dataset's own folder as "
                "validation.path in the recipe, or do without (validation.every = 0)"
            )
        _, held = _split(self.config, path)
        chosen = held.only(held.names[: config.samples])
        if not len(chosen):
            raise FileError(path, "holds no complete validation scene", f"expected {held.layout}")
        samples = [(crop(sample, 0, 0, config.size) if config.size else sample) for sample in chosen]
        split = self.config.validation_split or f"{self.config.split}, held out"
        return samples, f"{len(samples)} scenes of {held.kind} ({split}): {', '.join(chosen.names)}"


def open_patches(config: DataConfig, seed: int, cache: Path) -> PatchSource:
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
        dataset, _ = _split(config, folder)
        if not len(dataset):
            raise FileError(folder, "holds no complete scene", f"{dataset.kind} expects {dataset.layout}")
        if config.cut not in PAPER_CUTS:
            raise unknown_name("value of recipe key 'data.cut',", config.cut, PAPER_CUTS)
        shards = prepare_patches(dataset, cache, PAPER_CUTS[config.cut])
    if shards.facts.get("kind") != "patches" or not shards.samples:
        raise FileError(folder, "holds no patches", "give the dataset's own folder as `data`")
    refuse_held_out(shards.facts["scenes"])
    return PatchSource(ShardIndex.of(shards), config, seed)


def _split(config: DataConfig, folder: Path) -> tuple[Dataset, Dataset]:
    """Scenes to train on and scenes to validate on, complete ones only."""
    dataset = open_dataset(config.dataset, folder, config.split).complete()
    if config.validation_split:
        return dataset, open_dataset(config.dataset, folder, config.validation_split).complete()
    order = np.random.default_rng(_HOLD_OUT_SEED).permutation(len(dataset))
    held = {dataset.names[k] for k in order[: config.hold_out]}
    kept = [name for name in dataset.names if name not in held]
    return dataset.only(kept), dataset.only([name for name in dataset.names if name in held])
