"""The fast local Laplacian filter against the definition of the slow one, and what it promises."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.filters import guided
from openhdr.filters.local_laplacian import local_laplacian

F32 = np.float32


def blocks(rng: np.random.Generator) -> np.ndarray:
    """(32, 48) log light: areas up to 6 stops apart, with texture."""
    areas = cv2.resize(rng.uniform(-6, 0, (4, 6)).astype(F32), (48, 32), interpolation=cv2.INTER_NEAREST)
    return areas + rng.normal(0, 0.2, areas.shape).astype(F32)


def by_definition(values: np.ndarray, beta: float, slope: float, edge: float) -> np.ndarray:
    """Paris et al. 2011, section 4, with our r: a remapped picture for every coefficient, with curve(i) = beta i."""
    levels = 3

    def pyramid(picture: np.ndarray) -> list[np.ndarray]:
        gaussian = [picture]
        for _ in range(levels):
            gaussian.append(cv2.pyrDown(gaussian[-1]))
        return gaussian

    gaussian = pyramid(values)
    result = beta * gaussian[-1]
    details = []
    for level in range(levels):
        detail = np.empty_like(gaussian[level])
        for place in np.ndindex(detail.shape):
            difference = values - gaussian[level][place]
            share = 1 / (1 + (difference / edge) ** 2)
            remapped = pyramid((((1 - share) * beta + share * slope) * difference).astype(F32))
            fine, coarse = remapped[level : level + 2]
            detail[place] = (fine - cv2.pyrUp(coarse, dstsize=fine.shape[::-1]))[place]
        details.append(detail)
    for detail in reversed(details):
        result = cv2.pyrUp(result, dstsize=detail.shape[::-1]) + detail
    return result


def test_fast_is_near_the_definition(rng: np.random.Generator) -> None:
    values = blocks(rng)
    slow = by_definition(values, 0.3, 1.2, 1.0)
    fast = local_laplacian(values, lambda x: F32(0.3) * x, 1.2, 1.0)
    plain = F32(0.3) * values
    assert np.abs(fast - slow).mean() < 0.05 < 0.3 * np.abs(plain - slow).mean()


def test_identity(rng: np.random.Generator) -> None:
    values = blocks(rng)
    np.testing.assert_allclose(local_laplacian(values, lambda x: x, 1.0, 1.0), values, atol=1e-4)


def test_texture_is_kept_and_areas_are_compressed(rng: np.random.Generator) -> None:
    rows, columns = np.indices((128, 192))
    values = (np.where(columns < 96, -8, 0) + 0.3 * ((rows // 4 + columns // 4) % 2)).astype(F32)
    shown = local_laplacian(values, lambda x: F32(0.25) * x, 1.0, 1.0)
    dark, bright = shown[:, 16:64], shown[:, 128:176]
    assert bright.mean() - dark.mean() == pytest.approx(2, abs=0.2)
    assert np.ptp(dark) == pytest.approx(0.3, abs=0.07) and np.ptp(bright) == pytest.approx(0.3, abs=0.07)


def test_no_halos_at_a_step() -> None:
    values = np.zeros((96, 160), F32)
    values[:, 80:] = 8
    shown = local_laplacian(values, lambda x: F32(0.25) * x, 1.0, 1.0)
    assert shown.min() > -0.15 and shown.max() < 2.1  # 5 % of the step
    assert np.diff(shown[48]).min() > -0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (7, 200)])
def test_any_size(shape: tuple[int, int], rng: np.random.Generator) -> None:
    values = rng.normal(0, 3, shape).astype(F32)
    assert np.isfinite(local_laplacian(values, lambda x: F32(0.5) * x, 1.0, 1.0)).all()
    lines = guided.lines(values, values, 3, 0.01)
    assert lines.shape == (*shape, 2)


def test_guided_lines_follow_the_guide_at_full_size(rng: np.random.Generator) -> None:
    """Found at a quarter of the size, slope and offset give tones with the edges of the full size."""
    guide = np.where(np.arange(160) < 83, 0, 4).astype(F32) + np.zeros((120, 1), F32)
    guide += rng.normal(0, 0.02, guide.shape).astype(F32)
    small = cv2.resize(guide, (40, 30), interpolation=cv2.INTER_AREA)
    maps = guided.lines(small, F32(0.5) * small + 1, 2, 1e-4)
    whole = guided.enlarged(maps, guide.shape, slice(0, 120))
    np.testing.assert_allclose(whole[..., 0] * guide + whole[..., 1], 0.5 * guide + 1, atol=0.05)
    np.testing.assert_array_equal(guided.enlarged(maps, guide.shape, slice(50, 70)), whole[50:70])
