"""Golden pairs of pictures and their reference values."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

NAMES = ("p01_synth_gain", "p04_stfagans_clip", "p07_identity", "p09_venice_local", "p10_kiara_singleshot")


@pytest.fixture(scope="session")
def reference_values(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "fixtures" / "metrics" / "reference_values.json").read_text())


@pytest.fixture(scope="session", params=NAMES)
def golden(request: pytest.FixtureRequest, shared: Path, reference_values: dict[str, Any]) -> SimpleNamespace:
    """test, ref: float32 pictures; values: what the authors' programs say."""
    with np.load(shared / "fixtures" / "metrics" / f"{request.param}.npz") as stored:
        test, ref = stored["test"], stored["ref"]
    return SimpleNamespace(
        name=request.param, test=test, ref=ref, values=reference_values["pairs"][request.param]
    )


@pytest.fixture
def scene(rng: np.random.Generator) -> np.ndarray:
    """(40, 56, 3) float32 linear, nine stops, smooth with texture."""
    y, x = np.mgrid[0:40, 0:56] / 12.0
    stops = 2.5 * np.sin(x + 0.3) + 2 * np.cos(1.7 * y) + rng.normal(0, 0.15, (40, 56))
    return (0.12 * 2.0 ** stops[..., None] * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
