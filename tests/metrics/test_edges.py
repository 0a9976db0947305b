"""What happens at the edges: equal, black and constant pictures, NaN, negative values, sizes, protocols."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest

from openhdr.core.errors import MissingExtraError, RequestError
from openhdr.core.image import Image
from openhdr.metrics import METRICS, defaults, evaluate, scores
from openhdr.metrics.protocol import Protocol, parse

ALL = [name for name, row in METRICS.items() if name != "cvvdp" and row.pictures == "light"]
CHEAP = ["psnr-l", "psnr-mu", "psnr-mu-curve", "ntire-psnr", "ntire-psnr-mu", "ssim-mu", "delta-e-2000"]


def test_equal_pictures(scene: np.ndarray) -> None:
    found = evaluate(scene, scene.copy(), ALL, protocol="liu2020")
    assert found.pop("psnr-mu-curve") > 60  # its fitted curve is right to rounding
    for name, value in found.items():
        best = {"dB": math.inf, "Q": 100.0, "CIEDE2000": 0.0}.get(METRICS[name].unit, 1.0)
        assert value == pytest.approx(best, abs=1e-12), name


def test_constant_pictures() -> None:
    ref, test = np.full((32, 32, 3), 0.25), np.full((32, 32, 3), 0.5)
    found = evaluate(test, ref, ALL, protocol=100.0)
    assert found["psnr-l"] == pytest.approx(-20 * math.log10(0.25))
    exact = ("tm-", "psnr-mu-curve")  # the tone mapper or a curve makes constant images equal
    assert all(math.isfinite(value) for name, value in found.items() if not name.startswith(exact))
    assert found["tm-psnr"] == math.inf  # the tone mapper gives every constant picture the same grey


def test_black_reference(scene: np.ndarray) -> None:
    black = np.zeros_like(scene)
    for name in ("ntire-psnr", "ntire-psnr-mu", "delta-e-2000"):
        with pytest.raises(RequestError, match=r"ref: .*not black"):
            evaluate(scene, black, [name])
    assert math.isfinite(evaluate(scene, black, ["psnr-mu"])["psnr-mu"])


def test_mostly_black_reference_has_no_percentile() -> None:
    ref = np.zeros((40, 40, 3))
    ref[0, 0] = 1
    with pytest.raises(RequestError, match="percentile is 0"):
        evaluate(ref, ref, ["ntire-psnr-mu"])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinite_pixels_are_refused(scene: np.ndarray, bad: float) -> None:
    broken = scene.copy()
    broken[3, 4, 1] = bad
    with pytest.raises(RequestError, match="test holds 1 NaN or infinite"):
        evaluate(broken, scene, ["psnr-l"])
    with pytest.raises(RequestError, match="ref holds 1 NaN or infinite"):
        evaluate(scene, broken, ["psnr-l"])


@pytest.mark.filterwarnings("error")
def test_negative_values_are_refused_where_they_mean_nothing(scene: np.ndarray) -> None:
    below = scene.copy()
    below[0, 0, 0] = -0.5
    for name in ("psnr-mu", "ntire-psnr", "ssim-mu"):
        with pytest.raises(RequestError, match=f"'{name}' is not defined"):
            evaluate(below, scene, [name])
    with pytest.raises(RequestError, match=r"lowest value is -0.5"):
        evaluate(below, scene, ["tm-psnr"])
    assert math.isfinite(evaluate(below, scene, ["psnr-l"])["psnr-l"])
    assert math.isfinite(evaluate(below, scene, ["pu21-psnr"], protocol=100.0)["pu21-psnr"])


def test_sizes_and_shapes(scene: np.ndarray) -> None:
    with pytest.raises(RequestError, match="56x39, but ref is 56x40"):
        evaluate(scene[1:], scene)
    with pytest.raises(RequestError, match=r"shape \(40, 56\)"):
        evaluate(scene[..., 0], scene[..., 0])
    with pytest.raises(RequestError, match="test is uint8; expected linear float"):
        evaluate((scene * 255).astype(np.uint8), scene)
    with pytest.raises(RequestError, match="SSIM needs at least 11"):
        evaluate(scene[:10], scene[:10], ["ssim-mu"])


def test_unknown_name_names_the_nearest(scene: np.ndarray) -> None:
    with pytest.raises(RequestError, match="did you mean 'psnr-mu'"):
        evaluate(scene, scene, ["psnr-mue"])


def test_photos_are_linearised(rng: np.random.Generator) -> None:
    codes = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    linear = np.where(codes / 255 <= 0.04045, codes / 255 / 12.92, ((codes / 255 + 0.055) / 1.055) ** 2.4)
    ref = rng.uniform(0.1, 1, (20, 20, 3)).astype(np.float32)
    names = ["psnr-l", "psnr-mu"]
    assert evaluate(Image(codes, "srgb"), Image(ref), names) == pytest.approx(evaluate(linear, ref, names))


def test_half_precision_counts_as_float(scene: np.ndarray) -> None:
    half = scene.astype(np.float16)
    assert evaluate(half, scene, ["psnr-l"]) == evaluate(half.astype(np.float32), scene, ["psnr-l"])


def test_defaults_are_the_cheap_ones(scene: np.ndarray) -> None:
    assert list(evaluate(scene, scene)) == CHEAP == defaults(False)
    assert set(evaluate(scene, scene, protocol="liu2020")) == {*CHEAP, "pu21-psnr", "pu21-ssim"}


@pytest.mark.parametrize("name", [name for name, row in METRICS.items() if row.needs_protocol])
def test_absolute_metrics_ask_for_a_protocol(scene: np.ndarray, name: str) -> None:
    with pytest.raises(RequestError, match=f"'{name}'.*`protocol='liu2020'` or `protocol='abs:PEAK'`"):
        evaluate(scene, scene, [name])


@pytest.mark.parametrize(
    "text", ["abs", "abs:", "abs:x", "abs:0", "abs:-5", "abs:nan", "abs:inf", "liu2020:3", "srgb", "100"]
)
def test_wrong_protocols_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"protocol.*abs:1000"):
        parse(text)


def test_wrong_ppd_is_refused() -> None:
    with pytest.raises(RequestError, match="ppd is 0"):
        parse("liu2020", 0)


def test_protocols_mean_light() -> None:
    linear = np.linspace(0, 2, 3000).reshape(20, 50, 3)
    assert parse("abs:1000") == parse(1000) == Protocol(1000.0)
    light = parse("abs:8000").luminance(linear)
    assert light.min() == 0.005 and light.max() == 10000
    light = parse("liu2020").luminance(linear)
    assert np.partition(light.ravel(), 2)[2] == pytest.approx(1)
    assert np.partition(light.ravel(), -3)[-3] == pytest.approx(999, rel=1e-6)


def test_scores_carry_their_protocol(scene: np.ndarray) -> None:
    mu, vdp = scores(scene * 1.1, scene, ["psnr-mu", "hdr-vdp-2"], protocol="abs:500", ppd=45.0)
    assert (mu.unit, mu.higher_is_better) == ("dB", True)
    assert "mu 5000" in mu.protocol and "peak 1" in mu.protocol and "openhdr 0" in mu.protocol
    assert "abs" not in mu.protocol
    for fact in ("2.2.2", "rgb-bt.709", "1.0 = 500 cd/m2", "45 ppd"):
        assert fact in vdp.protocol


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what other tests imported, and what the test imports."""

    def forget() -> None:
        for name in ("openhdr.metrics.cvvdp", "pycvvdp"):
            sys.modules.pop(name, None)

    forget()
    yield
    forget()


@pytest.mark.usefixtures("fresh")
def test_cvvdp_names_its_extra(scene: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycvvdp", None)
    with pytest.raises((MissingExtraError, RequestError), match="cvvdp"):
        evaluate(scene, scene, ["cvvdp"], protocol=1000.0)


@pytest.mark.usefixtures("fresh")
def test_cvvdp_that_cannot_be_imported_says_why(
    scene: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / "pycvvdp.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RequestError, match=r"torchvision::nms.*fits?.*torch|torchvision"):
        evaluate(scene, scene, ["cvvdp"], protocol=1000.0)
    assert math.isfinite(evaluate(scene * 1.1, scene, ["psnr-mu"])["psnr-mu"])


@pytest.mark.usefixtures("fresh")
def test_cvvdp_is_given_absolute_light(scene: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the authors' package records what it is called with."""
    seen: dict = {}

    class Model:
        def __init__(self, display_name: str, quiet: bool) -> None:
            seen["display"] = display_name

        def predict(self, test: np.ndarray, ref: np.ndarray, dim_order: str) -> tuple[float, None]:
            seen.update(test=test, ref=ref, order=dim_order)
            return 9.5, None

    monkeypatch.setitem(sys.modules, "pycvvdp", types.SimpleNamespace(cvvdp=Model))
    assert evaluate(scene, scene, ["cvvdp"], protocol=10000.0) == {"cvvdp": 9.5}
    assert (seen["display"], seen["order"], seen["test"].dtype) == ("standard_hdr_linear", "HWC", np.float32)
    assert seen["ref"] == pytest.approx(np.clip(scene * 10000, 0.005, 10000))
