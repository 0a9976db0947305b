"""Two processes train as one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr.core.errors import RequestError
from openhdr.train.loop import train
from openhdr.train.plan import check_batch

from .conftest import RECIPES, TINY, losses_of, weights_of

LIMIT_S = 200  # two interpreters that load PyTorch and train on one shared core


def in_processes(count: int, name: str, folder: Path, changes: tuple[str, ...]) -> list[str]:
    """Train by the documented command; what each process wrote.

    torchrun binds a port of the system's choice and its store serves all processes, so no port is chosen first
    and used later. Output goes to files: no pipe can fill up or stay open.
    """
    logs = folder.with_name("logs")
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    words += ["--redirects", "3", "--log-dir", str(logs), "--no-python"]
    words += [sys.executable, "-m", "openhdr", "train", str(RECIPES / f"{name}.toml"), "-o", str(folder)]
    words += [word for change in changes for word in ("--set", change)]
    with open(folder.with_name("torchrun.log"), "wb") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        torchrun = subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            status = torchrun.wait(LIMIT_S)
        finally:
            torchrun.terminate()  # ends its children, by force after 30 s
            try:
                torchrun.wait(45)
            except subprocess.TimeoutExpired:
                torchrun.kill()
                torchrun.wait()
    outputs, errors = (
        [path.read_text() for path in sorted(logs.rglob(f"{stream}.log"))] for stream in ("stdout", "stderr")
    )
    assert status == 0, f"{Path(log.name).read_text()[-2000:]}\n{errors}"
    return outputs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gsanet", ("run.accumulate=1", "validation.every=2")),  # a percentile of the whole batch
        ("two-stage", ()),  # batch normalisation in the discriminator, MS-SSIM of the whole batch
        ("stack-itm", ("objective.fusion_from=2",)),
    ],
)
def test_two_processes_equal_one(
    name: str, changes: tuple[str, ...], scenes: Path, tiny, tmp_path: Path
) -> None:
    changes = ("run.length=3", "run.batch=4", *changes)
    train(tiny(name, *changes), tmp_path / "one")
    said = in_processes(2, name, tmp_path / "two", (*TINY, f"data.path={scenes}", *changes))
    assert "after 3 steps" in said[0] and said[1:] == [""]  # only the first process reports
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), rel=2e-4)
    one, two = (weights_of(tmp_path / run / "last.safetensors") for run in ("one", "two"))
    apart = torch.cat([(one[key] - two[key]).abs().flatten() for key in one])
    assert float((apart > 1e-5).float().mean()) < 0.01  # Adam moves weights by 2e-4; where gradients are next
    # to zero, rounding decides which way


@pytest.mark.slow
def test_percentile_of_one_process_would_differ(scenes: Path, tiny, tmp_path: Path) -> None:
    """The test above can fail: two half batches do not give the loss of the whole one."""
    recipe = tiny("gsanet", "run.batch=4", "run.length=1")
    train(recipe, tmp_path / "whole")
    train(tiny("gsanet", "run.batch=4", "run.length=1", "run.accumulate=2"), tmp_path / "halves")
    whole, halves = losses_of(tmp_path / "whole")[0], losses_of(tmp_path / "halves")[0]
    assert abs(whole - halves) > 5e-4 * whole


def test_pieces_of_a_batch_equal_the_batch(tiny, tmp_path: Path) -> None:
    """Without a percentile of the batch, accumulation changes nothing."""
    for pieces in (1, 2):
        changes = ("objective.percentile=none", "run.batch=4", f"run.accumulate={pieces}", "run.length=3")
        train(tiny("gsanet", *changes), tmp_path / str(pieces))
    assert losses_of(tmp_path / "2") == pytest.approx(losses_of(tmp_path / "1"), rel=1e-5)


def test_batch_that_cannot_be_shared_is_refused(tiny) -> None:
    with pytest.raises(RequestError, match=r"run.batch = 6 .* 2 processes .* choose a multiple of 4"):
        check_batch(tiny("gsanet", "run.batch=6", "run.accumulate=2"), 2)


def test_samples_do_not_depend_on_how_they_are_dealt_out(tiny, tmp_path: Path) -> None:
    from openhdr.train.distributed import DistributedContext
    from openhdr.train.examples import Examples, batches
    from openhdr.train.sources.simulated import open_simulated

    recipe = tiny("gsanet", "run.batch=4")
    source = open_simulated(recipe.data, recipe.run.seed, tmp_path / "cache")
    examples = Examples(source, recipe.objective, recipe.data, recipe.run.seed, False)

    def frames(context: DistributedContext) -> list[torch.Tensor]:
        return [
            piece["frames"]
            for pieces in batches(examples, recipe.run, recipe.compute, context, range(1, 3))
            for piece in pieces
        ]

    whole = torch.cat(frames(DistributedContext()))
    first, second = (frames(DistributedContext(rank, 2)) for rank in (0, 1))
    dealt = torch.cat([part for pair in zip(first, second, strict=True) for part in pair])
    assert np.array_equal(whole.numpy(), dealt.numpy())
