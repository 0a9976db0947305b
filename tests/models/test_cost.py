"""Costs by the challenge's rule, counted here by hand, against the papers' numbers; and the page of costs."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from openhdr import models

ROOT = Path(__file__).resolve().parents[2]
LIGHT = {"blocks": 3, "alignment": "full", "transposed": False}
DENSE = {"blocks": 3, "alignment": "none", "transposed": False, "body": "drdb", "share": True}


def gmacs(name: str, variant: dict[str, Any]) -> float:
    """(weights + biases) x output positions of every call of a convolution; other parameters once a call."""
    total = 0

    def count(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        conv = isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
        total += own * (output.shape[-2] * output.shape[-1] if conv else 1)

    with torch.device("meta"):
        net = models.load(name, **variant)
        for module in net.modules():
            if not list(module.children()):
                module.register_forward_hook(count)
        net(torch.empty(1, 3, 3, 1060, 1900), torch.empty(1, 3))
    return total / 1e9


@pytest.mark.parametrize(
    ("name", "variant", "exact"),
    [
        ("gsanet", {}, 199.388014513),
        ("gsanet", {"share_features": True}, 187.942452513),
        ("adnet", {}, 6249.429916),
        ("ahdrnet", {}, 2916.922522),
        ("ahdrnet", {"dense_layers": 5}, 2514.573658),
    ],
    ids=str,
)
def test_networks_with_a_program_cost_what_it_costs(name: str, variant: dict, exact: float) -> None:
    assert gmacs(name, variant) == pytest.approx(exact, abs=5e-7)


@pytest.mark.parametrize(
    ("variant", "paper"),
    [
        (DENSE, 137.66),  # table 1, experiments 2 to 8
        (LIGHT | {"alignment": "none", "share": True}, 121.03),
        (LIGHT | {"share": True}, 146.28),
        (LIGHT | {"alignment": "none"}, 121.03),
        (LIGHT, 146.28),
        (LIGHT | {"alignment": "half"}, 126.43),
        ({}, 198.38),
        (LIGHT | {"blocks": 2}, 128.25),  # table 2
        (LIGHT | {"blocks": 4}, 164.31),
        (LIGHT | {"blocks": 5}, 182.34),
    ],
    ids=str,
)
def test_eapnet_costs_what_its_paper_says_within_a_hundredth(variant: dict, paper: float) -> None:
    assert gmacs("eapnet", variant) == pytest.approx(paper, rel=0.01)


@pytest.mark.parametrize(("name", "paper"), [("eapnet", 576_230), ("eapnet-light", 393_730)])
def test_eapnet_has_the_paper_s_parameters_within_a_hundredth(name: str, paper: int) -> None:
    assert models.MODELS[name].params == pytest.approx(paper, rel=0.01)


def test_rows_state_the_cost(merger: str) -> None:
    assert models.MODELS[merger].gmacs == pytest.approx(gmacs(merger, {}), abs=0.005)


def test_the_page_of_costs_is_fresh() -> None:
    pytest.importorskip("openhdr.models.cost", reason="the counter is not there")
    script = runpy.run_path(str(ROOT / "scripts" / "network_cost.py"), run_name="network_cost")
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), (
        "run: python scripts/network_cost.py"
    )
