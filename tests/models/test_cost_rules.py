"""Costs counted by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from openhdr.models.cost import challenge_macs, cost  # noqa: E402


class Everything(nn.Module):
    """A shared layer, layers with parameters that are no convolutions, functions, and layers never called."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(3, 4, 3, padding=1)
        self.reduce = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2, bias=False)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)
        self.act = nn.PReLU()
        self.mix = nn.Linear(2, 5)
        self.kernel = nn.Parameter(torch.zeros(2, 2, 3, 3))
        self.unused = nn.Conv2d(3, 7, 1)

    def forward(self, x: torch.Tensor, again: torch.Tensor) -> torch.Tensor:
        x = self.act(self.shared(x)) + self.shared(again)
        x = F.conv2d(self.up(self.reduce(x)), self.kernel, padding=1)
        return self.mix(x.mean(dim=(2, 3)))


HEIGHT, WIDTH = 8, 12
SHARED, HALF, UP, ACT, MIX, KERNEL, UNUSED = 3 * 4 * 9 + 4, 4 * 2 * 9, 4 * 2 * 4 + 2, 1, 2 * 5 + 5, 36, 28
FULL, SMALL = HEIGHT * WIDTH, HEIGHT * WIDTH // 4


@pytest.fixture
def found():
    inputs = torch.zeros(1, 3, HEIGHT, WIDTH)
    return cost(Everything(), inputs, inputs)


def test_the_challenge_s_rule(found) -> None:
    by_hand = 2 * SHARED * FULL + HALF * SMALL + UP * FULL + ACT + MIX
    assert found.challenge_macs == by_hand


def test_the_exact_count(found) -> None:
    transposed = 4 * 2 * 4 * SMALL  # every input pixel meets every weight once
    by_hand = 2 * (SHARED - 4) * FULL + HALF * SMALL + transposed + KERNEL * FULL + 2 * 5
    assert found.exact_macs == by_hand


def test_parameters(found) -> None:
    called = SHARED + HALF + UP + ACT + MIX + KERNEL
    assert (found.parameters, found.called_parameters) == (called + UNUSED, called)


def test_costs_do_not_touch_the_network() -> None:
    net, inputs = Everything(), torch.zeros(1, 3, HEIGHT, WIDTH)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    macs, params = challenge_macs(net, inputs, inputs)
    assert macs == cost(net, inputs, inputs).challenge_macs and params == cost(net, inputs, inputs).parameters
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
    assert net(inputs, inputs).shape == (1, 5)


def test_any_size_costs_nothing_to_count() -> None:
    inputs = torch.empty(1, 3, 20_000, 30_000, device="meta")
    assert cost(Everything(), inputs, inputs).challenge_macs > 1e11
