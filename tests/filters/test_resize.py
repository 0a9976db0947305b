"""Resampling with MATLAB's conventions, by properties and by a sum written out."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.filters.resize import resize


def _keys(x: float) -> float:
    """Keys 1981, a = -1/2."""
    x = abs(x)
    return (1.5 * x - 2.5) * x * x + 1 if x <= 1 else ((-0.5 * x + 2.5) * x - 4) * x + 2 if x <= 2 else 0.0


def _slow_row(row: np.ndarray, wanted: int) -> np.ndarray:
    """A row resampled sample by sample: shrinking widens the kernel, borders mirror."""
    size, scale = len(row), wanted / len(row)
    width = min(scale, 1.0)
    out = []
    for index in range(wanted):
        centre = (index + 0.5) / scale - 0.5
        total = weight = 0.0
        for place in range(int(centre - 2 / width) - 2, int(centre + 2 / width) + 3):
            near = place % (2 * size)
            share = _keys((centre - place) * width)
            total, weight = total + share * row[near if near < size else 2 * size - 1 - near], weight + share
        out.append(total / weight)
    return np.array(out)


@pytest.mark.parametrize("wanted", [5, 11, 16, 23, 40])
def test_cubic_rows_against_the_sum_written_out(wanted, rng):
    row = rng.random(16)
    np.testing.assert_allclose(resize(row[None], (1, wanted), "cubic")[0], _slow_row(row, wanted), atol=1e-12)


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
@pytest.mark.parametrize("shape", [(7, 5), (40, 60), (33, 2), (1, 1)])
def test_a_flat_plane_stays_flat(kernel, shape):
    np.testing.assert_allclose(resize(np.full((20, 30), 0.3), shape, kernel), 0.3, atol=1e-12)


def test_rows_and_columns_are_treated_alike(rng):
    plane = rng.random((13, 21))
    np.testing.assert_allclose(
        resize(plane, (30, 9), "cubic"), resize(plane.T, (9, 30), "cubic").T, atol=1e-12
    )


def test_halving_with_a_triangle_by_hand():
    """Weights 1/8 3/8 3/8 1/8 of a triangle widened to two pixels."""
    row = np.arange(8.0) ** 2
    middle = (row[1] + 3 * row[2] + 3 * row[3] + row[4]) / 8
    assert resize(row[None], (1, 4), "linear")[0, 1] == pytest.approx(middle)
