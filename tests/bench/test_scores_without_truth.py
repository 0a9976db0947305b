"""Scores without truth against an independent isotonic regression, and what each of them can and cannot see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from openhdr.bench.without_truth.scores import (
    Photo,
    one_curve,
    per_channel,
    prediction,
    shared,
    usable_photos,
)
from openhdr.camera.calibration import non_decreasing
from openhdr.metrics.psnr import BINS

GAMMAS = (1.8, 2.2, 2.6)  # of a camera whose channels have curves of their own


def photographed(light: np.ndarray, ev: float, gammas: tuple[float, ...] = (2.2, 2.2, 2.2)) -> Photo:
    exposed = np.clip(light * 2.0**ev, 0, 1)
    codes = np.stack([exposed[..., c] ** (1 / gamma) for c, gamma in enumerate(gammas)], axis=2)
    return Photo(np.rint(codes * 255).astype(np.uint8), ev)


@pytest.fixture(scope="module")
def light() -> np.ndarray:
    rng = np.random.default_rng(1)
    return (0.003 * 300 ** rng.random((120, 160, 3))).astype(np.float32)


def test_isotonic_regression_is_scipy_s(rng):
    for size in (1, 2, 40, 512):
        values, weights = rng.normal(np.linspace(0, 3, size), 1), rng.integers(1, 9, size)
        expected = isotonic_regression(values, weights=weights).x
        np.testing.assert_allclose(non_decreasing(values, weights), expected, atol=1e-12)


def test_per_channel_is_what_an_independent_fit_leaves_over(light, rng):
    photo = photographed(light, 0.0, GAMMAS)
    noisy = light * rng.normal(1, 0.2, light.shape).astype(np.float32)
    squares = []
    usable = ((photo.codes >= 5) & (photo.codes <= 249)).all(axis=2)
    for c in range(3):
        x, y = noisy[..., c][usable].astype(float), photo.codes[..., c][usable].astype(float)
        order = np.argsort(x)
        bins = np.array_split(order, BINS)
        knots = np.array([x[one].mean() for one in bins])
        means = isotonic_regression([y[one].mean() for one in bins], weights=[len(one) for one in bins]).x
        squares.append((np.interp(x, knots, means) - y) ** 2)
    expected = 10 * np.log10(255**2 / np.mean(squares))
    assert per_channel(noisy, [photo]) == pytest.approx(expected, abs=0.01)


def test_exact_light_leaves_little_but_the_rounding_of_codes(light):
    photos = [photographed(light, ev) for ev in (-2.0, 0.0, 1.0)]
    for score in (per_channel, shared, one_curve):
        assert score(light, photos) > 55  # rounding alone: 58.9


def test_a_tint_is_seen_by_shared_and_not_by_per_channel(light):
    photos = [photographed(light, 0.0)]
    tinted = light * np.float32([1.3, 1, 0.8])
    assert per_channel(tinted, photos) > 55
    assert shared(tinted, photos) < 35


def test_a_wrong_scale_between_photos_is_seen_by_one_curve_alone(light):
    photos = [photographed(light, ev) for ev in (-1.0, 1.0)]
    wrong = [Photo(photos[0].codes, -1.4), photos[1]]
    assert shared(light, wrong) > 55
    assert one_curve(light, wrong) < 35


def test_the_unit_and_the_curve_of_light_do_not_matter(light):
    photos = [photographed(light, 0.0, GAMMAS)]
    bent = (700 * light**1.7).astype(np.float32)
    assert per_channel(bent, photos) == pytest.approx(per_channel(light, photos), abs=1.5)


def test_photos_near_black_or_clipping_are_left_out(light):
    photos = [photographed(light, ev) for ev in (-14.0, 0.0, 12.0)]
    assert [photo.ev for photo in usable_photos(photos)] == [0.0]


def test_prediction_is_the_photo_where_it_is_usable(light):
    photo = photographed(light, 0.0)
    assert np.abs(prediction(light, photo).astype(int) - photo.codes)[photo.usable].max() <= 2
