"""`openhdr train`: the plan, a run, and what it says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from openhdr import io
from openhdr.cli.train import train
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Image

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "small" / "gsanet.toml"
TINY = [
    "data.patch=16",
    "run.length=2",
    "run.batch=1",
    "run.log_every=1",
    "validation.every=0",
    "compute.threads=1",
]


def run(*words: str) -> None:
    train.main([str(word) for word in words], standalone_mode=False)


def settings(changes: list[str]) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "it's mine"  # names with quotes and blanks are names
    folder.mkdir()
    rng = np.random.default_rng(0)
    light = np.exp(rng.normal(size=(32, 64, 3))).astype(np.float32)
    io.write(folder / "hill.exr", Image(light), io.WriteOptions(exr_half=False))
    return folder


def test_dry_run_prints_the_plan_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(RECIPE, "--dry-run", "--set", "run.length=2000", "--set", "optimiser.lr=3e-6")
    said = capsys.readouterr().out
    share = tomllib.loads(RECIPE.read_text())["optimiser"]["hand_wired_lr_scale"]
    for words in (
        "gsanet: net 80,647 parameters",
        "128x128, 2 a step",
        "2,000 steps",
        "3e-06 from 0",
        f"; {share} of it for weights set by hand",
        "memory       2 MB for weights and optimiser, about",  # 4 x 4 x 80,647 bytes, and a quarter for the mean
    ):
        assert words in said
    run(RECIPE, "--dry-run", "--json", "--set", "run.batch=8")
    assert json.loads(capsys.readouterr().out)["batch"] == 8
    assert list(tmp_path.iterdir()) == []


def test_trains_resumes_and_reports(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(RECIPE, "--data", scenes, *settings(TINY))
    caught = capsys.readouterr()
    assert "last.safetensors  after 2 steps" in caught.out.replace("\n", "") and caught.err == ""
    assert (tmp_path / "runs" / "gsanet" / "last.safetensors").is_file()
    run(RECIPE, "--data", scenes, *settings(TINY), "--set", "run.length=3", "--resume", "--json")
    assert json.loads(capsys.readouterr().out)["steps"] == 3


def test_refusals(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="give a folder of HDR scenes as `data`"):
        run(RECIPE, "-o", tmp_path / "run")
    with pytest.raises(RequestError, match="did you mean 'batch'"):
        run(RECIPE, "--set", "run.bach=3")
    with pytest.raises(FileError, match="recipes are in the folder recipes/"):
        run("nothing.toml")


def test_dry_run_says_what_a_dataset_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Disk as the shards then take it, and nothing is cut for that."""
    from openhdr.data.patches import PAPER_CUTS, prepare_patches
    from openhdr.data.readers import open_dataset

    rng = np.random.default_rng(0)
    for number in range(3):
        for kind in ("short", "medium", "long"):
            photo = Image(rng.integers(0, 256, (260, 400, 3), np.uint8), "srgb")
            io.write(tmp_path / f"{number:04d}_{kind}.png", photo)
        io.write(
            tmp_path / f"{number:04d}_gt.png", Image(rng.integers(0, 65536, (260, 400, 3), np.uint16), "srgb")
        )
        np.save(tmp_path / f"{number:04d}_exposures.npy", np.array([-2, 0, 2]))
        np.save(tmp_path / f"{number:04d}_alignratio.npy", np.array(30000.0))
    recipe, changes = RECIPE.parents[1] / "eapnet-light.toml", settings(["data.patch=32", "run.batch=1"])
    before = sorted(tmp_path.iterdir())
    run(recipe, "--data", tmp_path, "--dry-run", "--json", *changes)
    facts = json.loads(capsys.readouterr().out)
    assert sorted(tmp_path.iterdir()) == before
    dataset = open_dataset("hdm", tmp_path)
    cut = prepare_patches(
        dataset.only(dataset.names[: facts["scenes"]]), tmp_path / "cut", PAPER_CUTS["eapnet"]
    )
    assert facts["patches"] == cut.samples == 2 * facts["scenes"]
    stored = sum(path.stat().st_size for path in cut.shards)
    assert 1e9 * facts["disk_gb"] == pytest.approx(stored, rel=0.02)
    assert facts["steps"] == 10_000_000 and facts["step_s"] > 0
    run(recipe, "--data", tmp_path, "--dry-run", *changes, "--set", "data.on_the_fly=true")
    said = capsys.readouterr().out
    assert "disk         none: " in said and "steps, validation apart" in said
