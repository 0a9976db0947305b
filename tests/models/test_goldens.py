"""Every network computes what it computed when the parity with its authors' program was measured."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the torch extra")

STORED = json.loads((Path(__file__).parent / "goldens.json").read_text())
MAKER = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "make_goldens.py"))


@pytest.mark.parametrize("name", STORED)
def test_outputs_are_the_stored_ones(name: str) -> None:
    assert MAKER["outputs"](name) == pytest.approx(STORED[name], rel=2e-4, abs=2e-5)


def test_every_network_has_a_golden() -> None:
    from openhdr.models import MODELS

    assert set(STORED) == {name for name, row in MODELS.items() if not row.inside}
