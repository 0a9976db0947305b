"""The networks against what the authors' own programs compute from the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr import models
from openhdr.models.layers.codes import align_exposure

NAMES = ("ahdrnet", "adnet", "gsanet")


def case(shared: Path, name: str) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    folder = shared / "fixtures" / name
    net = models.load(name, folder / "weights.safetensors")
    arrays = np.load(folder / "case.npz")
    return net, {key: torch.from_numpy(arrays[key]) for key in arrays.files}


@pytest.mark.parametrize("name", NAMES)
def test_output_is_the_authors(shared: Path, name: str) -> None:
    net, golden = case(shared, name)
    with torch.no_grad():
        out = net(golden["frames"], golden["ev"])
    assert (out - golden["out"]).abs().max() < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_a_pickled_training_checkpoint_loads_as_well(shared: Path, tmp_path: Path, name: str) -> None:
    from safetensors.torch import load_file

    state = load_file(shared / "fixtures" / name / "weights.safetensors")
    wrapped = {"epoch": 7, "state_dict": {f"module.{key}": value for key, value in state.items()}}
    torch.save(wrapped, tmp_path / "latest.pth")
    net, golden = case(shared, name)
    again = models.load(name, tmp_path / "latest.pth")
    with torch.no_grad():
        assert torch.equal(again(golden["frames"], golden["ev"]), net(golden["frames"], golden["ev"]))


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_of_the_authors_has_a_place(shared: Path, name: str) -> None:
    lines = (shared / "fixtures" / name / "keys.txt").read_text().splitlines()
    shapes = {key: eval_shape(shape) for key, shape, _ in (line.split("\t") for line in lines)}
    state = {key: torch.zeros(shape) for key, shape in shapes.items()}
    network = models.MODELS[name].load()
    converted = network.from_authors(state)
    expected = network(network.Config()).state_dict()
    assert {key: value.shape for key, value in converted.items()} == {k: v.shape for k, v in expected.items()}


def eval_shape(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip("()").split(",") if part.strip())


def test_weights_for_bgr_work_on_rgb(shared: Path) -> None:
    """Red light through the authors' GSANet must move the red channel of the answer as in the fixture."""
    net, golden = case(shared, "gsanet")
    with torch.no_grad():
        turned = net(golden["frames"].flip(2), golden["ev"]).flip(1)
    assert (turned - golden["out"]).abs().max() > 1e-3  # the fixture can tell the orders apart


def test_exposure_alignment_is_the_challenge_s(shared: Path) -> None:
    golden = np.load(shared / "fixtures" / "ntire_metrics" / "ev_alignment.npz")
    x = torch.from_numpy(golden["x"]).permute(2, 0, 1)
    for ev in (-3, -2, 0, 2, 3):
        aligned = align_exposure(x[None, None], torch.tensor([[float(ev)]], dtype=torch.float64))
        expected = torch.from_numpy(golden[f"ev_{ev}"]).permute(2, 0, 1)
        torch.testing.assert_close(aligned[0, 0], expected, rtol=1e-12, atol=1e-14)
