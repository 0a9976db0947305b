"""openhdr's own merger in training: the same bracket every time, the product's merge with gradients, its networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr import models
from openhdr.camera.response import analytic
from openhdr.core.errors import RequestError
from openhdr.core.image import Bracket, Frame
from openhdr.data.scenes import draw_sample
from openhdr.geometry import identity
from openhdr.merging import MERGERS, mle
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.strips import Merged, merge_strips
from openhdr.merging.trustnet import merger as trustnet
from openhdr.merging.trustnet import refinement
from openhdr.merging.trustnet.features import Features, mu_code, seen_by_all
from openhdr.models.inference.selection import choose_three
from openhdr.pipeline.network_merger import registered_light
from openhdr.simulation.config import TRIPOD, ObjectConfig, ShakeConfig
from openhdr.simulation.scene import make_scene
from openhdr.train.examples import collate
from openhdr.train.objectives.contract import Nets
from openhdr.train.objectives.trustnet import TrustNetObjective
from openhdr.train.objectives.trustnet_merge import merge_known
from openhdr.train.plan import check_batch, make_plan
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.compared import open_compared, simulation_of, unregistered
from openhdr.train.sources.registered import open_registered, three_frames
from openhdr.train.trustnet_sample import ComparedBracket, compare_sample, compared_bracket
from openhdr.train.validation import Validation

EVS = {2: (-2.0, 0.0), 3: (-2.0, 0.0, 2.0), 5: (-4.0, -2.0, 0.0, 2.0, 4.0)}


@pytest.fixture
def bracket(room, photo, rng):
    """(number of frames) -> a compared bracket in which something moves, and its truth."""

    def make(count: int) -> tuple[Comparison, np.ndarray]:
        light, frames = room(96, 128), []
        for number, ev in enumerate(EVS[count]):
            moved = light.copy()
            moved[30:70, 10 + 20 * number : 35 + 20 * number] = (0.5, 0.1, 0.05)
            frames.append(Frame(photo(moved, ev, rng), ev, str(number)))
            truth = moved if ev == 0 else light
        reference = EVS[count].index(0)
        places = [identity("reference" if k == reference else "kept") for k in range(count)]
        registered = RegisteredBracket(Bracket(tuple(frames), reference), [analytic("srgb")] * count, places)
        return compare(registered, CompareOptions()), truth

    return make


def _classical(comparison: Comparison) -> Merged:
    return merge_strips(comparison.registered, mle.combine, knowing=True)


def _features(comparison: Comparison) -> tuple[np.ndarray, np.ndarray]:
    """Those of the frames beside the reference, and the shared ones."""
    evidence = comparison.evidence
    features = Features(evidence, seen_by_all(evidence)[0])
    return features.frames(), features.shared()


def _tensors(one: ComparedBracket) -> dict[str, torch.Tensor]:
    example = TrustNetObjective(half_share=0).example(one, np.random.default_rng(0), False)
    return {key: value[0] for key, value in collate([example]).items()}


@pytest.mark.parametrize("count", list(EVS))
def test_merge_with_gradients_is_the_merger_s(bracket, count: int) -> None:
    comparison, truth = bracket(count)
    assert min(one.min() for one in comparison.registered.consistency) < 0.1, "nothing was left out"
    expected = _classical(comparison)
    tensors = _tensors(compared_bracket(comparison, truth))
    consistency = tensors["frames"][:, 9]
    found = merge_known(tensors, consistency, torch.ones_like(tensors["hole_fill"]))[0].numpy()
    light = found[:3].transpose(1, 2, 0)
    np.testing.assert_allclose(mu_code(light), mu_code(expected.pixels), atol=1e-4)
    np.testing.assert_allclose(found[4], expected.known.coverage(), atol=2e-3)
    np.testing.assert_allclose(found[3] * tensors["grain"].item(), expected.known.weight(), rtol=1e-2, atol=1)


def test_features_are_those_that_the_merger_sees(bracket) -> None:
    comparison, truth = bracket(3)
    parts, (frames, shared) = compared_bracket(comparison, truth).parts(), _features(comparison)
    np.testing.assert_array_equal(parts["frames"], frames)
    np.testing.assert_array_equal(parts["shared"], shared)
    np.testing.assert_array_equal(parts["truth"], truth.transpose(2, 0, 1))


def test_untrained_it_is_the_classical_merger(bracket, monkeypatch) -> None:
    comparison, _ = bracket(3)
    net = models.load("trustnet-tiny")
    expected = _classical(comparison).pixels
    monkeypatch.setattr("openhdr.train.trustnet_sample.compare_sample", lambda sample: comparison)
    recipe = _recipe("network.name=trustnet-tiny")
    found = Validation(recipe, (), "", torch.device("cpu")).reconstruction(net, None)
    close = np.abs(mu_code(found) - mu_code(expected)).max(axis=2)
    assert (
        np.median(close) < 1e-5 and np.quantile(close, 0.99) < 0.01
    )  # doubtful consistency is spread by 2 %


@pytest.mark.parametrize("count", list(EVS))
def test_gradients_reach_both_networks(bracket, count: int) -> None:
    comparison, truth = bracket(count)
    net = models.load("trustnet-tiny").train()
    batch = collate(
        [
            TrustNetObjective(half_share=1).example(
                compared_bracket(comparison, truth), np.random.default_rng(0), False
            )
        ]
    )
    assert batch["truth"].shape == (1, 3, 48, 64)
    terms = TrustNetObjective().net_terms(Nets(net), batch, 0)
    assert terms["merged"].item() == pytest.approx(0.3 * terms["refined"].item(), rel=1e-3)
    sum(terms.values()).backward()
    for layer in (
        net.decide.trust,
        net.decide.fill,
        net.refine.leave,
    ):  # the last ones: others wait behind zeros
        assert layer.weight.grad.isfinite().all() and layer.weight.grad.any()


def test_same_bracket_every_time(scenes: Path, tmp_path: Path) -> None:
    config = DataConfig(source="compared", path=str(scenes), patch=48, brackets=5)
    one = open_compared(config, 3, tmp_path / "one")
    (tmp_path / "one" / "brackets" / "brackets-000004.tar").unlink()
    again = open_compared(config, 3, tmp_path / "one")  # goes on: one shard is missing
    other = open_compared(config, 3, tmp_path / "other")
    assert one.epoch == again.epoch == other.epoch == 5
    for number in (4, 0, 7):
        a, b = again.sample(number), other.sample(number)
        assert a.name == b.name and a.ev == b.ev and np.array_equal(a.planes, b.planes)
    assert {len(one.sample(k).ev) for k in range(5)} >= {3}
    assert open_compared(DataConfig(path=str(tmp_path / "one" / "brackets")), 0, tmp_path).epoch == 5


@pytest.mark.parametrize("count", [3, 5])
def test_networks_of_three_frames_see_what_a_merge_shows_them(bracket, count: int) -> None:
    comparison, truth = bracket(count)
    one = compared_bracket(comparison, truth)
    one.planes[:5, :, _inside(count, 0)] = 0  # as if the first frame did not reach there
    sample = three_frames(one)
    registered = comparison.registered
    chosen = choose_three(registered.bracket.ev.tolist(), registered.bracket.reference)
    for number, expected in enumerate(registered_light(registered, chosen)):
        rows = slice(5 if chosen[number] == 0 else 0, None)
        np.testing.assert_allclose(sample.frames[number][rows], expected[rows], atol=1e-5)
    if 0 in chosen:
        reference = sample.frames[1][:5]
        recorded = reference * 2.0 ** sample.ev[0]
        fine = reference < 0.9
        np.testing.assert_allclose(sample.frames[0][:5][fine], recorded[fine], rtol=1e-5)
    np.testing.assert_array_equal(sample.truth, truth)


def _inside(count: int, frame: int) -> int:
    """Which plane says where a frame reaches."""
    return 13 * (count - 1) + 11 + 3 * count + count + frame


def test_registered_source_takes_brackets_of_three_frames(scenes: Path, tmp_path: Path) -> None:
    config = DataConfig(source="registered", path=str(scenes), patch=48, brackets=8, cuts=2)
    source = open_registered(config, 3, tmp_path)
    counts = [len(source.compared.bracket(number).ev) for number in range(8)]
    assert 0 < len(source.numbers) < 8 and all(counts[number] > 2 for number in source.numbers)
    assert source.epoch == 2 * len(source.numbers)
    seen = {source.sample(index).name for index in range(source.epoch)}
    assert seen == {f"{number:06d}" for number in source.numbers}
    samples, what = source.validation(ValidationConfig(path=str(scenes), samples=2))
    assert samples and "registered" in what
    assert all(len(one.frames) == 3 and one.reference == 1 and one.response == "linear" for one in samples)


def test_brackets_are_kept_up_to_so_many_bytes(scenes: Path, tmp_path: Path, monkeypatch) -> None:
    config = DataConfig(source="registered", path=str(scenes), patch=48, brackets=8)
    source = open_registered(config, 3, tmp_path)
    height, width = source.picture(0).shape
    one = 4 * height * width * 3 * np.dtype(np.float32).itemsize  # three frames and the truth
    source.kept.clear()
    monkeypatch.setattr("openhdr.train.sources.registered._MOST_KEPT", 2 * one)
    read = [source.picture(index) for index in range(source.epoch)]
    assert len(source.kept) == 2 < len(source.numbers)
    again = [source.picture(index) for index in range(source.epoch)]
    assert sum(a is b for a, b in zip(read, again, strict=True)) == 2
    for a, b in zip(read, again, strict=True):
        np.testing.assert_array_equal(a.frames, b.frames)


def test_a_share_of_brackets_stays_unregistered(scenes: Path, tmp_path: Path) -> None:
    config = DataConfig(source="registered", path=str(scenes), patch=48, brackets=8)
    half = replace(config, unregistered_share=0.5)
    registered, mixed = (
        open_compared(one, 3, tmp_path / f"{one.unregistered_share}") for one in (config, half)
    )
    left = [number for number in range(8) if unregistered(half, number)]
    assert 0 < len(left) < 8 and not any(unregistered(config, number) for number in range(8))
    brackets = [(registered.bracket(number), mixed.bracket(number)) for number in range(8)]
    changed = {n for n, (one, other) in enumerate(brackets) if not np.array_equal(one.planes, other.planes)}
    assert changed and changed <= set(left)  # a tripod's frames are not moved anyway
    assert all((brackets[number][1].parts()["inside"] == 1).all() for number in left)


def test_brackets_have_two_to_seven_frames() -> None:
    simulation = [simulation_of(DataConfig(patch=192, view=384), number) for number in range(300)]
    assert simulation[0].size == (384, 320)
    counts = {len(pattern) for one in simulation for pattern in one.exposure.ev_patterns}
    assert counts == {2, 3, 5, 7}
    assert 0.1 < np.mean([one.exposure.rolling_reference for one in simulation]) < 0.2
    assert 0.4 < np.mean([one.camera.jpeg_share > 0 for one in simulation]) < 0.6


def test_half_of_the_brackets_by_real_cameras() -> None:
    config = DataConfig(patch=192, view=384)
    before = [simulation_of(config, number) for number in range(200)]
    simulation = [simulation_of(replace(config, real_share=0.5), number) for number in range(200)]
    real = [one for one in simulation if one.camera.processing]
    assert 80 < len(real) < 120
    assert all(
        one == other for one, other in zip(simulation, before, strict=True) if not one.camera.processing
    )
    assert 0.35 < np.mean([one.shake == TRIPOD for one in real]) < 0.65
    assert max(len(pattern) for one in real for pattern in one.exposure.ev_patterns) == 7


def test_a_real_camera_s_bracket_is_linear_by_its_own_curve(room) -> None:
    """Compared brackets are on the truth's scale: what consistency cannot mend is no error."""
    simulation = simulation_of(DataConfig(patch=96, real_share=1.0), 3)
    still = replace(simulation, shake=ShakeConfig(still_share=1.0), objects=ObjectConfig(still_share=1.0))
    sample = draw_sample([make_scene("room", room(128, 256))], still, 0, "a")
    bracket = compared_bracket(compare_sample(sample), sample.truth)
    parts = bracket.parts()
    fine = (parts["saturation_weight"][bracket.reference] > 0.9) & (parts["truth"].min(axis=0) > 0.05)
    ratio = np.log2(parts["light"][bracket.reference][:, fine] / parts["truth"][:, fine])
    assert fine.any() and -0.2 < np.median(ratio) < 1  # local tone mapping lifts


def _recipe(*changes: str):
    from openhdr.train.recipe import load_recipe

    from .conftest import RECIPES

    return load_recipe(RECIPES / "trustnet.toml", changes)


def test_brackets_are_pieces_of_their_own() -> None:
    with pytest.raises(RequestError, match=r"run\.accumulate = 2.*one by one.*4 / 1"):
        check_batch(_recipe("run.accumulate=2"), 1)
    check_batch(_recipe(), 1)
    check_batch(_recipe("run.accumulate=2"), 2)


def test_plan_counts_memory() -> None:
    plan = make_plan(_recipe())
    assert plan.parameters == {"net": models.MODELS["trustnet"].params}
    assert 0.01 < plan.activations_gb < 1


@pytest.mark.parametrize("name", [row.name for row in models.MODELS.values() if row.task == "consistency"])
def test_shipped_files_are_the_shipped_weights(name: str, bracket) -> None:
    if name not in MERGERS or all(row.network != name for row in models.WEIGHTS.values()):
        pytest.skip(f"no row of weights for {name} yet")
    net, shipped = models.load_for_use(name), trustnet.shipped(name)
    for count in EVS:
        comparison, _ = bracket(count)
        frames, shared = _features(comparison)
        with torch.inference_mode():
            ours = net.decide(torch.from_numpy(frames), torch.from_numpy(shared))
        for one, other in zip(ours, shipped.decide(frames, shared), strict=True):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-4, atol=1e-4)
        merged = _classical(comparison)
        weight, coverage = merged.known.weight(), merged.known.coverage()
        rows, columns = slice(0, 96), slice(0, 128)
        seen = refinement.seen(comparison.registered, merged.known, merged.pixels, rows, columns)
        change = shipped.refine(seen.planes[None])[0]
        result = refinement.moved(merged.pixels, seen, change)
        light, weight, coverage = (
            torch.from_numpy(one)[None]
            for one in (merged.pixels.transpose(2, 0, 1), weight[None], coverage[None])
        )
        with torch.inference_mode():
            ours = net.refined(light, weight, coverage, torch.from_numpy(seen.planes[None, 5:]))
        np.testing.assert_allclose(mu_code(ours[0].numpy().transpose(1, 2, 0)), mu_code(result), atol=1e-4)


@pytest.mark.slow
def test_export_takes_two_to_nine_frames(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from openhdr.models.inference.export import export_parts

    torch.manual_seed(1)
    net = models.load("trustnet-tiny")
    for layer in (net.decide.trust, net.decide.fill, net.refine.leave):
        torch.nn.init.normal_(layer.weight, std=0.1)
    decide, refine = export_parts(net, "trustnet-tiny", tmp_path / "net.onnx", {})
    assert max(decide.largest_difference, refine.largest_difference) < 1e-4
    session = runtime.InferenceSession(decide.path)
    for others in (1, 8):
        frames, shared = torch.rand(others, 13, 48, 64), torch.rand(11, 48, 64)
        with torch.inference_mode():
            expected = net.decide(frames, shared)
        found = session.run(None, {"frames": frames.numpy(), "shared": shared.numpy()})
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_processes_prepare_the_same_brackets(scenes: Path, tmp_path: Path) -> None:
    config = {"source": "compared", "path": str(scenes), "patch": 48, "brackets": 5}
    one = open_compared(DataConfig(**config), 3, tmp_path / "one")
    two = open_compared(DataConfig(**config, preparing=2), 3, tmp_path / "two")
    assert all(np.array_equal(one.sample(k).planes, two.sample(k).planes) for k in range(5))
