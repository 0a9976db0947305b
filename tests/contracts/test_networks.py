"""Every network: loads untrained, takes any size, says what it costs, refuses unknown options."""

from __future__ import annotations

import pytest

from openhdr import models
from openhdr.core.errors import FileError, RequestError

torch = pytest.importorskip("torch", reason="networks need the torch extra")


@pytest.mark.parametrize("size", [(17, 23), (32, 40)], ids=["17x23", "32x40"])
def test_any_size_goes_in_and_comes_out(network, size) -> None:
    torch.manual_seed(7)
    net = models.load(network.name)
    assert not net.training
    if network.inside:
        size = tuple(-(-side // 32) * 32 for side in size)  # the method pads
    with torch.inference_mode():
        if network.task == "consistency":
            out = net(*_features(size), _plain_merge)[1]
        elif network.task == "merge":
            out = net(torch.rand(1, network.frames, 3, *size), torch.tensor([[-2.0, 0.0, 2.0]]))
        elif network.task == "stops":
            out = net(torch.rand(1, 11, *size))
        else:
            out = net(torch.rand(1, 3, *size))
    assert out.shape == (1, 3, *size)
    assert torch.isfinite(out).all()


def _features(size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(2, 13, *size), torch.rand(11, *size)


def _plain_merge(trust: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    return torch.cat((factor, trust.mean(0, keepdim=True), trust[:1], factor))[None]


def test_parts_of_a_single_image_network_have_names(network) -> None:
    if network.task != "expand":
        pytest.skip("contract of single-image networks")
    net = models.load(network.name)
    with torch.inference_mode():
        parts = net(torch.rand(1, 3, 16, 16), return_parts=True)
    assert "out" in parts and len(parts) > 1


def test_row_has_its_facts(network) -> None:
    assert (
        network.paper
        and network.frames == {"merge": 3, "expand": 1, "consistency": (2, 9), "stops": 1}[network.task]
    )
    assert network.params > 0 and network.gmacs > 0
    held = sum(one.numel() for one in models.load(network.name).parameters())
    assert held >= network.params  # a few authors keep parameters that nothing uses


def test_unknown_option_is_refused(network) -> None:
    with pytest.raises(RequestError, match="no_such_option"):
        models.load(network.name, no_such_option=1)


def test_foreign_weights_are_refused(network, tmp_path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    save_file({"somebody.elses.weight": torch.zeros(3)}, path)
    with pytest.raises(FileError, match=r"other\.safetensors"):
        models.load(network.name, weights=path)
