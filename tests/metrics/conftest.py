"""A scene to score."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def scene(rng: np.random.Generator) -> np.ndarray:
    """(40, 56, 3) float32 linear, nine stops, smooth with texture."""
    y, x = np.mgrid[0:40, 0:56] / 12.0
    stops = 2.5 * np.sin(x + 0.3) + 2 * np.cos(1.7 * y) + rng.normal(0, 0.15, (40, 56))
    return (0.12 * 2.0 ** stops[..., None] * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
