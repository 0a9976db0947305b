"""Metrics give what they gave when their parity with the authors' programs was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from openhdr import metrics

STORED = json.loads((Path(__file__).parent / "goldens.json").read_text())


def pair() -> tuple[np.ndarray, np.ndarray]:
    """As scripts/make_goldens.py makes them, written out: that script needs torch."""
    y, x = np.mgrid[0:48, 0:64]
    ref = np.stack([2.0 ** (3 * np.sin(x / 9 + c) + 2 * np.cos(y / 7 - c) - 1) for c in range(3)], 2)
    return ref * (1 + 0.05 * np.sin(x * 1.3 + y * 0.7))[..., None], ref


@pytest.mark.parametrize("name", STORED)
def test_score_is_the_stored_one(name: str) -> None:
    test, ref = pair()
    assert metrics.evaluate(test, ref, [name], protocol="abs:100")[name] == pytest.approx(
        STORED[name], abs=1e-6
    )


def test_psnr_of_the_pair_by_hand() -> None:
    """The stored value is no mere memory of the code."""
    test, ref = pair()
    assert STORED["psnr-l"] == pytest.approx(-10 * np.log10(np.mean((test - ref) ** 2)), abs=1e-9)
