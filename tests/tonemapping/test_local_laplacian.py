"""What a good photo has, of the default operator: dark nights, blue skies, white whites, no halos."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr.color.luminance import luminance
from openhdr.color.oklab import from_linear
from openhdr.color.transfer import srgb_decode
from openhdr.core.image import Image
from openhdr.tonemapping import tonemap
from openhdr.tonemapping.local_laplacian import (
    TOP,
    brightness,
    camera_curve,
    curve_of,
    local_laplacian,
    noise_level,
)
from openhdr.tonemapping.operator_options import LocalLaplacianOptions

F32 = np.float32


def grey(light: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(light, F32)[..., None], 3, axis=2)


def daylight(rng: np.random.Generator, average: float = 0.12) -> np.ndarray:
    """(160, 240, 3): ground with texture, a sky three stops brighter."""
    light = average * rng.lognormal(0, 0.7, (160, 240)).astype(F32)
    light[:60] = 8 * average
    return grey(light)


def night(rng: np.random.Generator) -> np.ndarray:
    """A garden 6 stops under clipping, with one lamp."""
    light = 2.0**-6.5 * rng.lognormal(0, 0.8, (160, 240)).astype(F32)
    light[70:74, 120:124] = 6
    return grey(cv2.GaussianBlur(light, (0, 0), 1.5))


def test_night_stays_night_and_day_is_day(rng: np.random.Generator) -> None:
    """Mean codes of photos: a night's long exposure about 15 to 60, daylight about 90 to 140."""
    garden, day = night(rng), daylight(rng)
    assert 12 < 255 * tonemap(Image(garden)).pixels.mean() < 65
    assert 90 < 255 * tonemap(Image(day)).pixels.mean() < 150
    assert 255 * tonemap(Image(garden), "drago").pixels.mean() > 80  # what the default was made against


def test_known_luminance_darkens_the_night(rng: np.random.Generator) -> None:
    """The same codes as a shot of 2 s at night and of 1/100 s by day."""
    light = grey(2.0**-4.5 * rng.lognormal(0, 1, (120, 160)))
    plain = tonemap(Image(light)).pixels.mean()
    known = {cd: tonemap(Image(light, metadata={"white_luminance": cd})).pixels.mean() for cd in (2, 2000)}
    assert known[2000] == pytest.approx(plain)
    assert known[2] < 0.8 * plain
    file = local_laplacian(light, LocalLaplacianOptions(luminance=2)).mean()
    assert file == pytest.approx(known[2], rel=1e-6)


@pytest.mark.parametrize("scale", [2.0**-14, 2.0**-10, 2.0**3, 2.0**10])
def test_pictures_on_a_scale_of_their_own_are_neither_black_nor_white(
    scale: float, rng: np.random.Generator
) -> None:
    assert 60 < 255 * local_laplacian(daylight(rng) * F32(scale)).mean() < 160


def test_skies_keep_their_colour(rng: np.random.Generator) -> None:
    """Four stops over the ground, where a curve over luminance shows nearly white."""
    sky = F32([0.45, 0.7, 1.2])
    scene = daylight(rng, 0.05)
    scene[:60] = 1.4 * sky
    lab = from_linear(srgb_decode(tonemap(Image(scene)).pixels[20:40].astype(np.float64)))
    other = from_linear(srgb_decode(tonemap(Image(scene), "mantiuk08").pixels[20:40].astype(np.float64)))
    chroma, bleached = (np.hypot(one[..., 1], one[..., 2]).mean() for one in (lab, other))
    assert chroma > 0.045 > 1.5 * bleached
    wanted = from_linear(sky / sky.max())
    assert np.arctan2(lab[..., 2], lab[..., 1]).mean() == pytest.approx(
        np.arctan2(wanted[2], wanted[1]), abs=0.3
    )


@pytest.mark.parametrize("stops", [-3, 0, 2, 4])
def test_hues_stay_and_turn_little_in_highlights(stops: int, rng: np.random.Generator) -> None:
    """Patches of any colour over a grey half, in Oklab."""
    colours = rng.uniform(0.05, 1, (40, 60, 3)).astype(F32)
    scene = np.full((480, 360, 3), 0.2, F32)
    scene[:240] = colours.repeat(6, axis=0).repeat(6, axis=1) * F32(2.0**stops)
    before, after = from_linear(colours), from_linear(shown_light(scene)[3:240:6, 3::6])
    angle, turned = (np.rad2deg(np.arctan2(lab[..., 2], lab[..., 1])) for lab in (before, after))
    coloured = np.hypot(after[..., 1], after[..., 2]) > 0.03
    turn = np.abs((turned - angle + 180) % 360 - 180)[coloured]
    assert coloured.mean() > 0.8
    assert turn.max() < (10 if stops < 2 else 30)
    assert np.percentile(turn, 95) < (4 if stops < 2 else 15)


def test_golden_light_does_not_turn_pink() -> None:
    """Sun on a wall that clips in a photo: as light 1 : 0.56 : 0.25, in the photo 255, 231, 157."""
    scene = grey(np.full((120, 160), 0.04))
    scene[40:80, 60:100] = F32([1, 0.56, 0.25])
    red, green, blue = 255 * tonemap(Image(scene)).pixels[60, 80]
    assert red > 240
    assert green > 195 and blue < 170
    assert green - blue > 50


def shown_light(scene: np.ndarray) -> np.ndarray:
    return srgb_decode(local_laplacian(scene).astype(np.float64))


def test_the_curve_keeps_black_grey_and_white() -> None:
    ends = camera_curve(F32([0, 0.4613, TOP, 2]))
    np.testing.assert_allclose(ends, [0, 0.4613, 1, 1], atol=1e-4)
    assert (np.diff(camera_curve(np.linspace(0, 1.3, 5000, dtype=F32))) >= 0).all()


def test_lamps_are_white_and_coloured_lights_are_not() -> None:
    scene = grey(np.full((120, 160), 0.02))
    scene[40:60, 30:50] = F32([9, 7, 5])
    scene[40:60, 100:120] = F32([9, 0.01, 9])
    shown = tonemap(Image(scene)).pixels
    lamp, beam = shown[50, 40], shown[50, 110]
    assert lamp.min() > 0.8 * lamp.max() > 0.7
    assert beam[1] < 0.25 and beam[[0, 2]].min() > 0.85


def test_white_paper_is_white_and_black_is_black() -> None:
    """A scene of little range fills the screen, as a photo of it does: no grey veil."""
    steps = 2.0 ** np.linspace(-8, 0, 9)
    scene = grey(np.repeat(steps, 30)[None, :].repeat(120, axis=0) * 0.7)
    shown = 255 * tonemap(Image(scene)).pixels[60, 15::30, 1]
    assert shown[-1] > 235 and shown[0] < 16


def test_no_halos_on_a_step_edge() -> None:
    """Two flat areas nine stops apart: beside the edge nothing differs from its area by 9 codes."""
    step = np.full((240, 320), 0.01, F32)
    step[:, 160:] = 5
    shown = 255 * local_laplacian(grey(step))[..., 1]
    for area in (np.s_[:, :158], np.s_[:, 162:]):
        assert np.ptp(shown[area]) < 9
    large = cv2.resize(step, (1600, 1200), interpolation=cv2.INTER_NEAREST)  # filtered on a reduced picture
    shown = 255 * local_laplacian(grey(large))[..., 1]
    for area in (np.s_[:, :790], np.s_[:, 810:]):
        assert np.ptp(shown[area]) < 9


def test_curves_rise(rng: np.random.Generator) -> None:
    for scene in (daylight(rng), night(rng), daylight(rng) * 100, grey(rng.lognormal(0, 4, (40, 40)))):
        lit = np.log2(brightness(scene)).ravel()
        tones = curve_of(lit, lit, LocalLaplacianOptions())(np.linspace(-30, 20, 2000, dtype=F32))
        assert np.diff(tones).min() >= -1e-6


def test_a_ramp_rises() -> None:
    """Smooth light never falls: neither reversed gradients nor banding."""
    ramp = np.geomspace(1e-3, 8, 900, dtype=F32)[None, :].repeat(600, axis=0)
    codes = 255 * local_laplacian(grey(ramp))[300, :, 1]
    assert np.diff(codes).min() > -0.05
    assert np.diff(codes).max() < 2


def test_shadows_open_only_as_far_as_noise_allows(rng: np.random.Generator) -> None:
    """The same dark corner, clean and noisy: the noisy one is left darker."""
    clean = np.full((300, 400), 0.5, F32)
    clean[:, :120] = 2e-4 * rng.lognormal(0, 0.05, (300, 120))
    noisy = clean.copy()
    noisy[:, :120] = np.maximum(noisy[:, :120] + rng.normal(0, 4e-4, (300, 120)), 1e-6)
    assert noise_level(grey(noisy)) > 4 * noise_level(grey(clean))
    gains = [
        srgb_decode(local_laplacian(grey(one))[:, :100].astype(np.float64)).mean() / one[:, :100].mean()
        for one in (clean, noisy)
    ]
    assert gains[1] < 0.9 * gains[0]


def test_brightness_by_hand() -> None:
    picture = F32([[[0.2, 0.2, 0.2], [0, 0, 4], [1, 2, 0], [0, 0, 0]]])
    np.testing.assert_allclose(brightness(picture)[0], [0.2, 2.70108, 1.87505, 0], rtol=1e-5)


def test_a_large_picture_looks_like_a_small_one(rng: np.random.Generator) -> None:
    small = cv2.GaussianBlur(daylight(rng), (0, 0), 2)
    large = cv2.resize(small, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    shown = cv2.resize(local_laplacian(large), (240, 160), interpolation=cv2.INTER_AREA)
    assert np.abs(shown - local_laplacian(small)).mean() < 0.02


def test_faint_texture_stays(rng: np.random.Generator) -> None:
    """Writing on paper, ripples on water: contrasts of a twentieth of a stop are shown as they are, at any size."""
    shades = np.full((1300, 1500), -2.5, F32)
    shades[:, 750:] -= 3  # beside an edge as in a flat area
    texture = 0.05 * rng.standard_normal(shades.shape).astype(F32)
    light = np.exp2(shades + cv2.GaussianBlur(texture, (0, 0), 2) * F32(7))
    shown = np.log2(srgb_decode(local_laplacian(grey(light))[..., 1]))
    for area in (np.s_[300:900, 200:600], np.s_[300:900, 900:1300]):
        kept = shown[area].std() / np.log2(light[area]).std()
        assert kept > 0.9, area


def test_exposure_goes_by_luminance_not_by_the_largest_channel(rng: np.random.Generator) -> None:
    """A red room is shown nearly as bright as a grey one of the same luminance; metered by red it has half of that."""
    room = daylight(rng, 0.05)
    red = F32([1, 0.15, 0.1])
    shown, plain = (luminance(local_laplacian(room * tint)).mean() for tint in (red / luminance(red), F32(1)))
    assert shown > 0.65 * plain


def test_a_flat_scene_gets_more_contrast_than_a_busy_one(rng: np.random.Generator) -> None:
    texture = cv2.GaussianBlur(rng.standard_normal((300, 400)).astype(F32), (0, 0), 2) * F32(7)
    kept = []
    for stops in (0.1, 0.5, 1.0):
        light = np.exp2(-3 + stops * texture)
        shown = local_laplacian(grey(light), LocalLaplacianOptions(detail=1))
        kept.append(np.log2(np.maximum(srgb_decode(shown[..., 1]), 1e-4)).std() / np.log2(light).std())
    assert kept[0] > 1.03 * kept[1] > 1.06 * kept[2]
