"""Oklab against its author's examples, and the gamut that it keeps hues in."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.color.oklab import fit_gamut, from_linear, to_linear
from openhdr.color.primaries import REC709, to_xyz

F32 = np.float32


@pytest.mark.parametrize(
    ("xyz", "lab"),
    [
        ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
        ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
        ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
        ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
    ],
)
def test_the_authors_table(xyz: tuple[float, ...], lab: tuple[float, ...]) -> None:
    linear = np.linalg.solve(to_xyz(REC709), xyz)
    np.testing.assert_allclose(from_linear(linear), lab, atol=1.5e-3)  # printed with three digits
    np.testing.assert_allclose(to_linear(from_linear(linear)), linear, atol=1e-9)


def test_fitting_keeps_lightness_and_hue(rng: np.random.Generator) -> None:
    linear = rng.lognormal(-0.5, 1, (80, 90, 3)).astype(F32)
    fitted = linear.copy()
    fit_gamut(fitted)
    inside = linear.max(axis=2) <= 1
    np.testing.assert_array_equal(fitted[inside], linear[inside])
    assert fitted.min() >= 0 and fitted.max() <= 1
    before, after = from_linear(linear)[~inside], from_linear(fitted)[~inside]
    np.testing.assert_allclose(after[:, 0], np.minimum(before[:, 0], 1), atol=2e-3)
    chroma = np.hypot(after[:, 1], after[:, 2])
    turned = np.abs(np.arctan2(*after[:, :0:-1].T) - np.arctan2(*before[:, :0:-1].T))
    turned = np.minimum(turned, 2 * np.pi - turned)
    assert (turned * chroma).max() < 2e-3
    assert (chroma <= np.hypot(before[:, 1], before[:, 2]) + 1e-6).all()


def test_fitting_takes_no_more_chroma_than_it_has_to(rng: np.random.Generator) -> None:
    linear = (rng.uniform(0, 1, (60, 60, 3)) * 1.6).astype(F32)
    fitted = linear.copy()
    fit_gamut(fitted)
    outside = (linear.max(axis=2) > 1) & (from_linear(linear)[..., 0] < 0.99)
    bounds = np.minimum(1 - fitted.max(axis=2), fitted.min(axis=2))[outside]
    assert bounds.max() < 0.01


def test_whiter_than_white_is_white() -> None:
    linear = np.full((1, 3, 3), 7, F32)
    fit_gamut(linear)
    np.testing.assert_allclose(linear, 1, atol=1e-4)
