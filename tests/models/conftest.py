"""Networks for the tests: every three-frame row, every ablation variant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from openhdr import models

Make = Callable[..., torch.nn.Module]

MERGERS = [row.name for row in models.MODELS.values() if row.task == "merge"]
VARIANTS = [
    *[("gsanet", {"grouping": g}) for g in ("12345", "135", "123,345", "135,234")],
    ("gsanet", {"denoise": False}),
    ("gsanet", {"channel_attention": False}),
    ("gsanet", {"dense_block": False}),
    ("gsanet", {"share_features": True}),
    *[("adnet", {"design": d}) for d in ("baseline", "variant-1", "variant-2", "grouped")],
    ("ahdrnet", {"dense_layers": 5}),
    ("eapnet", {"alignment": "none", "share": True}),
    ("eapnet", {"alignment": "full", "blocks": 2, "transposed": False}),
    ("eapnet", {"encoder": "single-scale", "body": "drdb", "alignment": "none"}),
]
EVERY = [*((name, {}) for name in MERGERS), *VARIANTS]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small images gain nothing from threads within a layer, and other work may want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=MERGERS)
def merger(request: pytest.FixtureRequest) -> str:
    """The name of a three-frame network."""
    return request.param


@pytest.fixture(params=EVERY, ids=str)
def variant(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The name of a three-frame network and options of one of its variants."""
    return request.param


@pytest.fixture
def untrained() -> Make:
    """(name, options) -> a network whose every path carries signal: no zero-initialised offsets, and outputs
    off the floor of their ReLU.
    """

    def make(name: str, options: dict[str, Any] | None = None) -> torch.nn.Module:
        torch.manual_seed(1)
        net = models.load(name, **(options or {}))
        for key, parameter in net.named_parameters():
            if ".predict." in key and not parameter.any():
                torch.nn.init.normal_(parameter, std=0.01)
        with torch.no_grad():
            last = [parameter for key, parameter in net.named_parameters() if key.endswith("bias")][-1]
            last += 0.5
        return net

    return make
