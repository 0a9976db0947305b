"""A run that stops and goes on is the run that never stopped, bit for bit; what stops it is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openhdr.core.errors import FileError, OpenHDRError, RequestError
from openhdr.train import checkpoint
from openhdr.train.loop import train

from .conftest import losses_of, same_weights

HERE = Path(__file__).parent
KILLS = 20
GAN = "two-stage"  # a recipe with two optimisers and batch normalisation


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gsanet", ("ema.every=1", "ema.decay=0.5", "objective.gamma_share=0.5")),
        (GAN, ()),
        ("gsanet", ("compute.precision=float16",)),
    ],
    ids=["mean", "discriminator", "scaler"],
)
def test_resumed_run_is_bit_exact(name: str, changes: tuple[str, ...], tiny, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(tiny(name, *changes, "run.length=4"), whole)
    train(tiny(name, *changes, "run.length=1"), parts)
    train(tiny(name, *changes, "run.length=3"), parts, resume=True)
    train(tiny(name, *changes, "run.length=4"), parts, resume=True)
    assert losses_of(parts) == losses_of(whole)
    assert same_weights(parts / "last.safetensors", whole / "last.safetensors")
    ends = [checkpoint.newest(folder, tidy=False) for folder in (whole, parts)]
    for file in sorted(path.name for path in ends[0].glob("*.safetensors")):
        assert same_weights(*(end / file for end in ends)), file
    changes_written = json.loads((parts / "run.json").read_text())["resumed"]
    assert [entry["at_step"] for entry in changes_written] == [1, 3]
    assert changes_written[0]["changes"] == {"run.length": [1, 3]}


@pytest.mark.slow
def test_killed_twenty_times_nothing_is_lost(scenes: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, among them while files are written."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    done = subprocess.run(
        [sys.executable, HERE / "kill_driver.py", str(scenes), str(tmp_path), str(KILLS)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["kills"] == KILLS
    assert losses_of(tmp_path / "killed") == losses_of(tmp_path / "whole")
    for name in ("last.safetensors", "best.safetensors"):
        assert same_weights(tmp_path / "killed" / name, tmp_path / "whole" / name)
    chosen = [json.loads((tmp_path / run / "choice.json").read_text()) for run in ("killed", "whole")]
    assert chosen[0] == chosen[1]
    left = {path.name for path in (tmp_path / "killed").rglob("*") if "partial" in path.name}
    assert left == set()


def test_only_the_last_checkpoints_are_kept(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=5", "run.keep=2"), tmp_path)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000004", "step-00000005"]


def test_weights_load_as_a_network(tiny, tmp_path: Path) -> None:
    from openhdr import models

    train(tiny("gsanet", "run.length=1"), tmp_path)
    assert models.load("gsanet", tmp_path / "last.safetensors").config.share_features
    models.load("gsanet", checkpoint.newest(tmp_path, tidy=False) / "net.safetensors")


def test_loss_that_is_not_a_number_stops_with_the_last_good_state(tiny, tmp_path: Path) -> None:
    with pytest.raises(OpenHDRError, match=r"the loss 'mu' became (nan|inf).*last good state is .*step-0"):
        train(tiny("gsanet", "run.length=9", "optimiser.lr=1e30"), tmp_path)
    assert checkpoint.newest(tmp_path, tidy=False) is not None


@pytest.mark.slow
def test_full_disk_stops_with_the_last_good_state(scenes: Path, tiny, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: writing fails in the middle of a file."""
    resource = pytest.importorskip("resource", reason="needs limits on files")
    train(tiny("gsanet", "run.length=1"), tmp_path)
    good = checkpoint.newest(tmp_path, tidy=False)
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    program = (
        "import resource, signal, sys; from pathlib import Path; from openhdr.cli import fail\n"
        "from openhdr.core.errors import OpenHDRError\n"
        "from openhdr.train.loop import train; from openhdr.train.recipe import load_recipe\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "recipe = load_recipe(Path(sys.argv[1]), sys.argv[3:])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "try:\n    train(recipe, Path(sys.argv[2]), resume=True)\n"
        "except OpenHDRError as error:\n    fail(str(error))\n"
    )
    from .conftest import RECIPES, TINY

    words = [RECIPES / "gsanet.toml", tmp_path, *TINY, f"data.path={scenes}", "run.length=3"]
    done = subprocess.run([sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True)
    assert resource and done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr and f"last good state is {good}" in done.stderr
    assert {path.name: path.read_bytes() for path in good.iterdir()} == before
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [good.name]


def test_a_folder_with_a_run_is_not_overwritten(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=1"), tmp_path)
    with pytest.raises(FileError, match="holds a run already; continue it with `resume=True`"):
        train(tiny("gsanet", "run.length=1"), tmp_path)
    with pytest.raises(RequestError, match=r"holds a run with network\.name = gsanet, not eapnet"):
        train(tiny("eapnet"), tmp_path, resume=True)


def test_damaged_checkpoint_is_refused(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=1"), tmp_path)
    state = checkpoint.newest(tmp_path, tidy=False) / "training.pt"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(FileError, match="is damaged; delete this checkpoint"):
        train(tiny("gsanet"), tmp_path, resume=True)
