"""HDR-VDP 2.2 stage by stage, against values read out of the authors' program."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import RequestError
from openhdr.metrics import evaluate
from openhdr.metrics.hdr_vdp_2 import visibility_map, visibility_picture
from openhdr.metrics.hdrvdp import contrast, eye, pooling, pyramid
from openhdr.metrics.pair import pair
from openhdr.metrics.protocol import Protocol

CONFIGURATIONS = ("singlehdr_p3_bt709", "abs10000_bt709", "srgb_display_clip01")


def light(picture: np.ndarray, configuration: str) -> np.ndarray:
    if configuration == "srgb_display_clip01":
        return 99 * srgb_decode(np.clip(picture.astype(np.float64), 0, 1)) + 1
    return Protocol(None if configuration.startswith("singlehdr") else 10000.0).luminance(picture)


@pytest.fixture(params=CONFIGURATIONS)
def stages(request: pytest.FixtureRequest, golden: SimpleNamespace) -> SimpleNamespace:
    values: dict[str, Any] = golden.values["hdrvdp_2_2_2_octave"][request.param]
    test, ref = light(golden.test, request.param), light(golden.ref, request.param)
    seen = eye.see(test, values["ppd"]), eye.see(ref, values["ppd"])
    visible = contrast.difference(*seen, values["ppd"])
    return SimpleNamespace(values=values, test=test, ref=ref, seen=seen, visible=visible)


def test_stages(stages: SimpleNamespace) -> None:
    values, visible = stages.values, stages.visible
    adaptation = np.mean([one.adaptation for one in stages.seen])
    assert adaptation == pytest.approx(values["L_adapt_mean"], rel=1e-9)
    base = pyramid.build(stages.seen[1].response).bands[-1]
    assert base.mean() == pytest.approx(values["bb_padvalue"], rel=1e-9)
    where = pooling.changed(stages.test, stages.ref)
    assert where.mean() == pytest.approx(values["diff_mask_mean"], abs=1e-12)

    masked = [error for band in pooling.band_errors(visible, where) for error in band]
    plain = [error for band in pooling.band_errors(visible, np.ones_like(where)) for error in band]
    golden_bands = np.array(values["bands"])
    assert [band.shape[1:] for band in visible.bands for _ in band] == [
        tuple(row) for row in golden_bands[:, 6:]
    ]
    assert masked == pytest.approx(golden_bands[:, 4], rel=1e-7, abs=1e-24)
    assert plain == pytest.approx(golden_bands[:, 5], rel=1e-7, abs=1e-24)
    assert pooling.quality(visible, where, values["ppd"]) == pytest.approx(values["Q"], abs=1e-6)

    probability = pooling.detection(visible)
    assert probability.mean() == pytest.approx(values["P_map_mean"], rel=2e-6, abs=1e-15)
    assert probability.max() == pytest.approx(values["P_det"], rel=2e-6, abs=1e-15)


def test_pyramid_is_put_together_again(rng: np.random.Generator) -> None:
    """Away from the borders; the published filters are a tight frame but for about one per cent."""
    for shape in ((96, 128), (91, 113)):
        plane = rng.normal(size=shape)
        built = pyramid.build(plane)
        middle = (slice(32, -32), slice(32, -32))
        wrong = (pyramid.put_together(built) - plane)[middle]
        assert np.sqrt(np.mean(wrong**2)) < 0.02
        without = pyramid.Pyramid((*built.bands[:2], np.zeros_like(built.bands[2]), *built.bands[3:]))
        assert np.std((pyramid.put_together(without) - plane)[middle]) > 0.1


def test_scatter_is_the_plain_convolution(rng: np.random.Generator) -> None:
    """Against the textbook way: pad, transform, multiply, transform back, crop."""
    for shape in ((24, 31), (17, 20)):
        plane, ppd, surround = rng.uniform(0, 50, shape), 23.0, 3.0
        padded = np.full((2 * shape[0], 2 * shape[1]), surround)
        padded[: shape[0], : shape[1]] = plane
        down = np.fft.fftfreq(2 * shape[0], 1 / ppd)[:, None]
        across = np.fft.fftfreq(2 * shape[1], 1 / ppd)
        passed = eye._transfer(np.hypot(down, across))
        expected = np.fft.ifft2(np.fft.fft2(padded) * passed).real[: shape[0], : shape[1]]
        assert np.abs(eye.scatter(plane, ppd, surround) - expected).max() < 1e-11


def test_quality_falls_with_the_difference(scene: np.ndarray, rng: np.random.Generator) -> None:
    noise = rng.normal(size=scene.shape)
    values = [
        evaluate(scene * np.exp(size * noise), scene, ["hdr-vdp-2"], protocol=500.0)["hdr-vdp-2"]
        for size in (0, 0.01, 0.05, 0.3)
    ]
    assert values[0] == 100
    assert values == sorted(values, reverse=True) and values[3] < values[1] - 5


def test_map_shows_where(scene: np.ndarray) -> None:
    test = scene.copy()
    test[10:18, 20:30] *= 3
    found = visibility_map(pair(test, scene, Protocol(500.0)))
    inside = np.zeros(found.shape, bool)
    inside[10:18, 20:30] = True
    assert found.shape == scene.shape[:2] and found.min() >= 0 and found.max() <= 1
    assert found[inside].mean() > 0.9 and found[~inside].max() == 0
    shown = visibility_picture(found, scene)
    assert shown.dtype == np.uint8 and shown.shape == scene.shape
    grey = shown.max(axis=2) == shown.min(axis=2)
    assert grey[~inside].all() and not grey[inside].any()


def test_map_of_equal_pictures_is_zero(scene: np.ndarray) -> None:
    assert not visibility_map(pair(scene, scene, Protocol(None))).any()


@settings(deadline=None, max_examples=20)
@given(height=st.integers(1, 40), width=st.integers(1, 40), black=st.booleans())
def test_any_size_and_black_are_numbers(height: int, width: int, black: bool) -> None:
    ref = np.full((height, width, 3), 0.2)
    test = np.zeros_like(ref) if black else ref * 1.5
    for first, second in ((test, ref), (ref, test)):
        for protocol in (100.0, "liu2020"):
            value = evaluate(first, second, ["hdr-vdp-2"], protocol=protocol)["hdr-vdp-2"]
            assert np.isfinite(value) and value <= 100


def test_scores_depend_on_pixels_per_degree(scene: np.ndarray) -> None:
    near, far = (
        evaluate(scene * 1.2, scene, ["hdr-vdp-2"], protocol=500.0, ppd=ppd)["hdr-vdp-2"]
        for ppd in (30.0, 60.0)
    )
    assert abs(near - far) > 0.5


def test_map_needs_a_protocol(scene: np.ndarray) -> None:
    with pytest.raises(RequestError, match="`protocol="):
        visibility_map(pair(scene, scene))
