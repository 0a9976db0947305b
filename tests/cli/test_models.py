"""`openhdr models`: facts of networks and of the weights that come with them, without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openhdr import models
from openhdr.core.table import Table
from openhdr.models.rows import WeightRow


@pytest.fixture
def shipped(monkeypatch) -> WeightRow:
    row = WeightRow(
        "gsanet-test",
        "for a test only",
        "gsanet-test.safetensors",
        network="gsanet",
        sha256="0" * 64,
        licence="CC0-1.0",
        training_data="made up",
        scores={"psnr-mu@nowhere, moon": 31.5, "ssim-mu, moon": 0.9, "psnr-mu@nowhere, mars": 20.0},
    )
    monkeypatch.setattr(models, "WEIGHTS", Table("trained weights", row))
    return row


def test_json_has_the_facts_of_every_network(run, shipped) -> None:
    facts = {one["name"]: one for one in run("models", "--json").json}
    assert list(facts) == list(models.MODELS)
    assert (facts["trustnet"]["task"], facts["trustnet"]["frames"]) == ("merge", "2-9")
    for one in facts.values():
        assert one.keys() == facts["gsanet"].keys()
        assert all(weight["licence"] and weight["training_data"] for weight in one["weights"])
    assert {key: facts["gsanet"][key] for key in ("task", "frames", "params", "gmacs")} == {
        "task": "merge",
        "frames": 3,
        "params": 80647,
        "gmacs": 199.39,
    }
    (weights,) = facts["gsanet"]["weights"]
    assert weights["name"] == "gsanet-test" and weights["licence"] == "CC0-1.0"
    assert weights["training_data"] == "made up" and weights["scores"]["psnr-mu@nowhere, moon"] == 31.5
    assert weights["card"].endswith("gsanet-test.md")
    assert facts["adnet"]["weights"] == []


def test_text_has_them_too(run, shipped) -> None:
    said = run("models").out
    assert "weights gsanet-test: for a test only; made up; CC0-1.0\n" in said
    assert "    on moon: psnr-mu@nowhere 31.5, ssim-mu 0.9\n    on mars: psnr-mu@nowhere 20\n" in said
    assert "none: train them" in said


def test_torch_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['openhdr', 'models', '--json']; "
        "from openhdr.cli import main; main()"
    )
    assert (
        '"gsanet"'
        in subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    )
