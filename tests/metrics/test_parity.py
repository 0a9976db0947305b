"""Against other implementations: scikit-image, published check values, formulas written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from openhdr.color.transfer import mu_law, srgb_encode
from openhdr.metrics import evaluate
from openhdr.metrics.ciede2000 import ciede2000, lab_from_linear
from openhdr.metrics.pu21 import pu21
from openhdr.metrics.ssim import ssim


@settings(deadline=None, max_examples=15)
@given(
    height=st.integers(11, 130),
    width=st.integers(11, 40),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_ssim_is_scikit_image_s(height: int, width: int, channels: int, seed: int) -> None:
    """The heights cross the borders of the strips."""
    rng = np.random.default_rng(seed)
    ref = rng.uniform(0, 2, (height, width, channels))
    test = ref + rng.normal(0, 0.3, ref.shape)
    expected = structural_similarity(
        test,
        ref,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=2.0,
        channel_axis=2,
    )
    assert ssim(test, ref, 2.0) == pytest.approx(expected, abs=1e-12)


def test_ssim_mu(scene: np.ndarray, rng: np.random.Generator) -> None:
    test = (scene * rng.uniform(0.8, 1.2, scene.shape)).astype(np.float32)
    expected = structural_similarity(
        *(mu_law(x.astype(np.float64)) for x in (test, scene)),
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, channel_axis=2,
    )  # fmt: skip
    assert evaluate(test, scene, ["ssim-mu"])["ssim-mu"] == pytest.approx(expected, abs=1e-12)


def test_ciede2000_published_pairs(reference_values: dict[str, Any]) -> None:
    for lab1, lab2, expected in reference_values["ciede2000_checks"]:
        found = ciede2000(np.array(lab1, dtype=float), np.array(lab2, dtype=float))
        assert found == pytest.approx(expected, abs=5e-5)
        assert ciede2000(np.array(lab2, dtype=float), np.array(lab1, dtype=float)) == pytest.approx(
            float(found)
        )


def test_ciede2000_is_scikit_image_s(rng: np.random.Generator) -> None:
    """Random colours, greys against greys, and one grey: where hue is not defined."""
    first, second = rng.uniform(0, 1, (2, 5000, 3))
    first[:1000], second[500:1500] = first[:1000, :1], second[500:1500, :1]
    labs = [lab_from_linear(rgb) for rgb in (first, second)]
    for rgb, lab in zip((first, second), labs, strict=True):
        assert np.abs(lab - rgb2lab(srgb_encode(rgb))).max() < 1e-5
    assert np.abs(ciede2000(*labs) - deltaE_ciede2000(*labs)).max() < 1e-9


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([-100.0, -50.0, 0.0, 1e-9, 25.0, 50.0, 100.0]), min_size=6, max_size=6))
def test_ciede2000_at_special_places(values: list[float]) -> None:
    lab1, lab2 = np.abs(values[0:1]), np.abs(values[3:4])
    lab1, lab2 = np.concatenate([lab1, values[1:3]]), np.concatenate([lab2, values[4:6]])
    found = ciede2000(lab1, lab2)
    assert np.isfinite(found) and found >= 0
    assert ciede2000(lab1, lab1) == 0


def test_pu21_published_values(reference_values: dict[str, Any]) -> None:
    checks = reference_values["pu21_checks"]
    assert pu21(np.array(checks["Y"], dtype=float)) == pytest.approx(checks["V"], rel=1e-8)
    assert pu21(np.array([0.0, 1e9])) == pytest.approx([checks["V"][0], checks["V"][-1]], rel=1e-8)


def test_psnr_by_hand() -> None:
    ref = np.full((4, 5, 3), 0.5)
    ref[0, 0] = 1.0  # the maximum; the 99th percentile is 0.5 + 0.4 * 0.5 of the way or so
    test = ref + 0.1
    found = evaluate(test, ref, ["psnr-l", "psnr-mu", "ntire-psnr", "ntire-psnr-mu"])
    assert found["psnr-l"] == pytest.approx(20)

    def expected(encode) -> float:
        return -10 * np.log10(np.mean((encode(test) - encode(ref)) ** 2))

    level = np.percentile(ref, 99)
    mu = lambda x: np.log(1 + 5000 * x) / np.log(5001)  # noqa: E731
    assert found["psnr-mu"] == pytest.approx(expected(mu))
    assert found["ntire-psnr"] == pytest.approx(expected(lambda x: x ** (1 / 2.24)))
    assert found["ntire-psnr-mu"] == pytest.approx(expected(lambda x: mu(np.tanh(x / level))))


@settings(deadline=None, max_examples=20)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_normalised_metrics_ignore_the_scale(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ref = rng.lognormal(0, 1, (16, 16, 3))
    test = ref * rng.uniform(0.5, 2, ref.shape)
    names = ["ntire-psnr", "ntire-psnr-mu", "delta-e-2000"]
    assert evaluate(test * scale, ref * scale, names) == pytest.approx(evaluate(test, ref, names), rel=1e-7)


@settings(deadline=None, max_examples=10)
@given(height=st.integers(1, 60), width=st.integers(1, 2000))
def test_blocks_cover_every_pixel_once(height: int, width: int) -> None:
    rng = np.random.default_rng(height)
    test, ref = rng.uniform(0, 1, (2, height, width, 3))
    expected = -10 * np.log10(np.mean((test - ref) ** 2))
    assert evaluate(test, ref, ["psnr-l"])["psnr-l"] == pytest.approx(expected, rel=1e-12)
