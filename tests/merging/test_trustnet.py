"""The merger with networks of its own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from openhdr.camera.noise import TYPICAL, NoiseModel
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Bracket, Image
from openhdr.merging import MERGERS, LearnedRow, mle
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.strips import Known, coverage_of, merge_strips
from openhdr.merging.trustnet import merger as trustnet
from openhdr.merging.trustnet.features import FRAME_CHANNELS, SHARED_CHANNELS, Features, mu_code, seen_by_all
from openhdr.merging.trustnet.refinement import grain
from openhdr.models import MODELS

EV = (-2.0, 0.0, 2.0)
NETWORKS = [row.name for row in MERGERS.values() if isinstance(row, LearnedRow)]


def _decibel(light: np.ndarray, truth: np.ndarray, top: float = 4.0) -> float:
    """PSNR of mu codes where the shortest frame clips at 1."""
    ours, theirs = (mu_code(np.clip(one / top, 0, 1)) for one in (light, truth))
    return -10 * np.log10(np.square(ours - theirs).mean())


def _by(name: str, comparison: Comparison) -> np.ndarray:
    """All steps of a merge after the comparison."""
    merger = MERGERS[name].load()
    registered = merger.decide(comparison)
    return merger.refine(registered, merger.merge(registered)).pixels


def _refined(registered, merged) -> np.ndarray:
    return trustnet.TRUSTNET.refine(registered, replace(merged, pixels=merged.pixels.copy())).pixels


def _walker(light: np.ndarray, left: int) -> np.ndarray:
    moved = light.copy()
    moved[50:110, left : left + 30] = (0.5, 0.1, 0.05)
    return moved


@pytest.fixture
def bracket(room, photo, rng, registered_of):
    """A bracket in which something moves, and the light of its reference, which does not clip."""
    scenes = [_walker(np.minimum(room(), 0.8), left) for left in (20, 80, 150)]
    images = [photo(scene, ev, rng) for scene, ev in zip(scenes, EV, strict=True)]
    return registered_of(images, EV, 1), scenes[1]


def test_it_is_a_merger_of_the_table() -> None:
    assert NETWORKS and set(NETWORKS) <= set(MERGERS)
    assert all(MODELS[name].params < 600_000 and MODELS[name].gmacs <= 20 for name in NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_moves_is_merged_better_than_classically(bracket, name) -> None:
    registered, truth = bracket
    compared = compare(registered, CompareOptions(match=False))
    classical = mle.MERGER.merge(compared.registered).pixels
    assert _decibel(_by(name, compared), truth) > _decibel(classical, truth)


def test_the_order_of_the_photos_does_not_matter(room, photo, rng, registered_of) -> None:
    """More photos than are decided on together: a folder listed as 1, 10, 2 is the same bracket."""
    stops = np.arange(-3.0, 4.0)
    scenes = [_walker(np.minimum(room(), 0.8), left) for left in range(20, 160, 20)]
    images = [photo(scene, ev, rng) for scene, ev in zip(scenes, stops, strict=True)]
    order = [3, 6, 0, 2, 5, 1, 4]
    registered = registered_of(images, stops, 3)
    shuffled = registered_of([images[index] for index in order], stops[order], 0)
    one, other = (
        _by("trustnet", compare(given, CompareOptions(match=False))) for given in (registered, shuffled)
    )
    assert np.abs(mu_code(one) - mu_code(other)).max() < 1e-4


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("stops", [(-2, 0), (0, 2), EV, (-4, -2, 0, 2, 4), (-3, -2, -1, 0, 1, 2, 3)], ids=len)
def test_still_brackets_are_as_good_as_the_optimal_merge(
    room, photo, rng, registered_of, name, stops
) -> None:
    light = room()
    registered = registered_of([photo(light, ev, rng) for ev in stops], stops, stops.index(0))
    optimal = mle.MERGER.merge(registered).pixels
    result = _by(name, compare(registered, CompareOptions(match=False)))
    top = 2.0 ** -min(stops)
    assert _decibel(result, light, top) > _decibel(optimal, light, top) - 0.05


def test_the_order_of_frames_does_not_matter(bracket) -> None:
    registered, _ = bracket
    order = (2, 0, 1)
    frames = tuple(registered.bracket.frames[k] for k in order)
    turned = replace(
        registered,
        bracket=Bracket(frames, order.index(1)),
        registrations=[registered.registrations[k] for k in order],
    )
    one, other = (_by("trustnet", compare(each)) for each in (registered, turned))
    np.testing.assert_allclose(mu_code(one), mu_code(other), atol=1e-5)


def test_tiles_equal_the_whole(bracket, monkeypatch) -> None:
    registered, _ = bracket
    merged = merge_strips(registered, mle.combine, knowing=True)
    whole = _refined(registered, merged)
    monkeypatch.setattr(trustnet, "TILE_ROWS", 64)
    monkeypatch.setattr(trustnet, "TILE_COLUMNS", 72)
    np.testing.assert_allclose(mu_code(_refined(registered, merged)), mu_code(whole), atol=1e-5)


def test_bands_and_groups_decide_as_the_whole_does(bracket, monkeypatch) -> None:
    comparison = compare(bracket[0])
    whole = trustnet.TRUSTNET.decide(comparison)
    monkeypatch.setattr(trustnet, "BAND_PIXELS", 16 * 208)
    banded = trustnet.TRUSTNET.decide(comparison)
    for one, other in zip(banded.consistency, whole.consistency, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)
    monkeypatch.setattr(trustnet, "GROUP", 1)  # told less, it says much the same
    grouped = trustnet.TRUSTNET.decide(comparison)
    for one, other in zip(grouped.consistency, whole.consistency, strict=True):
        assert np.abs(one - other).mean() < 0.1


def test_what_no_frame_measured_is_left_alone(bracket) -> None:
    """A network that was free there drew a dark streak along a beam of light."""
    registered, _ = bracket
    merged = merge_strips(registered, mle.combine, knowing=True)
    guessed = replace(merged, known=Known(registered.shape))
    guessed.known.put(slice(None), merged.known.weight(), np.zeros(registered.shape, np.float32))
    np.testing.assert_allclose(_refined(registered, guessed), guessed.pixels, rtol=1e-5, atol=1e-6)
    assert np.abs(_refined(registered, merged) - merged.pixels).max() > 1e-3  # and the rest is not


def test_refining_keeps_the_light_of_areas(photo, rng, registered_of) -> None:
    """A network that had learned from brackets of wrong curves brightened dark grass by a quarter."""
    texture = cv2.GaussianBlur(rng.normal(size=(192, 256, 1)).repeat(3, 2), (0, 0), 1.5)
    for level in (0.004, 0.02, 0.1, 0.5):
        light = (np.array([0.5, 1, 0.15]) * level * np.exp(1.5 * texture)).astype(np.float32)
        registered = registered_of([photo(light, ev, rng) for ev in EV], EV, 1)
        merged = merge_strips(registered, mle.combine, knowing=True)
        refined = _refined(registered, merged)
        assert cv2.blur(refined, (31, 31)) == pytest.approx(cv2.blur(merged.pixels, (31, 31)), rel=0.06)


def test_measured_values_stay_within_their_noise(bracket) -> None:
    registered, _ = bracket
    merged = merge_strips(registered, mle.combine, knowing=True)
    change = np.abs(mu_code(_refined(registered, merged)) - mu_code(merged.pixels))
    light = merged.pixels.mean(axis=2)
    sd = 5000 / np.log(5001) / (1 + 5000 * light) / np.sqrt(np.maximum(merged.known.weight(), 1))
    measured = merged.known.coverage() > 0.999
    assert measured.mean() > 0.9
    assert (change[measured] <= (6 * np.maximum(sd, 1e-5) + 1e-5)[measured][:, None]).all()


@pytest.mark.parametrize("times", [0.3, 1, 2.5])
def test_grain_is_the_noise_of_the_reference(rng, registered_of, times) -> None:
    smooth = cv2.resize(rng.uniform(0.02, 0.7, (5, 7, 3)).astype(np.float32), (640, 400))
    noise = NoiseModel(TYPICAL.shot * times, TYPICAL.read * times**0.5)
    codes = np.rint(255 * srgb_encode(np.clip(noise.add(smooth, rng), 0, 1))).astype(np.uint8)
    other = np.rint(255 * srgb_encode(smooth)).astype(np.uint8)
    images = [Image(one, "srgb") for one in (other, codes)]
    assert grain(registered_of(images, (0.0, 0.0), 1)) == pytest.approx(times, rel=0.35)


def test_clipped_light_is_left_as_it_is(photo, registered_of) -> None:
    white = np.full((40, 50, 3), 50.0)
    registered = registered_of([photo(white, ev) for ev in EV], EV, 1)
    result = _by("trustnet", Comparison(registered, []))
    assert np.ptp(result) == 0 and result.min() == pytest.approx(4, rel=1e-3)


def test_features_say_what_their_names_promise(bracket) -> None:
    registered, _ = bracket
    evidence = compare(registered).evidence
    features = Features(evidence, seen_by_all(evidence)[0])
    frames, shared = features.frames(), features.shared()
    assert frames.shape == (2, FRAME_CHANNELS, *registered.shape)
    assert shared.shape == (SHARED_CHANNELS, *registered.shape)
    assert np.isfinite(frames).all() and np.isfinite(shared).all()
    assert (frames[0, 11] == -0.5).all() and (frames[1, 11] == 0.5).all()  # EV / 4
    for channel in (7, 8, 9, 10):  # saturation_weight, inside, consistency, clipped
        assert frames[:, channel].min() >= 0 and frames[:, channel].max() <= 1


def test_features_of_some_frames_are_what_they_are_among_all(bracket) -> None:
    evidence = compare(bracket[0]).evidence
    level, _ = seen_by_all(evidence)
    features = Features(evidence, level)
    np.testing.assert_array_equal(features.frames([2])[0], features.frames()[1])


def test_coverage_counts_the_shortest_frame_where_it_clips(photo, registered_of) -> None:
    bright = np.full((8, 8, 3), 50.0)
    strip = registered_of([photo(bright, ev) for ev in EV], EV, 1).strip(slice(0, 8))
    assert (coverage_of(strip) == 1).all()
    blind = replace(strip, consistency=[np.zeros((8, 8), np.float32), *strip.consistency[1:]])
    assert (coverage_of(blind) == 0).all()
