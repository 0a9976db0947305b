"""The real camera: every stage against its formula, whole brackets against their truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openhdr.camera.noise import NoiseModel
from openhdr.color.transfer import srgb_decode
from openhdr.simulation import detail, lens, processing
from openhdr.simulation.config import ObjectConfig, ShakeConfig, SimulationConfig, ViewConfig, real
from openhdr.simulation.distributions import Fixed
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.lens import Lens
from openhdr.simulation.picture_style import PictureStyle, curves, name_of
from openhdr.simulation.processing import Processing
from openhdr.simulation.render import Simulated, render
from openhdr.simulation.scene import Scene, make_scene
from openhdr.simulation.sensor import decode_curve

PLAIN = Processing(Lens(0.0, 0.0, 0.0), 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 1.0, "4:4:4")
NOISELESS = NoiseModel(shot=1e-9, read=0.0)
STYLE = name_of((PictureStyle(1.6, 1.1, 0.3, 0.0),) * 3)


@pytest.fixture(scope="module")
def scene() -> Scene:
    y, x = np.mgrid[0:128, 0:256]
    light = np.exp(
        np.cos(x / 20) + 1.5 * np.sin(y / 15) + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    )
    return make_scene("waves", (light[..., None] * (0.8, 1.0, 0.6)).astype(np.float32))


def _simulate(scene: Scene, seed: int = 3, **camera: object) -> Simulated:
    still = SimulationConfig(
        size=(150, 100), shake=ShakeConfig(still_share=1.0), objects=ObjectConfig(still_share=1.0)
    )
    config = real(still)
    config = replace(config, camera=replace(config.camera, **camera))
    return render(draw_plan(scene, (), config, seed, ev=[-2, 0, 2]), [scene])


def test_a_style_without_contrast_is_srgb() -> None:
    codes = np.linspace(0, 1, 256)
    assert curves(name_of((PictureStyle(1, 1, 1, 0),) * 3), codes)[:, 1] == pytest.approx(
        srgb_decode(codes), rel=1e-3, abs=1e-6
    )


def test_contrast_is_stops_shown_per_true_stop() -> None:
    codes = np.linspace(0, 1, 2551)
    light = PictureStyle(1.6, 1.1, 0.3, 0.0).light(codes)
    shown = np.gradient(np.log2(srgb_decode(codes)[1:])) / np.gradient(np.log2(light[1:]))
    for code, contrast in ((40, 1.6), (70, 1.6), (140, 1.1), (245, 0.3), (192.5, 0.7)):
        assert shown[round(code * 10) - 1] == pytest.approx(contrast, rel=0.02)


def test_channels_agree_on_grey_and_clip_apart() -> None:
    styles = (PictureStyle(1.5, 1.0, 0.3, 1), PictureStyle(1.4, 1.1, 0.35, 0), PictureStyle(1.6, 0.9, 0.3, 2))
    table = curves(name_of(styles), np.linspace(0, 1, 256))
    assert np.ptp(table[128]) == pytest.approx(0, abs=1e-3)
    assert table[-1].max() == 1 and np.ptp(table[-1]) > 0.02
    assert (np.diff(table, axis=0) > 0).all()
    assert (table[0] == 0).all() and table[1, 2] > table[1, 1] * 0.5


def test_glare_spreads_light_and_keeps_its_amount() -> None:
    light = np.zeros((96, 144, 3), np.float32)
    light[40:44, 60:64] = 1000
    veiled = lens.veiled(light, 0.01)
    assert veiled.mean() == pytest.approx(light.mean(), rel=0.02)
    assert veiled[0, 0, 0] == pytest.approx(0.005 * light.mean(), rel=0.05)  # half of it goes everywhere
    assert veiled[42, 70, 0] > 3 * veiled[0, 0, 0]
    assert np.array_equal(lens.veiled(light, 0.0), light)


def test_aberration_moves_red_and_blue_from_the_centre() -> None:
    light = np.zeros((101, 201, 3), np.float32)
    light[50, 180] = 1
    seen = lens.through(light, Lens(0.025, -0.025, 0.0))
    columns = [np.average(np.arange(201), weights=seen[50, :, c]) for c in range(3)]
    assert columns == pytest.approx([182, 180, 178], abs=0.05)


def test_local_tone_lifts_the_dark_and_leaves_the_bright() -> None:
    light = np.full((96, 96, 3), 1.0, np.float32)
    light[:, :48] = 1 / 16
    gain = processing.local_gain(light, 0.1)
    assert gain[16, 1, 0] == pytest.approx(16**0.1, rel=0.01) and gain[16, -2, 0] == pytest.approx(
        1, abs=0.01
    )
    assert (processing.local_gain(light, 0.0) == 1).all()


def test_bleaching_whitens_only_near_clipping() -> None:
    top = np.array([0.9, 1.0, 0.8])
    light = np.array([[0.9, 0.4, 0.2], [0.45, 0.4, 0.2]])
    assert processing.bleached(light, top, 1.0, 0.8)[0] == pytest.approx(top)
    assert processing.bleached(light, top, 1.0, 0.8)[1] == pytest.approx(light[1])
    assert processing.bleached(light, top, 0.0, 0.8) == pytest.approx(light)


def test_denoising_smooths_noise_and_keeps_edges() -> None:
    noise, rng = NoiseModel(shot=1e-3, read=1e-3), np.random.default_rng(1)
    curve = curves(STYLE, np.linspace(0, 1, 4096))
    light = np.full((80, 80, 3), 0.05)
    light[:, 40:] = 0.5
    codes = np.linspace(0, 1, 4096)
    noisy = np.interp(np.clip(noise.add(light, rng), 0, 1), curve[:, 1], codes)
    smooth = processing.denoised(noisy, replace(PLAIN, denoise_luma=2.0, denoise_chroma=3.0), noise, curve)
    assert smooth[10:70, 5:35].std() < 0.65 * noisy[10:70, 5:35].std()
    step = noisy[:, 50:].mean() - noisy[:, :30].mean()
    assert smooth[:, 40].mean() - smooth[:, 39].mean() > 0.85 * step
    assert processing.denoised(noisy, PLAIN, noise, curve) == pytest.approx(noisy, abs=1e-6)


def test_sharpening_is_unsharp_masking() -> None:
    step = np.zeros((20, 40, 3))
    step[:, 20:] = 0.5
    seen = processing.sharpened(step, 1.0, 1.0)
    assert seen[10, 20, 0] > 0.6 and seen[10, 19, 0] < -0.1
    assert seen[10, 5] == pytest.approx(0) and seen[10, 35] == pytest.approx(0.5)


def test_developing_without_faults_is_the_response() -> None:
    light = np.repeat(np.linspace(0, 1.2, 300, dtype=np.float32)[None, :, None], 4, axis=0).repeat(3, axis=2)
    codes = processing.develop(light.copy(), PLAIN, STYLE, NOISELESS, np.random.default_rng(0))
    assert (codes[0, light[0, :, 0] >= 1] == 255).all()
    decoded = decode_curve(STYLE, 256)[codes[0, :, 1], 1]
    inside = (light[0, :, 0] < 0.95) & (light[0, :, 0] > 0.01)
    assert decoded[inside] == pytest.approx(light[0, inside, 0], rel=0.04)


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    light = np.random.default_rng(5).random((150, 70, 3)).astype(np.float32) ** 3
    everything = Processing(Lens(0.001, 0.0, 0.01), 0.1, 0.7, 0.7, 2.0, 4.0, 1.0, 1.4, "4:2:0")
    noise = NoiseModel(shot=1e-9, read=0.0)
    whole = processing.develop(light.copy(), everything, STYLE, noise, np.random.default_rng(0))
    monkeypatch.setattr(processing, "_STRIP", 70 * 31)
    monkeypatch.setattr(NoiseModel, "add", lambda self, linear, rng: linear)
    strips = processing.develop(light.copy(), everything, STYLE, noise, np.random.default_rng(0))
    assert np.abs(whole.astype(int) - strips).max() <= 1 and (whole != strips).mean() < 0.01


def test_detail_fills_enlarged_views_only(scene: Scene) -> None:
    rng = np.random.default_rng(2)
    plans = {
        enlargement: draw_plan(
            scene,
            (),
            SimulationConfig(view=ViewConfig(enlargement=Fixed(enlargement))),
            int(rng.integers(99)),
        )
        for enlargement in (0.8, 8.0)
    }
    u, v = (axis.ravel() for axis in np.mgrid[0:64, 0:64].astype(np.float64))
    for enlargement, plan in plans.items():
        view = scene.view(plan.view, plan.focal_px, (288.0, 192.0))
        stops = np.log2(detail.gain(view, scene.texture, 0.5, u, v))
        assert (stops.std() > 0.01) == (enlargement > 1)
        assert abs(np.median(stops)) < 0.1


def test_real_frames_show_the_truth_through_their_response(scene: Scene) -> None:
    result = _simulate(scene, iso=Fixed(50))
    plan = result.plan
    curve = decode_curve(plan.camera.response, 256)
    for index in (0, 1):
        light = np.stack([curve[result.frames[index][..., c], c] for c in range(3)], axis=2)
        expected = result.truth * 2.0 ** (plan.frames[index].ev + plan.frames[index].ev_error)
        fine = (expected.max(axis=2) < 0.4) & (expected.min(axis=2) > 0.05)
        assert fine.mean() > 0.05
        lifted = np.log2(light[fine] / expected[fine])
        assert -0.1 < np.median(lifted) < 0.6  # local tone mapping lifts, nothing lowers


def test_everything_drawn_is_in_the_plan_and_differs(scene: Scene) -> None:
    plans = [_simulate(scene, seed).plan for seed in range(4)]
    assert len({plan.camera.response for plan in plans}) == 4
    assert len({plan.camera.processing for plan in plans}) == 4
    for plan in plans:
        errors = [frame.ev_error for frame in plan.frames]
        assert errors[plan.reference] == 0 and all(abs(error) < 0.2 for error in errors)
        assert plan.ev == [-2.0, 0.0, 2.0]
        assert plan.detail > 0 and plan.camera.jpeg_quality >= 80
    assert any(frame.ev_error for frame in plans[0].frames)


def test_same_seed_same_photos(scene: Scene) -> None:
    one, other = _simulate(scene, 5), _simulate(scene, 5)
    assert all(np.array_equal(a, b) for a, b in zip(one.frames, other.frames, strict=True))
