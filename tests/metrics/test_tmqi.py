"""TMQI against a second evaluation of the paper's equations, written out with SciPy, and what it should prefer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr import metrics
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.metrics.tmqi import naturalness, structural_fidelity
from openhdr.tonemapping import tonemap


@pytest.fixture
def light(rng: np.random.Generator) -> np.ndarray:
    """(190, 230, 3) float32: areas over ten stops, with texture."""
    areas = cv2.resize(
        rng.normal(-3, 2.5, (8, 10)).astype(np.float32), (230, 190), interpolation=cv2.INTER_CUBIC
    )
    return np.exp2(areas + rng.normal(0, 0.2, areas.shape))[..., None].astype(np.float32) * np.float32(
        [1, 0.9, 0.7]
    )


def score(picture: Image, light: np.ndarray) -> dict[str, float]:
    return metrics.evaluate(picture, Image(light), ["tmqi", "tmqi-naturalness"])


def by_scipy(light: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """S and N of (H, W) luminances."""
    signal, stats = pytest.importorskip("scipy.signal"), pytest.importorskip("scipy.stats")
    side = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(side, side) / np.outer(side, side).sum()

    def mean(plane: np.ndarray) -> np.ndarray:
        return signal.convolve2d(plane, window, "valid")

    blocks = [
        codes[top : top + 11, left : left + 11]
        for top in range(0, codes.shape[0], 11)
        for left in range(0, codes.shape[1], 11)
    ]
    padded = [np.pad(one, ((0, 11 - one.shape[0]), (0, 11 - one.shape[1]))) for one in blocks]
    usual, spread = stats.beta(4.4, 10.1), np.mean([one.std() for one in padded])
    natural = usual.pdf(spread / 64.29) / usual.pdf(3.4 / 12.5)
    natural *= stats.norm.pdf(codes.mean(), 115.94, 27.99) / stats.norm.pdf(0, 0, 27.99)
    light = (2**32 - 1) * (light - light.min()) / np.ptp(light)
    fidelity, frequency = 1.0, 32.0
    for weight in (0.0448, 0.2856, 0.3001, 0.2363, 0.1333):
        frequency /= 2
        first = np.sqrt(np.maximum(mean(light**2) - mean(light) ** 2, 0))
        second = np.sqrt(np.maximum(mean(codes**2) - mean(codes) ** 2, 0))
        both = mean(light * codes) - mean(light) * mean(codes)
        contrast = 128 / (
            1.4 * 100 * 2.6 * (0.0192 + 0.114 * frequency) * np.exp(-((0.114 * frequency) ** 1.1))
        )
        seen = [stats.norm.cdf(one, contrast, contrast / 3) for one in (first, second)]
        strength = (2 * seen[0] * seen[1] + 0.01) / (seen[0] ** 2 + seen[1] ** 2 + 0.01)
        fidelity *= (strength * (both + 10) / (first * second + 10)).mean() ** weight
        box = np.full((2, 2), 0.25)
        light, codes = (signal.convolve2d(one, box, "valid")[::2, ::2] for one in (light, codes))
    return fidelity, natural


@pytest.mark.parametrize("operator", ["local-laplacian", "drago", "exposure"])
def test_equals_a_second_evaluation(operator: str, light: np.ndarray) -> None:
    picture = tonemap(Image(light), operator)
    weights = np.array([0.2126, 0.7152, 0.0722])
    codes = picture.pixels.astype(np.float64) @ weights * 255
    fidelity, natural = by_scipy(light.astype(np.float64) @ weights, codes)
    assert structural_fidelity(light.astype(np.float64) @ weights, codes) == pytest.approx(fidelity, abs=1e-4)
    assert naturalness(codes) == pytest.approx(natural, abs=1e-9)
    found = score(picture, light)
    assert found["tmqi"] == pytest.approx(0.8012 * fidelity**0.3046 + 0.1988 * natural**0.7088, abs=1e-4)
    assert found["tmqi-naturalness"] == pytest.approx(natural, abs=1e-4)


def test_worse_pictures_score_less(light: np.ndarray) -> None:
    good = tonemap(Image(light))
    negative = good.with_pixels(1 - good.pixels)
    dark = tonemap(Image(light), options={"exposure": -5})
    assert all(score(bad, light)["tmqi"] < score(good, light)["tmqi"] - 0.05 for bad in (negative, dark))
    assert score(dark, light)["tmqi-naturalness"] < 0.05


def test_photos_of_usual_brightness_and_contrast_are_natural(rng: np.random.Generator) -> None:
    codes = 115.94 + rng.normal(0, 64.29 * 3.4 / 12.5, (330, 330))
    assert naturalness(codes) > 0.98
    assert naturalness(np.zeros((200, 200))) == naturalness(np.full((220, 220), 255.0)) == 0


def test_small_pictures_are_refused(light: np.ndarray) -> None:
    with pytest.raises(RequestError, match="at least 176 px"):
        score(Image(light[:100]), light[:100])
