"""The two-stage network against what the authors' program computes, and its variants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from openhdr import models
from openhdr.core.errors import FileError, RequestError


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "fixtures" / "two_stage"


@pytest.fixture
def golden(fixtures: Path) -> dict[str, torch.Tensor]:
    arrays = np.load(fixtures / "case.npz")
    return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


@pytest.fixture
def checkpoint(fixtures: Path, tmp_path: Path) -> Path:
    """The authors' one-file layout, with the rest of what a training program saves."""
    state = {
        "stateDictEG": load_file(fixtures / "stage1.safetensors"),
        "stateDictER": load_file(fixtures / "stage2.safetensors"),
        "epoch": 25,
        "optimizerEG": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 5e-4}]},
    }
    torch.save(state, tmp_path / "two-stage.pth")
    return tmp_path / "two-stage.pth"


def test_output_is_the_authors(checkpoint: Path, golden: dict[str, torch.Tensor]) -> None:
    net = models.load("two-stage", checkpoint)
    with torch.no_grad():
        parts = net(golden["image"], return_parts=True)
        assert torch.equal(net(golden["image"]), parts["out"])
    assert (parts["stage1"] - golden["stage1"]).abs().max() < 1e-5
    assert (parts["out"] - golden["out"]).abs().max() < 1e-5


def test_stages_hold_the_papers_parameters() -> None:
    net = models.load("two-stage")
    counts = [sum(p.numel() for p in stage.parameters()) for stage in (net.stage1, net.stage2)]
    assert counts == [555_655, 278_821]


@pytest.mark.parametrize("stages", ["first", "second"])
def test_a_stage_alone(fixtures: Path, checkpoint: Path, golden: dict, stages: str) -> None:
    """Both from the one-file checkpoint and from a file of that stage; stage I is what it is in the whole."""
    number = {"first": 1, "second": 2}[stages]
    nets = [
        models.load("two-stage", file, stages=stages)
        for file in (checkpoint, fixtures / f"stage{number}.safetensors")
    ]
    with torch.no_grad():
        out = [net(golden["image" if number == 1 else "stage1"]) for net in nets]
    assert torch.equal(out[0], out[1])
    assert (out[0] - golden["stage1" if number == 1 else "out"]).abs().max() < 1e-5


def test_half_a_checkpoint_is_refused(fixtures: Path) -> None:
    with pytest.raises(FileError, match="does not fit two-stage"):
        models.load("two-stage", fixtures / "stage1.safetensors")
    with pytest.raises(FileError, match="does not fit two-stage"):
        models.load("two-stage", fixtures / "stage1.safetensors", stages="second")


def test_unknown_variant_is_refused() -> None:
    with pytest.raises(RequestError, match="stages"):
        models.load("two-stage", stages="third")


@pytest.mark.parametrize("stages", ["both", "first", "second"])
def test_gradients_reach_every_parameter(stages: str) -> None:
    torch.manual_seed(1)
    net = models.load("two-stage", stages=stages).train()
    net(torch.rand(2, 3, 20, 20)).square().mean().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_nothing_beyond_the_margin_reaches_a_pixel() -> None:
    torch.manual_seed(1)
    net = models.load("two-stage")
    margin = net.stage1.margin + net.stage2.margin
    image = torch.rand(1, 3, 48, 48)
    changed = image.clone()
    changed[..., :, : 24 - margin] = 0
    with torch.no_grad():
        near, far = (net(one)[..., 24, 24] for one in (image, changed))
    torch.testing.assert_close(near, far, rtol=0, atol=1e-6)
