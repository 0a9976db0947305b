"""Simulated brackets against their parameters: geometry, light, noise, masks, reproducibility."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import ExposureError, RequestError
from openhdr.simulation.config import (
    CameraConfig,
    ExposureConfig,
    ObjectConfig,
    ShakeConfig,
    SimulationConfig,
    ViewConfig,
    training,
)
from openhdr.simulation.distributions import Fixed
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.plan import ScenePlan, settled
from openhdr.simulation.render import Simulated, render
from openhdr.simulation.scene import Scene, make_scene
from openhdr.simulation.sensor import decode_curve, encode
from openhdr.simulation.shake import Shake, map_points

SMALL = SimulationConfig(size=(96, 64), view=ViewConfig(tries=2))
STILL = replace(SMALL, shake=ShakeConfig(still_share=1.0), objects=ObjectConfig(still_share=1.0))


def _panorama(seed: int) -> np.ndarray:
    """(128, 256, 3): smooth light over four decades with a sun."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:128, 0:256]
    waves = sum(
        rng.normal() * np.cos(2 * np.pi * (k * x / 256 + rng.random()) + rng.normal() * y / 20)
        for k in range(1, 7)
    )
    light = np.exp(0.8 * waves)[..., None] * (0.5 + rng.random(3))
    light[30:33, 100:103] = 5000
    return light.astype(np.float32)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [make_scene(f"scene{k}", _panorama(k)) for k in range(3)]


def _simulate(scenes: list[Scene], config: SimulationConfig, seed: int = 1) -> Simulated:
    plan = draw_plan(scenes[0], scenes[1:], config, seed)
    return render(plan, scenes)


def _digest(result: Simulated) -> str:
    parts = [*result.frames, result.truth, result.moved, result.hidden, result.clipped]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_frames_agree_with_truth_where_nothing_moves_nor_clips(scenes: list[Scene]) -> None:
    result = _simulate(scenes, STILL)
    noise = result.plan.camera.noise
    for frame, ev, clipped in zip(result.frames, result.plan.ev, result.clipped, strict=True):
        light = srgb_decode(frame / 255.0) / 2.0**ev
        expected = result.truth * 2.0**ev
        step = 12.92 / 255 / 12 + 0.01 * expected  # generous bound on half a code step, in light
        sigma = np.sqrt(noise.variance(expected)) + step / 2
        inside = ~clipped[..., None] & (expected < 0.9) & (expected > 4 * noise.read)
        error = (light - result.truth) * 2.0**ev / sigma
        assert inside.mean() > 0.1
        assert abs(np.mean(error[inside])) < 0.15
        assert np.quantile(np.abs(error[inside]), 0.999) < 5


def test_noise_variance_against_mean_is_the_stated_line(scenes: list[Scene]) -> None:
    camera = CameraConfig(iso=Fixed(1600), responses=("linear",), bits=(12,))
    plan = draw_plan(scenes[0], (), replace(STILL, camera=camera), 5, ev=[-1, 0])
    frames = np.stack(
        [
            render(replace(plan, frames=(replace(plan.frames[0], ev=0.0, noise_seed=k),) * 2), scenes).frames[
                0
            ]
            for k in range(24)
        ]
    )
    codes = frames / 65535.0
    mean, variance = codes.mean(axis=0).ravel(), codes.var(axis=0, ddof=1).ravel()
    usable = (mean > 0.1) & (mean < 0.85)
    slope, offset = np.polyfit(mean[usable], variance[usable], 1)
    noise = plan.camera.noise
    assert slope == pytest.approx(noise.shot, rel=0.05)
    assert offset == pytest.approx(noise.read**2, abs=0.1 * noise.shot)


def test_same_seed_same_bytes_and_other_seed_other_bytes(scenes: list[Scene]) -> None:
    config = replace(training(32), nominal_width=32)
    assert _digest(_simulate(scenes, config, 7)) == _digest(_simulate(scenes, config, 7))
    assert _digest(_simulate(scenes, config, 7)) != _digest(_simulate(scenes, config, 8))


def test_plain_and_varied_brackets_stay_as_published(scenes: list[Scene]) -> None:
    """Digests of version 0.1.0: new stages must not touch brackets that do without them."""
    config = replace(training(48), nominal_width=48)
    assert _digest(_simulate(scenes, SMALL, 1)).startswith("9616a1d9971e406e")
    assert _digest(_simulate(scenes, config, 7)).startswith("962f2829d3487d05")


def _numbers(item: object, path: str = "") -> dict[str, float]:
    """Every drawn number of a plan by its path."""
    if isinstance(item, float):
        return {path: item}
    if isinstance(item, tuple):
        return {k: v for n, part in enumerate(item) for k, v in _numbers(part, f"{path}.{n}").items()}
    if hasattr(item, "__dataclass_fields__"):
        names = item.__dataclass_fields__
        return {k: v for n in names for k, v in _numbers(getattr(item, n), f"{path}.{n}").items()}
    return {}


def test_different_seeds_differ_in_every_drawn_number(scenes: list[Scene]) -> None:
    config = replace(training(64), objects=ObjectConfig(still_share=0, most=1), shake=ShakeConfig())
    plans = [draw_plan(scenes[0], scenes[1:], config, seed, ev=[-2, 0, 2]) for seed in range(12)]
    values = [_numbers(plan) for plan in plans]
    constant = {name for name in values[0] if len({value.get(name) for value in values}) == 1}
    fixed = {
        ".cast.1",
        ".drift.",
        ".ev",
        ".frames.1.shake.",
        ".detail",
    }  # green gains, given EVs, the reference's pose
    assert all(any(part in name for part in fixed) for name in constant), constant
    for choice in ("response", "bits"):
        assert (
            len(
                {
                    getattr(plan.camera, choice).split(":")[0] if choice == "response" else plan.camera.bits
                    for plan in plans
                }
            )
            > 1
        )
    assert len({plan.objects[0].kind for plan in plans}) > 1
    assert len({plan.seed for plan in plans}) == len(plans)


def test_a_stream_of_one_part_does_not_disturb_the_others(scenes: list[Scene]) -> None:
    one = draw_plan(scenes[0], scenes[1:], SMALL, 3)
    other = draw_plan(scenes[0], scenes[1:], replace(SMALL, objects=ObjectConfig(most=1, still_share=0)), 3)
    assert (one.view, one.frames, one.camera, one.anchor) == (
        other.view,
        other.frames,
        other.camera,
        other.anchor,
    )


def test_shake_is_a_homography_of_one_scene(scenes: list[Scene]) -> None:
    """A frame equals the truth read at the places its homography points to (OpenCV as the judge)."""
    cv2 = pytest.importorskip("cv2")
    config = replace(
        SMALL,
        objects=ObjectConfig(still_share=1.0),
        camera=CameraConfig(iso=Fixed(25), responses=("linear",), bits=(12,)),
        exposure=ExposureConfig(clip_share=Fixed(0.01)),
    )
    plan = draw_plan(scenes[0], (), config, 11, ev=[-1, 0])
    result = render(plan, scenes)
    homography = plan.frames[1 - plan.reference].shake.homography(plan.size, plan.focal_px)
    index = 1 - plan.reference
    warped = cv2.warpPerspective(
        result.truth,
        homography,
        plan.size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderValue=(-1, -1, -1),
    )
    seen = result.frames[index] / 65535.0 / 2.0 ** plan.ev[index]
    inner = (
        (warped.min(axis=2) > 0)
        & ~result.clipped[index]
        & (warped.max(axis=2) < 0.8)
        & (warped.min(axis=2) > 0.02)
    )
    inner[:6] = inner[-6:] = inner[:, :6] = inner[:, -6:] = False
    assert inner.mean() > 0.2
    shifted = np.abs(np.log(seen[inner] / warped[inner]))
    unmoved = np.abs(np.log(seen[inner] / result.truth[inner]))
    assert np.median(shifted) < 0.02
    assert np.median(unmoved) > 2 * np.median(shifted)


def test_turning_moves_the_edge_more_than_the_centre() -> None:
    size, focal = (577, 385), 411.0
    matrix = Shake(turn_x_px=10).homography(size, focal)
    u, _ = map_points(matrix, np.arange(577.0), np.full(577, 192.0))
    u -= np.arange(577)
    assert u[288] == pytest.approx(10, abs=0.01)
    # an edge pixel looks at angle atan(288/f); turned by atan(10/f) it looks at f tan(sum)
    expected = focal * np.tan(np.arctan(288 / focal) + np.arctan(10 / focal)) - 288
    assert u[-1] == pytest.approx(expected, abs=0.01)


def test_masks_tell_what_moved(scenes: list[Scene]) -> None:
    config = replace(SMALL, objects=ObjectConfig(still_share=0.0), shake=ShakeConfig(still_share=1.0))
    result = _simulate(scenes, config, 4)
    bare = render(replace(result.plan, objects=()), scenes)
    reference = result.plan.reference
    assert not result.moved[reference].any()
    assert not result.hidden[reference].any()
    for index in {0, 1, 2} - {reference}:
        assert result.moved[index].any()
        calm = ~result.moved[index]
        assert np.allclose(result.truth[calm], bare.truth[calm], rtol=0.03)
        # what the frame shows at calm places is the still scene: same noise seed, so almost the same codes
        same = result.frames[index][calm].astype(int) - bare.frames[index][calm]
        assert np.mean(np.abs(same) > 12) < 0.05
        assert (result.hidden[index] & ~result.moved[index]).sum() == 0


def test_out_of_view_is_hidden(scenes: list[Scene]) -> None:
    plan = draw_plan(scenes[0], (), replace(STILL, shake=ShakeConfig()), 2, ev=[-2, 0, 2])
    frames = tuple(replace(frame, shake=Shake()) for frame in plan.frames)
    frames = (replace(frames[0], shake=Shake(step_x_px=10.0)), *frames[1:])
    result = render(replace(plan, frames=frames), scenes)
    assert result.hidden[0][:, :9].all()  # the frame looks 10 pixels to the right
    assert not result.hidden[0][:, 11:].any()
    assert not result.hidden[2].any()


def test_reference_clips_at_one(scenes: list[Scene]) -> None:
    result = _simulate(scenes, STILL)
    clipped = result.clipped[result.plan.reference]
    assert 0.01 < clipped.mean() < 0.6
    assert np.median(result.truth.max(axis=2)[clipped]) >= 1
    assert np.quantile(result.truth.max(axis=2)[~clipped], 0.99) < 1.1
    assert np.isfinite(result.truth).all() and result.truth.min() >= 0 and result.truth.dtype == np.float32


def test_open_shutter_blurs_long_frames_more(scenes: list[Scene]) -> None:
    calm = draw_plan(scenes[0], (), replace(STILL, shake=ShakeConfig(still_share=0.0)), 6, ev=[-2, 0, 2])
    sharp = tuple(replace(f, shake=Shake(), sweep_px=(12.0, 0.0), open_share=0.0) for f in calm.frames)
    blurred = tuple(replace(frame, open_share=min(0.25 * 2**frame.ev, 0.9)) for frame in sharp)
    before = render(replace(calm, frames=sharp), scenes)
    after = render(replace(calm, frames=blurred), scenes)
    assert np.array_equal(before.truth, after.truth)
    change = [np.abs(a.astype(int) - b).mean() for a, b in zip(before.frames, after.frames, strict=True)]
    assert change[0] < change[1]


def test_bits_and_jpeg(scenes: list[Scene]) -> None:
    for bits in (8, 10, 12):
        result = _simulate(scenes, replace(STILL, camera=CameraConfig(bits=(bits,))))
        frame = result.frames[1]
        assert frame.dtype == (np.uint8 if bits == 8 else np.uint16)
        codes = frame * ((2**bits - 1) / np.iinfo(frame.dtype).max)
        assert np.abs(codes - np.rint(codes)).max() < 0.04  # evenly spread codes and nothing between
    plain = _simulate(scenes, STILL)
    pressed = _simulate(scenes, replace(STILL, camera=CameraConfig(jpeg_share=1.0, jpeg_quality=Fixed(80))))
    difference = plain.frames[1].astype(int) - pressed.frames[1]
    assert 0 < np.abs(difference).mean() < 8


@pytest.mark.parametrize("response", ["srgb", "linear", "gamma:2.2", "sigmoid:0.9:0.6"])
def test_responses_have_true_inverses(response: str) -> None:
    light = np.linspace(0, 1, 400)
    code = encode(light, response)
    assert code[0] == pytest.approx(0) and code[-1] == pytest.approx(1)
    assert (np.diff(code) > 0).all()
    curve = decode_curve(response, 4096)
    assert np.interp(code, np.linspace(0, 1, 4096), curve[:, 1]) == pytest.approx(light, abs=2e-4)


def test_unknown_response_is_refused() -> None:
    with pytest.raises(RequestError, match="expected srgb, linear, gamma:G or sigmoid"):
        encode(np.zeros(3), "kodak")


def test_given_exposures_are_kept_and_bad_ones_refused(scenes: list[Scene]) -> None:
    plan = draw_plan(scenes[0], (), SMALL, 1, ev=[3, -1, 1, 0, -4])
    assert plan.ev == [-4.0, -1.0, 0.0, 1.0, 3.0] and plan.reference == 2
    assert draw_plan(scenes[0], (), SMALL, 1, ev=[1, 1]).ev == [0.0, 0.0]
    for bad in ([0], [0, float("nan")], [-40, 40]):
        with pytest.raises(ExposureError, match="expected two or more numbers"):
            draw_plan(scenes[0], (), SMALL, 1, ev=bad)


def test_rolling_reference_visits_every_frame(scenes: list[Scene]) -> None:
    config = replace(STILL, exposure=ExposureConfig(rolling_reference=True))
    plans = [draw_plan(scenes[0], (), config, seed) for seed in range(20)]
    assert {plan.reference for plan in plans} == {0, 1, 2}
    assert all(plan.ev[plan.reference] == 0 for plan in plans)


def test_flat_images_are_cropped_inside() -> None:
    flat = make_scene("flat", _panorama(9)[:, :200])
    assert flat.kind == "flat"
    for seed in range(10):
        plan = draw_plan(flat, (), SMALL, seed)
        width, height = plan.size
        assert plan.view.left_px >= 0 and plan.view.top_px >= 0
        assert plan.view.left_px + width / plan.enlargement <= 200 + 1e-6
        assert plan.view.top_px + height / plan.enlargement <= 128 + 1e-6
    assert render(plan, [flat]).truth.shape == (64, 96, 3)


def test_unusable_scenes_are_refused() -> None:
    with pytest.raises(RequestError, match="is black"):
        make_scene("night", np.zeros((32, 64, 3), np.float32))
    with pytest.raises(RequestError, match="expected 16 or more"):
        make_scene("dot", np.ones((4, 8, 3), np.float32))


def test_settled_rounds_all_the_way_down() -> None:
    plan: ScenePlan = draw_plan(make_scene("a", _panorama(0)), (), SMALL, 1)
    assert settled(plan) == plan
    assert settled((1 / 3, (2 / 3,), "x", 3)) == (0.333333333, (0.666666667,), "x", 3)
