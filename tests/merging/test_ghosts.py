"""What deghosting leaves out and what it keeps."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from openhdr.camera.noise import PhotoNoise
from openhdr.core.image import Bracket, Frame, Image
from openhdr.merging import MERGERS
from openhdr.merging.ghosts import CompareOptions, compare
from openhdr.merging.masks import BACKGROUND, CELL_WIDTHS, GAP, LINE, SHEET_WIDTH, ghost_sheet

EV = (-2.0, 0.0, 2.0)
KEEP_TONES = CompareOptions(match=False)


def _merged(registered) -> np.ndarray:
    return MERGERS["mle"].load().merge(registered).pixels


def _square(light: np.ndarray, left: int, level: tuple[float, float, float]) -> np.ndarray:
    out = light.copy()
    out[50:90, left : left + 40] = level
    return out


@pytest.mark.parametrize("bits", [8, 16, 0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_still_scene_keeps_almost_everything(room, photo, rng, registered_of, bits, factor):
    images = [photo(room() * factor, ev, rng, bits) for ev in EV]
    registered = compare(registered_of(images, EV, 1), KEEP_TONES).registered
    assert min(consistency.mean() for consistency in registered.consistency) > 0.99


@pytest.mark.parametrize("level", [(0.6, 0.1, 0.1), (0.02, 0.02, 0.02)])
def test_a_square_that_moves_is_left_out(room, photo, rng, registered_of, level):
    """In every frame elsewhere: the merge shows it once, where the reference has it, and nothing of the others."""
    light = np.clip(room(), 0.08, 0.3)
    lights = [_square(light, left, level) for left in (20, 80, 150)]
    images = [photo(one, ev, rng) for one, ev in zip(lights, EV, strict=True)]
    registered = compare(registered_of(images, EV, 1), KEEP_TONES).registered
    inner = np.s_[55:85]
    for index, left in ((0, 20), (2, 150)):
        assert registered.consistency[index][inner, left + 4 : left + 36].mean() < 0.05
        assert registered.consistency[index][inner, 84:116].mean() < 0.05
        assert registered.consistency[index][:45].mean() > 0.97
    error = np.abs(np.log2(_merged(registered) / lights[1]))
    assert np.quantile(error, 0.999) < 0.6
    assert np.median(error[inner, 24:56]) < 0.1 and np.median(error[inner, 154:186]) < 0.1


def test_a_square_over_a_clipped_window_is_left_out(room, photo, rng, registered_of):
    """The reference clips there: a dark thing in the short frame cannot be the reference's content."""
    light = np.clip(room(), 0.08, 0.3)
    light[30:110, 60:150] = (2.5, 2.4, 2.2)
    short = _square(light, 80, (0.05, 0.05, 0.05))
    images = [photo(short, -2, rng), photo(light, 0, rng), photo(light, 2, rng)]
    registered = compare(registered_of(images, EV, 1), KEEP_TONES).registered
    assert registered.consistency[0][55:85, 84:116].mean() < 0.05
    assert registered.consistency[0][34:46, 64:146].mean() > 0.9
    merged = _merged(registered)[50:90, 80:120]
    assert merged.min() > 0.9  # no dark square
    assert np.median(np.abs(np.log2(merged / 2.4))) < 0.5  # the window's light is carried over


def test_a_brighter_thing_over_a_clipped_place_cannot_be_told(room, photo, rng, registered_of):
    """More light than a lower bound is no contradiction: the short frame's light is taken."""
    light = np.clip(room(), 0.08, 0.3)
    light[30:110, 60:150] = 1.5
    images = [photo(_square(light, 80, (3, 3, 3)), -2, rng), photo(light, 0, rng), photo(light, 2, rng)]
    registered = compare(registered_of(images, EV, 1), KEEP_TONES).registered
    np.testing.assert_allclose(np.median(_merged(registered)[55:85, 85:115]), 3, rtol=0.05)


@pytest.mark.parametrize("reference", [0, 1, 2])
def test_any_frame_may_be_the_reference(room, photo, rng, registered_of, reference):
    light = np.clip(room(), 0.08, 0.2)
    lights = [_square(light, left, (0.22, 0.04, 0.04)) for left in (20, 80, 150)]
    images = [photo(one, ev, rng) for one, ev in zip(lights, EV, strict=True)]
    registered = compare(registered_of(images, EV, reference), KEEP_TONES).registered
    merged = _merged(registered) * 2.0 ** -EV[reference]
    assert np.quantile(np.abs(np.log2(merged / lights[reference])), 0.99) < 0.5


def test_a_lens_cap_is_left_out(room, photo, rng, registered_of):
    light = room()
    black = Image(np.zeros((*light.shape[:2], 3), np.uint8), "srgb")
    registered = compare(
        registered_of([black, photo(light, 0, rng), photo(light, 2, rng)], (-4, 0, 2), 1)
    ).registered
    merged = _merged(registered)
    assert registered.consistency[0][light.max(axis=2) > 0.3].mean() < 0.1  # steep edges are allowed for
    assert merged[light > 1].min() > 0.9


@pytest.mark.parametrize("bits", [8, 0])
@pytest.mark.parametrize("error", [1 / 3, -1 / 3, 0.6])
@pytest.mark.parametrize("index", [0, 2])
def test_a_wrong_exposure_is_matched(room, photo, rng, registered_of, bits, error, index):
    stops = list(EV)
    stops[index] += error  # the picture is taken so, but stated as EV
    images = [photo(room(), ev, rng, bits) for ev in stops]
    compared = compare(registered_of(images, EV, 1))
    registered, matches = compared.registered, compared.matches
    assert -matches[index].mean == pytest.approx(error, abs=0.08)
    others = [matches[k].mean for k in (0, 1, 2) if k != index]
    assert np.abs(others).max() < 0.08
    assert min(consistency.mean() for consistency in registered.consistency) > 0.95
    light = np.clip(room(), 0.03, 3)
    assert np.median(np.abs(np.log2(np.clip(_merged(registered), 0.03, 3) / light))) < 0.03


def test_without_matching_a_wrong_exposure_stays_as_stated(room, photo, rng, registered_of):
    images = [photo(room(), ev, rng) for ev in (-2, 0, 2.4)]
    compared = compare(registered_of(images, EV, 1), KEEP_TONES)
    assert all(match.mean == 0 for match in compared.matches)
    assert compared.registered.bracket.ev.tolist() == list(EV)


def test_nothing_to_do_changes_nothing(room, photo, registered_of):
    registered = registered_of([photo(room(30, 40), ev) for ev in EV], EV, 1)
    same = compare(registered, CompareOptions(deghost=False, match=False))
    assert same.registered is registered and len(same.matches) == 3


def test_the_sheet_shows_every_frames_mask_over_its_name_exposure_and_share(room, photo, registered_of):
    registered = registered_of([photo(room(300, 400), ev) for ev in EV], EV, 1)
    consistency = [np.full((15, 20), level, np.float32) for level in (0, 0.5, 1)]
    sheet = ghost_sheet(registered.bracket, consistency, (0, 0.5, 1)).pixels
    height, width = 300 + 2 * LINE + GAP // 2 + GAP, 400 + GAP
    assert sheet.shape == (height, 3 * width, 3)
    for k, level in enumerate((0, 128, 255)):
        cell = sheet[GAP // 2 :, k * width + GAP // 2 :][: height - GAP, :400]
        assert (cell[:300] == level).all()
        label = cell[300:]
        assert label.max() == 255 and (label == BACKGROUND).mean() > 0.5  # something is written there


@pytest.mark.parametrize(("count", "width"), [(2, 60), (9, 900), (14, 6000)])
def test_the_sheet_stays_of_sensible_size(count, width):
    image = Image(np.zeros((width // 2, width, 3), np.uint8), "srgb")
    frames = tuple(
        Frame(image, float(k), f"a very long näme of a file, number {k}, that does not fit.jpg")
        for k in range(count)
    )
    sheet = ghost_sheet(Bracket(frames, 0), [np.ones((10, 20), np.float32)] * count, [1.0] * count)
    assert CELL_WIDTHS[0] <= sheet.width <= SHEET_WIDTH and sheet.height <= 2000
    shown = sheet.width // (min(max(width, CELL_WIDTHS[0]), CELL_WIDTHS[1]) + GAP)
    assert shown * sheet.height // (CELL_WIDTHS[0] // 2) >= count  # every frame has its place


def test_shrunken_comparison_agrees_with_the_full_one(room, photo, rng, registered_of):
    light = np.clip(room(), 0.08, 0.3)
    images = [
        photo(_square(light, left, (0.6, 0.1, 0.1)), ev, rng)
        for left, ev in zip((20, 80, 150), EV, strict=True)
    ]
    full = compare(registered_of(images, EV, 1), KEEP_TONES).registered
    half = compare(
        registered_of(images, EV, 1), CompareOptions(match=False, working_megapixels=144 * 208 / 4e6)
    ).registered
    assert half.consistency[0].shape == (72, 104)
    small = cv2.resize(full.consistency[0], (104, 72), interpolation=cv2.INTER_AREA)
    assert np.abs(small - half.consistency[0]).mean() < 0.05


def test_on_a_tripod_only_objects_are_left_out(room, photo, rng, registered_of):
    """A walker is, with his stick; a twig of one pixel elsewhere is not; told to look for all, it is, too."""
    light = np.minimum(room(), 0.8)
    other = light.copy()
    other[50:110, 60:80] = (0.5, 0.1, 0.05)
    other[20:110, 150] = other[60:100, 84] = (0.6, 0.6, 0.6)
    images = [photo(other, -2, rng), photo(light, 0, rng), photo(light, 2, rng)]
    registered = registered_of(images, (-2.0, 0.0, 2.0), 1)
    found = compare(registered, CompareOptions(deghost=None, match=False)).registered.consistency
    assert found[0][55:105, 63:77].max() < 0.5 and (found[0][:, 120:] == 1).all()
    assert found[0][65:95, 84].mean() < 0.5
    assert all((one == 1).all() for one in found[1:])
    everything = compare(registered, CompareOptions(match=False)).registered.consistency
    assert everything[0][30:100, 150].mean() < 0.5
    still = registered_of([photo(light, ev, rng) for ev in (-2, 0, 2)], (-2.0, 0.0, 2.0), 1)
    assert compare(still, CompareOptions(deghost=None, match=False)).evidence is None


def test_on_a_tripod_a_swaying_branch_is_left_out_where_the_curve_is_known(room, photo, rng, registered_of):
    """Its leaves are narrower than an object; a single one is none, whatever is known."""
    light = np.minimum(room(), 0.8)
    swayed = light.copy()
    for top in range(40, 100, 9):
        swayed[top : top + 3, 40:70] = (0.6, 0.6, 0.1)
    swayed[60:63, 150:160] = (0.6, 0.6, 0.1)
    registered = registered_of([photo(swayed, -2, rng), photo(light, 0, rng)], (-2.0, 0.0), 1)
    tripod = CompareOptions(deghost=None, match=False)
    assert compare(registered, tripod).evidence is None
    found = compare(registered, replace(tripod, curve_known=True)).registered.consistency[0]
    assert found[42:100, 45:65].mean() < 0.5
    assert (found[:, 120:] == 1).all()


@pytest.mark.parametrize("moves", [True, False])
def test_ripples_that_a_wrong_curve_would_hide_are_told_by_their_detail(
    room, photo, rng, registered_of, moves
):
    """A curve known to 4 codes hides small ripples; an area that is off by as much in a smooth way is no movement."""
    light = np.clip(room(), 0.08, 0.2)
    noise = rng.standard_normal((2, *light.shape[:2])).astype(np.float32)
    waves = np.stack([cv2.GaussianBlur(one, (0, 0), 1.2) for one in noise])
    waves *= 0.2 / waves.std()
    water = np.s_[70:130]
    still, short = light.copy(), light * np.float32(1.05)
    still[water] *= 1 + waves[0, 70:130, :, None]
    short[water] *= 1 + waves[1 if moves else 0, 70:130, :, None]
    images = [photo(short, -1), photo(still, 0)]
    registered = registered_of(images, (-1.0, 0.0), 1)
    rough = replace(registered, noise=PhotoNoise(2e-5, 1e-4, codes=4.0))
    found = compare(rough, KEEP_TONES).registered.consistency[0]
    assert found[:60].mean() > 0.97
    rippled = float(found[75:125].mean())
    assert rippled < 0.75 if moves else rippled > 0.97


def test_on_a_tripod_light_beyond_a_clipped_channel_is_no_object(room, photo, rng, registered_of):
    """A camera bends green where red clips; the shorter frame, which shows how bright red is, stays."""
    light = np.minimum(room(), 0.8)
    lamp = np.s_[60:80, 70:90]
    bright, bent = light.copy(), light.copy()
    bright[lamp], bent[lamp] = (3.0, 0.5, 0.1), (3.0, 0.8, 0.1)
    registered = registered_of([photo(bright, -2, rng), photo(bent, 0, rng)], (-2.0, 0.0), 1)
    found = compare(registered, CompareOptions(deghost=None, match=False)).registered.consistency
    assert found[0] is None or (found[0] == 1).all()
