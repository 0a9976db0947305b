"""Caches and patches: exact round trips, resume, no held-out scene."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import FileError, RequestError
from openhdr.data import shards
from openhdr.data.cache import CacheConfig, build_cache, unpack_scene
from openhdr.data.patches import (
    PAPER_CUTS,
    PatchConfig,
    crop,
    cut_positions,
    pack,
    prepare_patches,
    turn,
    unpack,
)
from openhdr.data.readers import open_dataset
from openhdr.data.sample import Sample, network_arrays


@pytest.fixture
def cache(tmp_path: Path, writer) -> Path:
    paths = [tmp_path / "hdr" / f"s{k}.hdr" for k in range(5)]
    for path in paths:
        writer.hdr(path, (32, 64))
    build_cache(paths, tmp_path / "cache", CacheConfig(scenes_per_shard=2))
    return tmp_path / "cache"


def _sample(writer_seed: int = 0) -> Sample:
    rng = np.random.default_rng(writer_seed)
    frames = tuple(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8) for _ in range(3))
    truth = rng.random((20, 30, 3)).astype(np.float32) * 5
    return Sample("a", frames, (-2.0, 0.0, 2.0), 1, "srgb", truth, {"label": frames[0]})


def test_cache_holds_the_scenes(cache: Path, tmp_path: Path) -> None:
    found = shards.open_shards(cache)
    assert len(found.shards) == 3 and found.samples == 5
    scenes = [unpack_scene(pieces) for shard in found.shards for _, pieces in shards.read_shard(shard)]
    assert {scene.name for scene in scenes} == {f"s{k}" for k in range(5)}
    dataset = open_dataset("hdr-folder", tmp_path / "hdr")
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(64.0), np.arange(32.0)))
    for scene in scenes:
        light = dataset.load(scene.name).truth.reshape(-1, 3).T
        assert scene.texture.at(x, y) == pytest.approx(light, rel=1e-3)  # half precision


def test_bright_scenes_are_scaled_into_halves(tmp_path: Path) -> None:
    from openhdr import io
    from openhdr.core.image import Image

    light = np.full((32, 64, 3), 0.5, np.float32)
    light[0, 0] = 2.5e5
    io.write(tmp_path / "sun.exr", Image(light), io.WriteOptions(exr_half=False))
    found, _ = build_cache([tmp_path / "sun.exr"], tmp_path / "cache")
    ((_, pieces),) = shards.read_shard(found.shards[0])
    assert unpack_scene(pieces).texture.at(np.zeros(1), np.zeros(1)) == pytest.approx(2.5e5, rel=1e-3)


def test_cache_leaves_held_out_scenes_out(tmp_path: Path, writer) -> None:
    paths = [tmp_path / "lab.hdr", tmp_path / "mine.hdr"]
    for path in paths:
        writer.hdr(path, (32, 64))
    found, left_out = build_cache(paths, tmp_path / "cache")
    assert left_out == ("lab",) and list(found.facts["scenes"]) == ["mine"]
    with pytest.raises(RequestError, match="all 1 scenes are held out"):
        build_cache(paths[:1], tmp_path / "other")


def test_damaged_shards_are_named(cache: Path) -> None:
    victim = sorted(cache.glob("*.tar"))[0]
    data = victim.read_bytes()
    victim.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileError, match="is not a whole shard"):
        list(shards.read_shard(victim))
    victim.unlink()
    with pytest.raises(FileError, match=r"listed in index.json but missing"):
        shards.open_shards(cache)
    shutil.rmtree(cache)
    with pytest.raises(FileError, match="openhdr simulate --cache"):
        shards.open_shards(cache)


def test_shards_are_tars_of_the_known_layout(cache: Path) -> None:
    with tarfile.open(sorted(cache.glob("*.tar"))[0]) as tar:
        names = tar.getnames()
    keys = [name.split(".", 1) for name in names]
    assert [piece for _, piece in keys] == ["json", "radiance.jxl"] * 2
    assert [keys[k][0] for k in (0, 2)] == [keys[k][0] for k in (1, 3)]  # pieces of a key stand together


@pytest.mark.parametrize(
    ("length", "size", "stride", "edge", "begins"),
    [
        (1060, 480, 240, 48, [0, 240, 480, 580]),  # GSANet: 100 remain, more than 48
        (1000, 480, 240, 48, [0, 240, 480]),  # 40 remain
        (1900, 256, 128, 0, [*range(0, 1537, 128)]),  # 13, as ADNet counts
        (1060, 256, 128, 0, [*range(0, 769, 128)]),  # 7
        (1900, 256, 128, 1, [*range(0, 1537, 128), 1644]),
        (256, 256, 128, 0, [0]),
        (255, 256, 128, 0, []),
    ],
)
def test_cut_positions(length: int, size: int, stride: int, edge: int, begins: list[int]) -> None:
    assert cut_positions(length, PatchConfig(size, stride, edge)) == begins


def _hdm(folder: Path, writer, count: int = 5) -> None:
    for number in range(count):
        for kind in ("short", "medium", "long"):
            writer.photo(folder / f"{number:04d}_{kind}.png", size=(20, 24))
        writer.deep(folder / f"{number:04d}_gt.png", size=(20, 24))
        np.save(folder / f"{number:04d}_exposures.npy", np.array([-2, 0, 2]))
        np.save(folder / f"{number:04d}_alignratio.npy", np.float64(6000))


def test_patches_resume_after_an_interruption(tmp_path: Path, writer) -> None:
    _hdm(tmp_path / "hdm", writer)
    dataset = open_dataset("hdm", tmp_path / "hdm")
    config = PatchConfig(size=12, stride=8, scenes_per_shard=2)
    damaged = tmp_path / "hdm" / "0004_gt.png"
    kept = damaged.read_bytes()
    damaged.write_bytes(b"")
    with pytest.raises(FileError, match="0004_gt"):
        prepare_patches(dataset, tmp_path / "out", config)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tar")}
    assert len(before) == 2
    damaged.write_bytes(kept)
    found = prepare_patches(dataset, tmp_path / "out", config)
    after = {path.name: path.stat().st_mtime_ns for path in found.shards}
    assert len(after) == 3 and {name: after[name] for name in before} == before
    assert found.samples == 5 * 2 * 2  # rows 0, 8; columns 0, 8
    with pytest.raises(FileError, match="made with other settings"):
        prepare_patches(dataset, tmp_path / "out", replace(config, stride=4))


def test_patches_are_pieces_of_their_pictures(tmp_path: Path, writer) -> None:
    _hdm(tmp_path / "hdm", writer, 1)
    dataset = open_dataset("hdm", tmp_path / "hdm")
    found = prepare_patches(dataset, tmp_path / "out", PatchConfig(size=12, stride=8))
    whole = dataset.load("0000")
    patches = [unpack(pieces) for _, pieces in shards.read_shard(found.shards[0])]
    assert np.array_equal(patches[3].frames[1], whole.frames[1][8:20, 8:20])
    assert np.array_equal(patches[3].truth, whole.truth[8:20, 8:20])  # the scale of the whole image stays


def test_stack_recipe_resizes_first(tmp_path: Path, writer) -> None:
    _hdm(tmp_path / "hdm", writer, 1)
    config = replace(PAPER_CUTS["stack-itm"], size=16, resize=16)
    found = prepare_patches(open_dataset("hdm", tmp_path / "hdm"), tmp_path / "out", config)
    ((_, pieces),) = shards.read_shard(found.shards[0])
    assert unpack(pieces).truth.shape == (16, 16, 3) and unpack(pieces).frames[0].dtype == np.uint8


def test_pack_and_unpack_are_exact() -> None:
    sample = _sample()
    again = unpack(pack(sample))
    assert (again.name, again.ev, again.reference, again.response) == ("a", (-2.0, 0.0, 2.0), 1, "srgb")
    assert np.array_equal(again.truth, sample.truth) and np.array_equal(
        again.extras["label"], sample.frames[0]
    )
    assert all(np.array_equal(a, b) for a, b in zip(again.frames, sample.frames, strict=True))


def test_turn_and_crop_treat_all_pictures_alike() -> None:
    sample = _sample()
    turned = turn(crop(sample, 4, 6, 10), flip_x=True, flip_y=False, transpose=True)
    expected = sample.truth[6:16, 4:14][:, ::-1].transpose(1, 0, 2)
    assert np.array_equal(turned.truth, expected)
    assert np.array_equal(turned.extras["label"], sample.frames[0][6:16, 4:14][:, ::-1].transpose(1, 0, 2))


def test_network_arrays_are_gamma_coded() -> None:
    sample = _sample()
    arrays = network_arrays(sample)
    assert arrays.frames.shape == (3, 3, 20, 30) and arrays.frames.dtype == np.float32
    code = sample.frames[2][5, 7, 1] / 255
    light = code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4
    assert arrays.frames[2, 1, 5, 7] == pytest.approx(light ** (1 / NETWORK_GAMMA), rel=1e-5)
    assert arrays.truth[1, 5, 7] == pytest.approx(sample.truth[5, 7, 1] ** (1 / NETWORK_GAMMA), rel=1e-5)
    assert arrays.ev.tolist() == [-2, 0, 2]
    plain = network_arrays(replace(sample, response="gamma:2.24"))
    assert np.array_equal(plain.frames[0, 0], sample.frames[0][..., 0].astype(np.float32) / np.float32(255))
