"""Samples by number: always the same, never held out, from either source."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr import io
from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Image
from openhdr.data.patches import PAPER_CUTS, PatchConfig, corners_of, unpack
from openhdr.data.readers import open_dataset
from openhdr.data.sample import network_arrays
from openhdr.data.shards import open_shards, read_shard
from openhdr.train.examples import placed
from openhdr.train.loop import train
from openhdr.train.objectives.merge import Merge
from openhdr.train.objectives.stack_itm import StackITMObjective
from openhdr.train.objectives.two_stage import TwoStageObjective
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.drawn import DrawnSource, open_drawn
from openhdr.train.sources.patches import held_out, open_patches
from openhdr.train.sources.shard_index import ShardIndex, shuffled
from openhdr.train.sources.simulated import open_simulated, simulation_of

from .conftest import HELD_OUT, TRAINED_ON


@pytest.fixture
def simulated(scenes: Path, tmp_path: Path):
    return open_simulated(
        DataConfig(path=str(scenes), patch=32, window=2, samples_per_scene=2), 0, tmp_path / "c"
    )


@pytest.fixture
def brackets(tmp_path: Path) -> Path:
    """A dataset of six scenes in ADNet's layout for training and one for validation."""
    rng = np.random.default_rng(0)
    for split, name in [*(("training", f"{k:04d}") for k in range(6)), ("validation", "0900")]:
        folder = tmp_path / "hdm" / split / name
        folder.mkdir(parents=True)
        for number in range(3):
            io.write(folder / f"{number}.png", Image(rng.integers(0, 256, (300, 520, 3), np.uint8), "srgb"))
        io.write(folder / "gt.png", Image(rng.integers(0, 65536, (300, 520, 3), np.uint16), "srgb"))
        np.save(folder / "exposures.npy", np.array([-2, 0, 2]))
        np.save(folder / "alignratio.npy", np.array(30000.0))
    return tmp_path / "hdm"


def test_real_cameras_take_their_share(simulated) -> None:
    config = replace(simulated.config, real_share=0.5)
    mixed = replace(simulated, config=config)
    real = [simulation_of(config, 32, number).camera.processing is not None for number in range(200)]
    assert 80 < sum(real) < 120
    for number in range(6):
        before, now = simulated.sample(number), mixed.sample(number)
        assert now.response.startswith("style") == real[number]
        assert real[number] or np.array_equal(before.truth, now.truth)
    arrays = network_arrays(mixed.sample(real.index(True)))
    assert arrays.frames.shape == (3, 3, 32, 32) and 0 <= arrays.frames.min() <= arrays.frames.max() <= 1


def test_every_item_once_a_round_in_changing_order() -> None:
    rounds = [[shuffled(3, 10 * epoch + k, 10) for k in range(10)] for epoch in range(3)]
    assert all(sorted(one) == list(range(10)) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 3


def test_shards_are_read_in_any_order(simulated) -> None:
    shards = open_shards(simulated.scenes.shards[0].parent)
    straight = [pieces for shard in shards.shards for _, pieces in read_shard(shard)]
    index = ShardIndex.of(shards)
    assert [index.read(k) for k in reversed(range(index.samples))] == straight[::-1]
    with pytest.raises(FileError, match="fewer samples than its index says"):
        index.read(index.samples)


def test_simulated_sample_depends_on_its_number_only(simulated) -> None:
    wanted = [simulated.sample(k) for k in range(6)]
    for k in (5, 0, 3):
        again = simulated.sample(k)
        assert again.ev == wanted[k].ev and np.array_equal(again.truth, wanted[k].truth)
    assert len({sample.truth.tobytes() for sample in wanted}) == 6


def test_held_out_scenes_are_left_out_of_training_and_scored(simulated, scenes: Path) -> None:
    names = open_shards(simulated.scenes.shards[0].parent).facts["scenes"]
    assert sorted(names) == sorted(TRAINED_ON)
    samples, what = simulated.validation(ValidationConfig(samples=3, size=32))
    assert len(samples) == 3 and HELD_OUT in what
    again, _ = simulated.validation(ValidationConfig(samples=3, size=32))
    assert all(np.array_equal(a.truth, b.truth) for a, b in zip(samples, again, strict=True))


def test_folder_without_held_out_scenes_says_what_to_do(scenes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "hill.exr").write_bytes((scenes / "hill.exr").read_bytes())
    source = open_simulated(DataConfig(path=str(folder), patch=32), 0, tmp_path / "c")
    with pytest.raises(RequestError, match=r"no validation scene in .*validation\.every = 0"):
        source.validation(ValidationConfig())
    samples, _ = source.validation(ValidationConfig(path=str(scenes), samples=1, size=32))
    assert len(samples) == 1
    with pytest.raises(FileError, match=r"none: is not a folder"):
        source.validation(ValidationConfig(path=str(tmp_path / "none")))


@pytest.mark.parametrize("source", ["simulated", "drawn", "compared", "registered", "views"])
def test_missing_validation_scenes_are_noticed_before_data_are_prepared(
    tiny, scenes: Path, tmp_path: Path, source: str
) -> None:
    folder, run = tmp_path / "some", tmp_path / "run"
    folder.mkdir()
    (folder / "hill.exr").write_bytes((scenes / "hill.exr").read_bytes())
    changes = (f"data.source={source}", f"data.path={folder}", "data.view=48", "data.brackets=1")
    with pytest.raises(RequestError, match="no validation scene in"):
        train(tiny("gsanet", *changes, "validation.every=1"), run)
    assert not run.exists()


def test_missing_validation_split_is_noticed_before_patches_are_cut(
    tiny, brackets: Path, tmp_path: Path
) -> None:
    changes = ("data.source=patches", "data.cut=adnet", f"data.path={brackets}", "validation.every=1")
    with pytest.raises(FileError, match="none"):
        train(tiny("adnet", *changes, f"validation.path={tmp_path / 'none'}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_cache_with_a_held_out_scene_is_refused(simulated, tmp_path: Path) -> None:
    cache = simulated.scenes.shards[0].parent
    index = json.loads((cache / "index.json").read_text())
    index["facts"]["scenes"]["lab"] = "0" * 64
    (cache / "index.json").write_text(json.dumps(index))
    with pytest.raises(RequestError, match=r"held out: lab \(validation\)"):
        open_simulated(DataConfig(path=str(cache), patch=32), 0, tmp_path / "d")


def test_seeds_draw_different_samples(simulated) -> None:
    other = replace(simulated, seed=1)
    for k in range(4):
        one, two = simulated.sample(k), other.sample(k)
        assert not np.array_equal(one.truth, two.truth) and np.isfinite(one.truth).all()


def test_missing_folder_says_what_to_give(tmp_path: Path) -> None:
    for opener in (open_simulated, open_patches):
        with pytest.raises(FileError, match="as `data`"):
            opener(DataConfig(path=str(tmp_path / "none")), 0, tmp_path / "c")


def test_dataset_is_cut_once_and_read_by_number(brackets: Path, tmp_path: Path) -> None:
    config = DataConfig(source="patches", dataset="hdm", path=str(brackets), cut="adnet", patch=64)
    source = open_patches(config, 4, tmp_path / "cache")
    assert source.epoch == 6 * 3  # 300 x 520 by 256 every 128: 1 x 3 patches
    stored = [unpack(p) for s in open_shards(tmp_path / "cache").shards for _, p in read_shard(s)]
    seen = sorted(source.sample(k).name for k in range(source.epoch))
    assert seen == sorted(sample.name for sample in stored)
    assert source.sample(7).name == open_patches(config, 4, tmp_path / "cache").sample(7).name
    held, what = source.validation(ValidationConfig(samples=5, size=100))
    assert [sample.name for sample in held] == ["0900"] and "0900" in what
    assert held[0].truth.shape == (100, 100, 3)


def test_scenes_are_held_out_where_a_dataset_has_no_validation_split(brackets: Path, tmp_path: Path) -> None:
    config = DataConfig(source="patches", path=str(brackets), cut="adnet", validation_split="", hold_out=2)
    source = open_patches(config, 0, tmp_path / "cache")
    trained = set(open_shards(tmp_path / "cache").facts["scenes"])
    held, _ = source.validation(ValidationConfig(samples=9))
    assert len(trained) == 4 and len(held) == 2
    assert trained.isdisjoint(sample.name for sample in held)


def test_patches_train_a_network(brackets: Path, tiny, tmp_path: Path) -> None:
    changes = ("data.source=patches", "data.cut=adnet", f"data.path={brackets}", "validation.every=2")
    epochs = ("run.unit=epochs", "run.length=1", "run.batch=9", "data.patch=16")
    found = train(tiny("gsanet", *changes, *epochs), tmp_path / "run")
    assert found["steps"] == 2
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["validation"].startswith(
        "1 scenes of hdm"
    )


def test_patch_larger_than_the_sample_is_refused(simulated) -> None:
    with pytest.raises(RequestError, match=r"32x32 pixels; data\.patch = 64 does not fit"):
        placed(simulated.sample(0), DataConfig(patch=64), np.random.default_rng(0))


def test_patches_are_placed_and_turned(simulated) -> None:
    """All pictures of a sample alike, and as often as the recipe says."""
    sample = simulated.sample(0)
    still = placed(sample, DataConfig(patch=32), np.random.default_rng(0))
    assert np.array_equal(still.truth, sample.truth)
    turned = {
        placed(
            sample, DataConfig(patch=32, flips=True, transpose=True), np.random.default_rng(k)
        ).truth.tobytes()
        for k in range(60)
    }
    assert len(turned) == 8
    crops = {
        placed(sample, DataConfig(patch=30), np.random.default_rng(k)).truth.tobytes() for k in range(60)
    }
    assert len(crops) == 9


def test_registered_brackets_shake_by_fractions_of_a_pixel(scenes: Path, tmp_path: Path) -> None:
    """The same draws, but for the shake: the outer frames lie on the reference, and objects still move."""
    still = simulation_of(DataConfig(registered=True), 64, 0)
    shaken = simulation_of(DataConfig(), 64, 0)
    assert (still.objects, still.camera, still.exposure) == (shaken.objects, shaken.camera, shaken.exposure)
    rng = np.random.default_rng(0)
    turns = [[simulation.shake.turn_px.draw(rng) for _ in range(50)] for simulation in (still, shaken)]
    assert max(turns[0]) <= 0.6 < 2 < max(turns[1])


def test_patches_of_one_picture_follow_each_other(scenes: Path, tmp_path: Path) -> None:
    config = DataConfig(path=str(scenes), patch=16, view=32, cuts=3, window=2, samples_per_scene=2)
    source = open_simulated(config, 0, tmp_path / "c")
    pictures = [source.sample(k).truth for k in range(6)]
    assert all(picture.shape == (32, 32, 3) for picture in pictures)
    assert np.array_equal(pictures[0], pictures[2]) and np.array_equal(pictures[3], pictures[5])
    assert not np.array_equal(pictures[2], pictures[3])
    assert source.epoch == 3 * 3 * 2
    patch = placed(source.sample(4), config, np.random.default_rng(0))
    assert patch.truth.shape == (16, 16, 3)


def test_patches_cut_on_the_fly_are_those_of_the_shards(brackets: Path, tmp_path: Path) -> None:
    config = DataConfig(source="patches", path=str(brackets), cut="adnet", patch=64)
    stored = open_patches(config, 4, tmp_path / "cache")
    live = open_patches(replace(config, on_the_fly=True), 4, tmp_path / "none")
    assert live.epoch == stored.epoch == 18 and not (tmp_path / "none").exists()
    for k in (0, 7, 30):
        one, other = stored.sample(k), live.sample(k)
        assert np.array_equal(one.truth, other.truth) and one.ev == other.ev
        assert all(np.array_equal(a, b) for a, b in zip(one.frames, other.frames, strict=True))


def test_as_many_patches_are_drawn_as_the_paper_counts(brackets: Path) -> None:
    """Two-stage: 7,551 of the 28 a scene that fit side by side; here 5 of 12."""
    dataset = open_dataset("hdm", brackets)
    every = corners_of(dataset, PatchConfig(size=256, stride=256))
    assert [len(found) for found in every.values()] == [2] * 6  # 300 x 520: one row of two
    drawn = corners_of(dataset, PatchConfig(size=256, stride=256, total=5))
    assert sum(map(len, drawn.values())) == 5
    assert all(set(found) <= set(every[name]) for name, found in drawn.items())
    assert drawn == corners_of(dataset, PatchConfig(size=256, stride=256, total=5))
    assert PAPER_CUTS["two-stage"].total == 7551


def test_validation_is_spread_over_the_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for number in range(7):
        folder = tmp_path / "hdm" / "validation"
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("short", "medium", "long"):
            io.write(
                folder / f"{number:04d}_{kind}.png", Image(rng.integers(0, 256, (8, 8, 3), np.uint8), "srgb")
            )
        io.write(folder / f"{number:04d}_gt.png", Image(rng.integers(0, 65536, (8, 8, 3), np.uint16), "srgb"))
        np.save(folder / f"{number:04d}_exposures.npy", np.array([-2, 0, 2]))
        np.save(folder / f"{number:04d}_alignratio.npy", np.array(30000.0))
    (tmp_path / "hdm" / "training").mkdir()
    (tmp_path / "hdm" / "training" / "0900").mkdir()
    for kind in ("short", "medium", "long", "gt"):
        source = tmp_path / "hdm" / "validation" / f"0000_{kind}.png"
        name = {"short": "0", "medium": "1", "long": "2", "gt": "gt"}[kind]
        (tmp_path / "hdm" / "training" / "0900" / f"{name}.png").write_bytes(source.read_bytes())
    for kind in ("exposures", "alignratio"):
        source = tmp_path / "hdm" / "validation" / f"0000_{kind}.npy"
        (tmp_path / "hdm" / "training" / "0900" / f"{kind}.npy").write_bytes(source.read_bytes())
    held, _ = held_out(DataConfig(path=str(tmp_path / "hdm")), ValidationConfig(samples=3, size=0))
    assert [sample.name for sample in held] == ["0000", "0003", "0006"]


def test_images_smaller_than_a_patch_are_named(brackets: Path, tmp_path: Path) -> None:
    config = DataConfig(source="patches", path=str(brackets), cut="gsanet", on_the_fly=True)
    with pytest.raises(FileError, match="holds no image of 480x480 pixels"):
        open_patches(config, 0, tmp_path / "none")


# --- drawn on the accelerator ----------------------------------------------------------------------------------------


@pytest.fixture
def drawn(scenes: Path, tmp_path: Path) -> DrawnSource:
    config = DataConfig(
        path=str(scenes), patch=48, view=64, clip_share=(0.2, 0.4), registered=True, real_share=0.5
    )
    return open_drawn(config, 3, tmp_path)


def test_a_drawn_batch_depends_on_its_number_alone(drawn: DrawnSource) -> None:
    cpu = torch.device("cpu")
    first, other, again = drawn.batch(8, 2, cpu), drawn.batch(10, 2, cpu), drawn.batch(8, 2, cpu)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["frames"], other["frames"])


def test_drawn_frames_are_photos_of_their_truth(drawn: DrawnSource) -> None:
    """The reference shows the truth up to noise and codes; others at their exposure, but for what moved."""
    batch = drawn.batch(0, 24, torch.device("cpu"))
    light, truth = batch["frames"] ** NETWORK_GAMMA, (batch["truth"] ** NETWORK_GAMMA)[:, None]
    expected = truth * torch.exp2(batch["ev"])[:, :, None, None, None]
    exposed = (expected > 0.05) & (expected < 0.8)
    stops = torch.log2(light.clamp(min=1e-4) / expected.clamp(min=1e-4)).abs()
    assert stops[:, 1][exposed[:, 1]].quantile(0.95) < 0.25
    for number in (0, 2):
        assert stops[:, number][exposed[:, number]].median() < 0.1
    assert (light[:, 1][(truth[:, 0] > 1.2)] > 0.97).all()
    clipped = (batch["truth"].amax(1) >= 1).float().mean()
    assert 0.1 < clipped < 0.6


@pytest.mark.parametrize("objective", [Merge(), TwoStageObjective(), StackITMObjective(label_stops=2)])
@pytest.mark.parametrize("bounded", [False, True])
def test_objectives_take_drawn_brackets_as_samples(objective, bounded: bool, drawn: DrawnSource) -> None:
    made = objective.of_batch(drawn.batch(0, 1, torch.device("cpu")), bounded)
    sample = objective.stand_in(48)
    example = objective.example(sample, np.random.default_rng(0), bounded)
    assert {key: value.shape[1:] for key, value in made.items()} == {
        key: value.shape for key, value in example.items()
    }
    assert all(torch.isfinite(value).all() for value in made.values())
