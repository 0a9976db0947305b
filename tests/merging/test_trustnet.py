"""The merger with networks of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openhdr.core.errors import FileError
from openhdr.core.image import Bracket
from openhdr.merging import MERGERS, mle, trustnet
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.strips import coverage_of, merge_known, merge_strips
from openhdr.merging.trustnet_features import FRAME_CHANNELS, SHARED_CHANNELS, features_of, mu_code

EV = (-2.0, 0.0, 2.0)
NETWORKS = [row.name for row in MERGERS.values() if row.takes == "comparison"]


def _decibel(light: np.ndarray, truth: np.ndarray, top: float = 4.0) -> float:
    """PSNR of mu codes where the shortest frame clips at 1."""
    ours, theirs = (mu_code(np.clip(one / top, 0, 1)) for one in (light, truth))
    return -10 * np.log10(np.square(ours - theirs).mean())


def _walker(light: np.ndarray, left: int) -> np.ndarray:
    moved = light.copy()
    moved[50:110, left : left + 30] = (0.5, 0.1, 0.05)
    return moved


@pytest.fixture
def bracket(room, photo, rng, stack_of):
    """A bracket in which something moves, and the light of its reference, which does not clip."""
    scenes = [_walker(np.minimum(room(), 0.8), left) for left in (20, 80, 150)]
    images = [photo(scene, ev, rng) for scene, ev in zip(scenes, EV, strict=True)]
    return stack_of(images, EV, 1), scenes[1]


def test_it_is_a_merger_of_the_table() -> None:
    assert NETWORKS and all(MERGERS[name].params < 600_000 and MERGERS[name].gmacs <= 20 for name in NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_moves_is_merged_better_than_classically(bracket, name) -> None:
    stack, truth = bracket
    compared = compare(stack, CompareOptions(match=False))
    classical = merge_strips(compared.stack, mle.combine)
    assert _decibel(MERGERS[name].load()(compared).radiance, truth) > _decibel(classical, truth)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("stops", [(-2, 0), (0, 2), EV, (-4, -2, 0, 2, 4), (-3, -2, -1, 0, 1, 2, 3)], ids=len)
def test_still_brackets_are_as_good_as_the_optimal_merge(room, photo, rng, stack_of, name, stops) -> None:
    light = room()
    stack = stack_of([photo(light, ev, rng) for ev in stops], stops, stops.index(0))
    optimal = merge_strips(stack, mle.combine)
    result = MERGERS[name].load()(compare(stack, CompareOptions(match=False))).radiance
    top = 2.0 ** -min(stops)
    assert _decibel(result, light, top) > _decibel(optimal, light, top) - 0.05


def test_the_order_of_frames_does_not_matter(bracket) -> None:
    stack, _ = bracket
    order = (2, 0, 1)
    frames = tuple(stack.bracket.frames[k] for k in order)
    turned = replace(
        stack,
        bracket=Bracket(frames, order.index(1)),
        placements=[stack.placements[k] for k in order],
    )
    one, other = (trustnet.merge(compare(each)).radiance for each in (stack, turned))
    np.testing.assert_allclose(mu_code(one), mu_code(other), atol=1e-5)


def test_tiles_equal_the_whole(bracket, monkeypatch) -> None:
    stack, _ = bracket
    merged = merge_known(stack, mle.combine)
    whole = trustnet.refine(stack, merged, trustnet.shipped("trustnet"))
    monkeypatch.setattr(trustnet, "TILE", 64)
    np.testing.assert_allclose(
        mu_code(trustnet.refine(stack, merged, trustnet.shipped("trustnet"))), mu_code(whole), atol=1e-5
    )


def test_measured_values_stay_within_their_noise(bracket) -> None:
    stack, _ = bracket
    merged = merge_known(stack, mle.combine)
    change = np.abs(
        mu_code(trustnet.refine(stack, merged, trustnet.shipped("trustnet"))) - mu_code(merged.radiance)
    )
    light = merged.radiance.mean(axis=2)
    sd = 5000 / np.log(5001) / (1 + 5000 * light) / np.sqrt(np.maximum(merged.weight, 1))
    measured = merged.coverage == 1
    assert measured.mean() > 0.9
    assert (change[measured] <= (6 * np.maximum(sd, 1e-5) + 1e-5)[measured][:, None]).all()


def test_clipped_light_is_left_as_it_is(photo, stack_of) -> None:
    white = np.full((40, 50, 3), 50.0)
    stack = stack_of([photo(white, ev) for ev in EV], EV, 1)
    result = trustnet.merge(Comparison(stack, [])).radiance
    assert np.ptp(result) == 0 and result.min() == pytest.approx(4, rel=1e-3)


def test_features_say_what_their_names_promise(bracket) -> None:
    stack, _ = bracket
    found = features_of(compare(stack))
    assert found.frames.shape == (2, FRAME_CHANNELS, *stack.shape)
    assert found.shared.shape == (SHARED_CHANNELS, *stack.shape) and found.others == (0, 2)
    assert np.isfinite(found.frames).all() and np.isfinite(found.shared).all()
    assert (found.frames[0, 11] == -0.5).all() and (found.frames[1, 11] == 0.5).all()  # EV / 4
    for channel in (7, 8, 9, 10):  # headroom, inside, trust, clipped
        assert found.frames[:, channel].min() >= 0 and found.frames[:, channel].max() <= 1


def test_coverage_counts_the_shortest_frame_where_it_clips(photo, stack_of) -> None:
    bright = np.full((8, 8, 3), 50.0)
    samples = stack_of([photo(bright, ev) for ev in EV], EV, 1).samples(slice(0, 8))
    assert (coverage_of(samples) == 1).all()
    blind = replace(samples, trust=[np.zeros((8, 8), np.float32), *samples.trust[1:]])
    assert (coverage_of(blind) == 0).all()


def test_a_damaged_network_is_refused(monkeypatch, tmp_path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    source = trustnet.resources.files("openhdr.merging").joinpath("weights", "trustnet-refine.onnx")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "trustnet-refine.onnx").write_bytes(content)
    monkeypatch.setattr(trustnet.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileError, match="damaged"):
        trustnet._session.__wrapped__("trustnet", "refine")
