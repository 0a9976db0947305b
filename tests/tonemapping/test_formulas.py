"""Operators against their papers' formulas, worked by hand, and against OpenCV where formulas coincide."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.filters.bilateral_grid import joint_bilateral
from openhdr.tonemapping.drago import (
    DEFAULTS,
    HIGHEST_EXPOSURE,
    LOWEST_EXPOSURE,
    automatic_exposure,
    drago,
    tone,
)
from openhdr.tonemapping.durand import durand
from openhdr.tonemapping.hable import filmic, hable
from openhdr.tonemapping.mantiuk08 import best_curve, sensitivity, solve, transducer
from openhdr.tonemapping.operator_options import (
    DragoOptions,
    DurandOptions,
    HableOptions,
    Mantiuk08Options,
    ReinhardLocalOptions,
    ReinhardOptions,
)
from openhdr.tonemapping.reinhard import automatic_key, automatic_white, reinhard
from openhdr.tonemapping.reinhard_local import adaptation, reinhard_local
from openhdr.tonemapping.statistics import Statistics, measure, sample

F32 = np.float32


def grey(*values: float) -> np.ndarray:
    return np.repeat(np.array(values, F32).reshape(1, -1, 1), 3, axis=2)


def light(display: np.ndarray) -> np.ndarray:
    return srgb_decode(display[..., 0].astype(np.float64))


def test_statistics_of_known_values() -> None:
    scene = measure(grey(1, 10, 100, 0))  # black has no logarithm and is left out
    assert (scene.low, scene.high) == (pytest.approx(1.18), pytest.approx(98.2))
    assert scene.log_average == pytest.approx((1.18 * 10 * 98.2) ** (1 / 3))  # of the values set to low..high
    assert scene.peak == pytest.approx(100)
    assert measure(grey(0)) == Statistics()


def test_statistics_of_a_large_picture_come_from_a_sample(rng: np.random.Generator) -> None:
    picture = rng.lognormal(0, 2, (1000, 1300, 1)).astype(F32) * np.ones(3, F32)
    assert sample(picture).size < 500_000
    assert measure(picture).log_average == pytest.approx(1, rel=0.02)


def test_reinhard_by_hand() -> None:
    """Key = log-average / 2, white 2: L = 0.5, 0.05, 5 -> L (1 + L / 4) / (1 + L), 5 clipped."""
    picture = grey(1, 0.1, 10)
    key = 0.5 * measure(picture).log_average
    shown = light(reinhard(picture, ReinhardOptions(key=key, white=math.log2(2 / key))))[0]
    assert shown == pytest.approx([0.5 * 1.125 / 1.5, 0.05 * 1.0125 / 1.05, 1], abs=1e-5)


def test_reinhard_parameters_by_hand() -> None:
    scene = Statistics(log_average=4, low=1, high=64, peak=64)  # log2: 2, 0, 6
    assert automatic_key(scene) == pytest.approx(0.18 * 4 ** (-2 / 6))
    assert automatic_white(scene) == pytest.approx(3)  # 1.5 * 2^(6 - 5)
    assert automatic_key(Statistics()) == pytest.approx(0.18)
    assert automatic_white(Statistics()) == 1


def test_reinhard_local_is_the_global_operator_on_a_flat_picture() -> None:
    flat = np.full((40, 40, 3), 0.7, F32)
    assert reinhard_local(flat) == pytest.approx(reinhard(flat), abs=1e-6)


def test_reinhard_local_neighbourhood_stops_at_an_edge() -> None:
    """In a flat field the largest surround is taken; beside an edge of 1:100 none that crosses it."""
    step = np.full((128, 256), 0.1, F32)
    step[:, 128:] = 10
    adapted = adaptation(step, 0.18, ReinhardLocalOptions())
    assert adapted[64, 5] == pytest.approx(0.1, rel=1e-3)
    assert adapted[64, 250] == pytest.approx(10, rel=1e-3)
    assert adapted[64, 124] < 0.2  # the largest surround would give about 3
    assert cv2.GaussianBlur(step, (0, 0), 10)[64, 124] > 2


def test_reinhard_local_raises_local_contrast(rng: np.random.Generator) -> None:
    picture = np.full((128, 256, 1), 0.02, F32)
    picture[:, 128:] = 8
    picture = picture * rng.uniform(0.7, 1.3, picture.shape).astype(F32) * np.ones(3, F32)
    bright = np.s_[20:100, 180:240]
    assert light(reinhard_local(picture))[bright].std() > 1.3 * light(reinhard(picture))[bright].std()


def test_drago_by_hand() -> None:
    options = DragoOptions(key=1, white_percentile=100, least_white=0)
    picture = grey(1 / 9, 1, 9)
    average = measure(picture).log_average
    shown = light(drago(picture, options))[0]
    power = math.log(0.85) / math.log(0.5)
    top = 9 / average
    expected = math.log1p(1 / average) / math.log(2 + 8 * (1 / 9) ** power) / math.log10(top + 1)
    assert shown[1] == pytest.approx(expected, abs=1e-4)
    assert shown[2] == pytest.approx(1, abs=1e-5)


def test_drago_equals_opencv(rng: np.random.Generator) -> None:
    """OpenCV's operator with gamma 1 and saturation 1; grey, so that its other luminance weights do not
    matter.

    It stretches input and output to 0..1 and divides by luminance: one channel of one pixel is 0, none is
    black.
    """
    picture = np.repeat(rng.lognormal(0, 1, (60, 60, 1)).astype(F32), 3, axis=2)
    picture /= picture.max()
    picture[0, 0] = (0, 0.1, 0.1)
    theirs = cv2.createTonemapDrago(1.0, 1.0, 0.85).process(picture)[..., 2]
    average = float(np.exp(np.log(picture[..., 2]).mean()))
    exposure = measure(picture).log_average / average  # ours is robust, theirs the plain mean of logs
    ours = light(drago(picture, DragoOptions(key=exposure, white_percentile=100, least_white=0)))
    assert np.abs(ours / ours.max() - theirs)[1:].max() < 1e-3


def test_drago_published_exposure_is_brighter(rng: np.random.Generator) -> None:
    picture = rng.lognormal(0, 2, (40, 40, 1)).astype(F32) * np.ones(3, F32)
    assert (light(drago(picture, DragoOptions(key=1))) >= light(drago(picture)) - 1e-6).all()


@pytest.mark.parametrize("sigma", [0.1, 0.7, 1.5, 3.0])
def test_drago_shows_the_log_average_no_brighter_than_middle_grey(
    sigma: float, rng: np.random.Generator
) -> None:
    picture = rng.lognormal(0, sigma, (60, 60, 1)).astype(F32) * np.ones(3, F32)
    picture[0, 0] = measure(picture).log_average
    assert light(drago(picture))[0, 0] <= 0.181
    paper = light(drago(picture, DragoOptions(key=1, least_white=0)))
    assert light(drago(picture))[0, 0] < paper[0, 0]


def test_drago_exposure_by_the_range() -> None:
    at_least = automatic_exposure(DEFAULTS.least_white, 0.85)
    assert at_least == pytest.approx(LOWEST_EXPOSURE, rel=0.02)
    assert tone(LOWEST_EXPOSURE, LOWEST_EXPOSURE * DEFAULTS.least_white, 0.85) == pytest.approx(
        0.18, abs=2e-3
    )
    exposures = [automatic_exposure(2.0**stops, 0.85) for stops in (3.6, 4.0, 4.5, 6.0, 12.0)]
    assert exposures == sorted(exposures)
    assert at_least <= exposures[0] < exposures[1] < exposures[-1] == HIGHEST_EXPOSURE


def test_drago_keeps_the_saturation_of_the_scene() -> None:
    colour = grey(0.1, 1, 40) * F32([0.5, 0.3, 0.2])
    shown = srgb_decode(drago(colour)[0].astype(np.float64))
    np.testing.assert_allclose(shown[:2] / shown[:2, :1], colour[0, :2] / colour[0, :2, :1], rtol=1e-3)


def test_hable_by_hand() -> None:
    assert filmic(np.float64(0)) == pytest.approx(0, abs=1e-12)
    # x = 2: (2 (0.3 + 0.05) + 0.004) / (2 (0.3 + 0.5) + 0.06) - 0.02 / 0.3
    assert filmic(np.float64(2)) == pytest.approx(0.704 / 1.66 - 1 / 15)
    shown = light(hable(grey(1, 1, 1), HableOptions(key=1.0)))
    assert shown[0, 0] == pytest.approx((0.704 / 1.66 - 1 / 15) / filmic(np.float64(11.2)), abs=1e-4)


def test_bilateral_grid_keeps_an_edge_and_smooths_beside_it(rng: np.random.Generator) -> None:
    step = np.zeros((90, 120), F32)
    step[:, 60:] = 3
    noisy = step + rng.normal(0, 0.05, step.shape).astype(F32)
    smooth = joint_bilateral(noisy, noisy, 6.0, 0.4)
    assert np.abs(smooth - step).max() < 0.12
    assert (smooth - step).std() < 0.4 * (noisy - step).std()
    assert joint_bilateral(step + 2, step, 6.0, 0.4) == pytest.approx(step + 2, abs=1e-5)


def test_bilateral_grid_is_near_the_brute_force_filter(rng: np.random.Generator) -> None:
    coarse = cv2.resize(rng.normal(0, 0.6, (6, 8)).astype(F32), (96, 72), interpolation=cv2.INTER_CUBIC)
    picture = coarse + rng.normal(0, 0.05, coarse.shape).astype(F32)
    exact = cv2.bilateralFilter(picture, 49, 0.4, 8, borderType=cv2.BORDER_REFLECT)
    inside = np.s_[16:-16, 16:-16]
    assert np.abs(joint_bilateral(picture, picture, 8.0, 0.4) - exact)[inside].mean() < 0.04


def test_durand_compresses_the_base_and_keeps_detail() -> None:
    """Two halves 1:10^4 with 10 % texture: the ratio of halves becomes `base_contrast`, the texture stays."""
    rows, columns = np.indices((120, 160))
    texture = np.where((rows + columns) % 2, 1.1, 1.0)
    picture = grey(1)[0, 0] * (np.where(columns < 80, 1e-2, 1e2) * texture)[..., None].astype(F32)
    shown = light(durand(picture, DurandOptions(base_contrast=20)))
    dark, bright = shown[20:100, 10:60], shown[20:100, 100:150]
    assert bright.mean() / dark.mean() == pytest.approx(20, rel=0.05)
    assert dark.max() / dark.min() == pytest.approx(1.1, rel=0.02)


def test_mantiuk08_solver_meets_the_optimality_conditions(rng: np.random.Generator) -> None:
    factor = rng.normal(size=(12, 8))
    matrix, vector, room = factor.T @ factor, rng.normal(size=8), 0.3
    rises = solve(matrix, vector, room)
    gradient = matrix @ rises - vector
    assert rises.min() >= 0 and rises.sum() <= room + 1e-9
    price = max(-gradient[rises > 1e-9].mean(), 0) if (rises > 1e-9).any() else 0.0
    assert np.abs(gradient[rises > 1e-9] + price).max() < 1e-6
    assert (gradient[rises <= 1e-9] + price).min() > -1e-6


def test_mantiuk08_gives_range_to_luminances_with_contrast() -> None:
    """Texture at 0.01 and at 100, nothing between: the slope is larger where texture is."""
    rows, columns = np.indices((200, 300))
    checks = np.where((rows // 3 + columns // 3) % 2, 1.8, 1 / 1.8)
    picture = grey(1)[0, 0] * (np.where(columns < 150, 1e-2, 1e2) * checks)[..., None].astype(F32)
    curve = best_curve(picture, sample(picture))
    slope = np.diff(curve.display) / np.diff(curve.scene)
    middle = 0.5 * (curve.scene[1:] + curve.scene[:-1])
    textured = np.abs(np.abs(middle) - 2) < 0.2
    assert slope[textured].mean() > 2 * slope[np.abs(middle) < 1].mean()


def test_mantiuk08_leaves_a_scene_that_fits_alone(rng: np.random.Generator) -> None:
    """Range 1:6 on a display of 1:50: no need to compress."""
    picture = cv2.GaussianBlur(rng.uniform(0, 1, (200, 200)).astype(F32), (0, 0), 2)
    picture = 0.2 * 6 ** ((picture - picture.min()) / np.ptp(picture))
    curve = best_curve(picture[..., None] * np.ones(3, F32), picture.ravel().astype(np.float64))
    options = Mantiuk08Options()
    assert np.diff(curve.display).sum() <= math.log10(options.peak / options.black) + 1e-9
    assert 0.7 < np.ptp(curve.display) / np.ptp(curve.scene) < 1.5


def test_eye_models() -> None:
    assert transducer(0.0) == 0
    assert transducer(2e4) / transducer(1e4) == pytest.approx(2**0.4, rel=0.01)
    peak = max(sensitivity(frequency, 100.0) for frequency in np.arange(0.5, 30, 0.5))
    assert 100 < peak < 300
    assert sensitivity(4, 100) > sensitivity(4, 1) > sensitivity(4, 0.01)
    assert sensitivity(4, 100) > sensitivity(30, 100)


def test_display_values_are_srgb_codes() -> None:
    """Middle grey by `exposure` is the sRGB code of 0.18, no other gamma."""
    from openhdr.tonemapping.exposure import exposure

    assert exposure(grey(5, 5)) == pytest.approx(float(srgb_encode(np.float64(0.18))), abs=1e-5)
