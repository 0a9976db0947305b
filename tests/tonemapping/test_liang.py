"""Parity with stored outputs of the authors' program."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from openhdr.filters.l1_l0 import decompose
from openhdr.tonemapping.liang import LARGEST_PX, liang, liang_tonemap

EVEN = ("p01_synth_gain", "p04_stfagans_clip", "p07_identity", "p09_venice_local", "p10_kiara_singleshot")


def pair(shared: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(shared / "fixtures" / "metrics" / f"{name}.npz") as stored:
        return stored["ref"].astype(np.float64), stored["test"].astype(np.float64)


def test_pictures_and_layers(shared: Path) -> None:
    """Stored as float32, so 3e-8 is exact."""
    ref, test = pair(shared, "p09_venice_local")
    with np.load(shared / "fixtures" / "metrics" / "p09_venice_local_liang_tm.npz") as golden:
        detail1, detail2, base2 = decompose(ref.max(axis=2))
        assert np.abs(detail1 - golden["detail1"]).max() < 4e-8
        assert np.abs(base2 - golden["base2"]).max() < 4e-8
        assert np.abs(liang_tonemap(ref) - golden["ref_tm"]).max() < 4e-8
        assert np.abs(liang_tonemap(test) - golden["test_tm"]).max() < 4e-8
    total = detail1 + detail2 + base2
    assert total.min() == pytest.approx(0, abs=1e-12) and total.max() == pytest.approx(1)


@pytest.mark.parametrize("name", EVEN)
def test_golden_statistics(shared: Path, name: str) -> None:
    values = json.loads((shared / "fixtures" / "metrics" / "reference_values.json").read_text())
    golden = values["pairs"][name]["liang_l1l0_octave"]
    ref, test = (liang_tonemap(picture) for picture in pair(shared, name))
    assert ref.mean() == pytest.approx(golden["ref_mean"], abs=1e-9)
    assert ref.std() == pytest.approx(golden["ref_std"], abs=1e-9)
    assert test.mean() == pytest.approx(golden["test_mean"], abs=1e-9)
    assert test.std() == pytest.approx(golden["test_std"], abs=1e-9)
    if golden["psnr"] is None:
        assert np.array_equal(ref, test)
    else:
        assert -10 * np.log10(np.mean((ref - test) ** 2)) == pytest.approx(golden["psnr"], abs=1e-6)


def test_operator_is_the_float64_pipeline(rng: np.random.Generator) -> None:
    picture = rng.lognormal(0, 2, (61, 47, 3)).astype(np.float32)
    shown = liang(picture)
    assert shown.dtype == np.float32
    assert np.array_equal(shown, liang_tonemap(picture).astype(np.float32))


def test_large_pictures_are_split_on_a_reduced_copy(rng: np.random.Generator) -> None:
    """Tones carried over by the guided filter are near those of the whole picture, edges included."""
    areas = np.exp2(
        cv2.resize(rng.normal(-3, 3, (6, 8)).astype(np.float32), (960, 720), interpolation=cv2.INTER_LINEAR)
    )
    areas[:, 480:] *= 30
    picture = areas[..., None] * rng.uniform(0.9, 1, (720, 960, 3)).astype(np.float32)
    assert picture.shape[0] * picture.shape[1] > LARGEST_PX
    whole, reduced = liang_tonemap(picture / picture.max()), liang(picture / picture.max())
    assert np.abs(whole - reduced).mean() < 0.04
    assert np.corrcoef(whole.ravel(), reduced.ravel())[0, 1] > 0.98
