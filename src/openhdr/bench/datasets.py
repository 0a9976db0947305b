"""The field's datasets as cases: brackets or photos as their owners lay them out, scored as their papers score.

A row of DATASET_CASES (`openhdr.bench`) has all that differs: dataset, split, metrics, size. Networks of papers see
the frames as they are (methods/network.py); every other method is run as by `openhdr merge` and `expand`, with the
exposures and the response that the dataset declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from openhdr.bench import DatasetCaseRow
from openhdr.bench.case import BenchScene, Case, SceneEntry
from openhdr.bench.methods.photos import Photos, on_scale
from openhdr.bench.methods.settings import Setting, as_network, expand_settings, merge_settings
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Image
from openhdr.data.dataset import Dataset
from openhdr.data.patches import resized
from openhdr.data.readers import DATASETS, open_dataset
from openhdr.data.sample import exposures_of, truth_of
from openhdr.models.inference.run_options import RunOptions


@dataclass(frozen=True)
class Cut:
    """What of every image is used. crop: side of the square in the upper left corner, 0 = all; side: then brought to a
    square of so many pixels, 0 = not. photo_only: whether methods are given the reference alone.
    """

    crop: int = 0
    side: int = 0
    photo_only: bool = False


def dataset_case(row: DatasetCaseRow, data: Path | None, split: str | None = None, crop: int = 0) -> Case:
    """The case of a dataset in the folder `data`. split: another than the row's. crop: see `Cut`.

    Where none of a split's scenes is in the folder, all are used, and a note says so.
    """
    if data is None:
        raise RequestError(
            f"{row.name} needs its dataset; give the folder as `data`: {DATASETS[row.dataset].summary}"
        )
    dataset, notes = scenes_of_split(row, data, split or row.split)
    cut = Cut(crop, row.side, row.expands)
    scenes = tuple(SceneEntry(name, "", partial(read_scene, dataset, name, cut)) for name in dataset.names)
    settings, more = expand_settings() if row.expands else merge_settings()
    size = f"Images brought to {row.side}x{row.side}." if row.side else "Images at their full size."
    cropped = f" The upper left {crop}x{crop} pixels." if crop else ""
    return Case(
        row.name,
        row.title,
        f"{row.summary} {size}{cropped}",
        scenes,
        tuple(map(as_network, settings)),
        row.columns,
        notes=(*notes, *more),
        frames_as_they_are=True,
    )


def bracket_folder_case(folder: Path) -> Case:
    """Brackets of one's own with their truth: a folder each with photos and gt.exr (1.0 = the middle photo clips)."""
    dataset = open_dataset("bracket-folder", folder)
    known = [
        name
        for name in dataset.names
        if any((folder / name / f"gt{kind}").is_file() for kind in (".exr", ".hdr"))
    ]
    if not known:
        raise FileError(
            folder,
            "holds no bracket with its truth",
            "put gt.exr beside the photos; without a truth: openhdr bench heldout or look --data FOLDER",
        )
    entries = tuple(SceneEntry(name, "", partial(read_scene, dataset, name, Cut())) for name in known)
    settings, notes = merge_settings()
    text = "Every bracket of the folder that has its truth, by the default methods."
    return Case(folder.name, f"Brackets in {folder.name}", text, entries, settings, notes=notes)


def read_scene(dataset: Dataset, name: str, cut: Cut) -> BenchScene:
    """A scene of a dataset, with its truth on the scale of the reference: 1.0 = it clips.

    Where the truth's scale is its own, the reference's well exposed pixels set it. Raises FileError for a scene that
    lacks its photos, exposures or truth.
    """
    sample = dataset.load(name)
    if "ldr" in sample.extras:  # the photo that the dataset means to be expanded
        sample = replace(sample, frames=(sample.extras["ldr"],), ev=(0.0,), reference=0, extras={})
    if not sample.frames:
        raise FileError(dataset.root, f"scene '{name}' has no photo", f"expected {dataset.layout}")
    if cut.photo_only:
        sample = replace(sample, frames=(sample.frames[sample.reference],), ev=(0.0,), reference=0, extras={})
    if cut.crop:
        sample = sample.changed(lambda picture: np.ascontiguousarray(picture[: cut.crop, : cut.crop]))
    if cut.side:
        sample = sample.changed(partial(resized, side=cut.side))
    photos = Photos(
        tuple(Image(frame, "srgb") for frame in sample.frames),
        exposures_of(sample),
        sample.reference,
        sample.response,
    )
    truth = truth_of(sample)
    if dataset.kind in OWN_SCALE:
        truth = on_scale(truth, photos)
    return BenchScene(photos.frames, photos.ev, sample.reference, sample.response, truth)


OWN_SCALE = ("hdr-eye", "fairchild")
"""Datasets whose truth has a scale of its own."""


def scenes_of_split(row: DatasetCaseRow, data: Path, split: str) -> tuple[Dataset, tuple[str, ...]]:
    """The scenes with all their files, and what a reader should know of the choice."""
    splits = DATASETS[row.dataset].splits
    notes: tuple[str, ...] = ()
    try:
        dataset = open_dataset(row.dataset, data, split)
    except FileError:
        if "all" not in splits or split == "all" or (data / f"{split}.txt").is_file():
            raise
        dataset = open_dataset(row.dataset, data, "all")
        notes = (f"No scene of the split '{split}' is in {data}: all {len(dataset)} scenes are used.",)
    complete = dataset.complete()
    if not len(complete):
        missing = dataset.missing(dataset.names[0])[0]
        raise FileError(missing, "is missing, and no scene is complete", f"expected {dataset.layout}")
    left_out = len(dataset) - len(complete)
    incomplete = (f"Left out, because files are missing: {left_out} scenes.",) if left_out else ()
    return complete, (f"{len(complete)} scenes of the split '{split}'.", *notes, *incomplete)


def with_run_options(setting: Setting, options: Mapping[str, Any]) -> Setting:
    """A network's setting with those of the run options that differ from the defaults and that it does not set."""
    if setting.task != "network":
        return setting
    changed = {name: value for name, value in options.items() if value != getattr(RunOptions(), name)}
    return replace(setting, options={**changed, **setting.options})
