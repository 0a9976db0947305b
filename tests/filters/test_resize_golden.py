"""Resampling as MATLAB's imresize."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openhdr.filters.resize import resize


def test_halving_by_hand() -> None:
    """Cubic, widened twice: weights of a = -0.5 at distances 1/4, 3/4, 5/4, 7/4 pixels, halved."""

    def cubic(d: float) -> float:
        return 1.5 * d**3 - 2.5 * d**2 + 1 if d <= 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2

    weights = np.array([cubic(d) for d in (1.75, 1.25, 0.75, 0.25, 0.25, 0.75, 1.25, 1.75)])
    weights /= weights.sum()
    row = np.arange(16.0) ** 2
    found = resize(row[None].repeat(16, 0), (16, 8), "cubic")
    assert found[5, 3] == pytest.approx(weights @ row[3:11])
    mirrored = np.concatenate([row[2::-1], row[:5]])
    assert found[0, 0] == pytest.approx(weights @ mirrored)


def test_doubling_by_hand() -> None:
    """Linear: 3/4 and 1/4 of the neighbours, the border repeated."""
    found = resize(np.array([[1.0, 5.0]]), (1, 4), "linear")
    assert found == pytest.approx(np.array([[1.0, 2.0, 4.0, 5.0]]))


@settings(deadline=None, max_examples=15)
@given(
    size=st.tuples(st.integers(1, 120), st.integers(1, 300)),
    wanted=st.tuples(st.integers(1, 120), st.integers(1, 300)),
    kernel=st.sampled_from(["linear", "cubic"]),
)
def test_constants_stay_and_directions_are_alike(size: tuple, wanted: tuple, kernel: str) -> None:
    assert resize(np.full(size, 3.0), wanted, kernel) == pytest.approx(np.full(wanted, 3.0))
    plane = np.random.default_rng(0).normal(size=size)
    found = resize(plane, wanted, kernel)
    assert found == pytest.approx(resize(plane.T.copy(), wanted[::-1], kernel).T, abs=1e-12)
