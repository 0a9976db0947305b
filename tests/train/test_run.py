"""A run from the outside: what it writes, how it validates, its ways of computing, its plan."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from openhdr import models
from openhdr.core.errors import RequestError
from openhdr.metrics import evaluate
from openhdr.train.distributed import DistributedContext
from openhdr.train.ema import RunningMean
from openhdr.train.loop import train
from openhdr.train.plan import make_plan, step_seconds
from openhdr.train.recipe import EMAConfig
from openhdr.train.sources.simulated import open_simulated
from openhdr.train.state import new_network
from openhdr.train.validation import open_validation

from .conftest import losses_of, weights_of


def test_run_folder_tells_the_whole_story(tiny, tmp_path: Path) -> None:
    said: list[str] = []
    found = train(tiny("gsanet", "validation.every=1"), tmp_path, say=said.append)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["recipe"]["optimiser"]["lr"] == 2e-4 and run["recipe"]["objective"]["name"] == "merge"
    assert {"openhdr", "python", "torch", "numpy"} <= set(run["versions"]) and "commit" in run
    assert run["hardware"]["cores"] >= 1 and run["hardware"]["processes"] == 1
    assert "lab" in run["data"]["validation"]
    assert found["best"] == str(tmp_path / "best.safetensors") and found["steps"] == 2
    assert (tmp_path / "log.txt").read_text().splitlines() == said
    assert any("steps/s" in line and "left" in line for line in said)


def test_tensorboard_gets_numbers_and_pictures(tiny, tmp_path: Path) -> None:
    pytest.importorskip(
        "tensorboard", reason="needs the extra train, which tests get but training works without"
    )
    train(tiny("gsanet", "validation.every=1"), tmp_path, say=lambda line: None)
    shown = list((tmp_path / "tensorboard").glob("events.*"))
    assert len(shown) == 1 and shown[0].stat().st_size > 5000


def test_choice_of_weights_is_written_down_and_right(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "validation.every=1", "run.length=3", "optimiser.lr=3e-3"), tmp_path)
    choice = json.loads((tmp_path / "choice.json").read_text())
    scored = {entry["step"]: entry["ntire-psnr-mu"] for entry in choice["history"]}
    alone = scored.pop("reference frame alone")
    assert list(scored) == [0, 1, 2, 3] and np.isfinite(alone)
    assert choice["chosen"]["step"] == max(scored, key=scored.get)
    best = weights_of(tmp_path / "best.safetensors")
    step = choice["chosen"]["step"]
    if step:
        kept = weights_of(tmp_path / "checkpoints" / f"step-{step:08d}" / "net.safetensors")
        assert all(torch.equal(best[key], kept[key]) for key in best)


def test_metric_may_change_when_a_run_is_resumed(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "validation.every=1", "run.length=1"), tmp_path)
    changes = ("validation.metric=psnr-l", "validation.also=[]")
    train(tiny("gsanet", "validation.every=1", "run.length=2", *changes), tmp_path, resume=True)
    choice = json.loads((tmp_path / "choice.json").read_text())
    assert choice["chosen"]["step"] == 2 and "psnr-l" in choice["rule"]


def test_validation_score_is_that_of_the_users_path(tiny, scenes: Path, tmp_path: Path) -> None:
    from openhdr.models.inference.three_frames import reconstruct
    from openhdr.train.recipe import ValidationConfig
    from openhdr.train.sources.simulated import open_simulated

    recipe = tiny("gsanet", "validation.every=2")
    found = train(recipe, tmp_path / "run")["validation"]
    source = open_simulated(recipe.data, recipe.run.seed, tmp_path / "run" / "cache")
    samples, _ = source.validation(ValidationConfig(samples=2, size=32))
    net = models.load("gsanet", tmp_path / "run" / "last.safetensors")
    scores = [
        evaluate(reconstruct(net, list(s.light()), s.ev, s.reference), s.truth, ["ntire-psnr-mu"])[
            "ntire-psnr-mu"
        ]
        for s in samples
    ]
    assert found["ntire-psnr-mu"] == pytest.approx(float(np.mean(scores)), abs=1e-4)


@pytest.mark.parametrize("name", ["two-stage", "stack-itm", "trustnet-single"])
def test_one_photo_networks_are_validated(name: str, tiny, tmp_path: Path) -> None:
    found = train(tiny(name, "validation.every=1", "run.length=1", "validation.samples=1"), tmp_path)
    assert np.isfinite(list(found["validation"].values())).all()


def test_running_mean_by_hand() -> None:
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(net.weight)
    mean = RunningMean(net, EMAConfig(every=2, decay=0.75))
    with torch.no_grad():
        for done, value in enumerate((1.0, 2.0, 5.0, 6.0), start=1):
            net.weight.fill_(value)
            mean.update(net, done)
    assert mean.net.weight.item() == pytest.approx(0.75 * (0.25 * 2) + 0.25 * 6)


@pytest.mark.parametrize(
    "changes",
    [
        ("compute.channels_last=true",),
        ("optimiser.clip_norm=1e9",),
        pytest.param(("compute.workers=1", "run.length=1"), marks=pytest.mark.slow),
    ],
    ids=["channels last", "clipping that never clips", "a worker"],
)
def test_ways_of_computing_change_nothing(changes: tuple[str, ...], tiny, tmp_path: Path) -> None:
    train(tiny("gsanet"), tmp_path / "plain")
    train(tiny("gsanet", *changes), tmp_path / "other")
    other = losses_of(tmp_path / "other")
    assert other == pytest.approx(losses_of(tmp_path / "plain")[: len(other)], rel=1e-4)


def test_clipping_bounds_the_gradient(tiny, tmp_path: Path) -> None:
    """With a bound far below Adam's eps the step is shortened; without, its size is the rate's."""
    train(tiny("gsanet", "run.length=1", "optimiser.clip_norm=1e-12"), tmp_path / "clipped")
    train(tiny("gsanet", "run.length=1"), tmp_path / "free")
    torch.manual_seed(3)
    start = models.load("gsanet", share_features=True).state_dict()
    moved = {
        run: max(
            float((value - start[key]).abs().max())
            for key, value in weights_of(tmp_path / run / "last.safetensors").items()
        )
        for run in ("clipped", "free")
    }
    assert moved["clipped"] < 1e-7 and moved["free"] == pytest.approx(2e-4, rel=0.01)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_sixteen_bits_come_close(precision: str, tiny, tmp_path: Path) -> None:
    """The first loss; after it float16 leaves out steps until its scale fits."""
    train(tiny("gsanet", "run.length=1"), tmp_path / "plain")
    train(tiny("gsanet", "run.length=1", f"compute.precision={precision}"), tmp_path / "half")
    plain, half = losses_of(tmp_path / "plain"), losses_of(tmp_path / "half")
    assert half == pytest.approx(plain, rel=0.01) and half != plain


@pytest.mark.slow
def test_float16_learns(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=30", "run.save_every=30", "compute.precision=float16"), tmp_path)
    losses = losses_of(tmp_path)
    assert np.isfinite(losses).all() and np.mean(losses[-5:]) < 0.9 * np.mean(losses[:2])


@pytest.mark.slow
def test_compiled_network_trains_the_same(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet"), tmp_path / "plain")
    train(tiny("gsanet", "compute.compile=eager"), tmp_path / "compiled")
    assert losses_of(tmp_path / "compiled") == pytest.approx(losses_of(tmp_path / "plain"), rel=1e-5)


def test_weights_to_begin_from(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=1"), tmp_path / "first")
    first = tmp_path / "first" / "last.safetensors"
    train(
        tiny("gsanet", "run.length=1", f"network.weights={first}", "optimiser.lr=1e-12"), tmp_path / "second"
    )
    one, two = weights_of(first), weights_of(tmp_path / "second" / "last.safetensors")
    assert all(torch.allclose(one[key], two[key], atol=1e-9) for key in one)


def test_without_tensorboard_a_note_says_so(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    said: list[str] = []
    train(tiny("gsanet", "run.length=1"), tmp_path, say=said.append)
    assert any("pip install 'openhdr[train]'" in line for line in said)
    assert not (tmp_path / "tensorboard").exists()


def test_training_lowers_the_loss(tiny, tmp_path: Path) -> None:
    """On one batch again and again the network learns it."""
    changes = ("run.length=40", "optimiser.lr=3e-3", "data.samples_per_scene=1", "run.save_every=100")
    train(tiny("gsanet", *changes), tmp_path)
    losses = losses_of(tmp_path)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_plan_counts_what_the_graph_holds(tiny) -> None:
    """Linear in the batch, quadratic in the patch; parameters as the table of networks says."""
    small = make_plan(tiny("gsanet", "run.batch=2"))
    assert make_plan(tiny("gsanet", "run.batch=4")).activations_gb == pytest.approx(
        2 * small.activations_gb, rel=0.01
    )
    assert make_plan(tiny("gsanet", "run.batch=4", "run.accumulate=2")).activations_gb == pytest.approx(
        small.activations_gb, rel=0.01
    )
    assert make_plan(tiny("gsanet", "data.patch=64")).activations_gb == pytest.approx(
        4 * small.activations_gb, rel=0.02
    )
    assert small.parameters == {"net": 80_647}
    assert small.state_gb == pytest.approx(4 * 4 * 80_647 / 1e9)


def test_plan_times_a_step_as_it_is_trained(tiny, monkeypatch) -> None:
    """In the recipe's precision; neither the first call, which prepares, nor one that was held up counts."""
    recipe = tiny("gsanet", "run.batch=2", "compute.device=cpu", "compute.precision=bfloat16")
    real, lower = type(recipe.objective).net_terms, []

    def net_terms(self, *given):
        lower.append(torch.is_autocast_enabled("cpu"))
        return real(self, *given)

    monkeypatch.setattr(type(recipe.objective), "net_terms", net_terms)
    clock = SimpleNamespace(perf_counter=iter([0, 9, 10, 11, 20, 25]).__next__)
    monkeypatch.setattr("openhdr.train.plan.time", clock)
    assert step_seconds(recipe) == 2 * 1 and lower == [True] * 3


@pytest.mark.parametrize("name", ["two-stage", "stack-itm"])
def test_plan_knows_discriminators(name: str, tiny) -> None:
    assert set(make_plan(tiny(name)).parameters) == {"net", "discriminator"}


def test_cache_is_made_once(tiny, tmp_path: Path) -> None:
    train(tiny("gsanet", "run.length=1"), tmp_path / "one")
    cache = tmp_path / "one" / "cache"
    train(tiny("gsanet", "run.length=1", f"data.path={cache}"), tmp_path / "two")
    assert losses_of(tmp_path / "two") == losses_of(tmp_path / "one")
    shutil.rmtree(cache)
    assert not (tmp_path / "two" / "cache").exists()


def test_parts_learn_alone(tiny, tmp_path: Path) -> None:
    """The other weights stay as they began, also where a discriminator learns in turn."""
    begun = ("run.length=2", "optimiser.lr=1e-3", "run.seed=3")
    train(tiny("two-stage", *begun, 'optimiser.only=["stage2.output", "stage2.gates"]'), tmp_path)
    first = weights_of(tmp_path / "checkpoints" / "step-00000001" / "net.safetensors")
    last = weights_of(tmp_path / "last.safetensors")
    changed = {name for name in last if not torch.equal(first[name], last[name])}
    assert changed and all(name.startswith(("stage2.output", "stage2.gates")) for name in changed)


def test_part_that_is_not_there_is_named(tiny, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"optimiser\.only', 'stage3'; did you mean 'stage"):
        train(tiny("two-stage", 'optimiser.only=["stage3"]'), tmp_path)


def test_metric_of_absolute_light_needs_its_meaning(tiny, tmp_path: Path) -> None:
    changes = ("validation.every=1", "validation.metric=pu21-psnr", "run.length=1")
    with pytest.raises(RequestError, match=r"say what 1\.0 is to mean"):
        train(tiny("two-stage", *changes), tmp_path / "one")
    found = train(tiny("two-stage", *changes, "validation.protocol=abs:100"), tmp_path / "two")
    assert 5 < found["validation"]["pu21-psnr"] < 60


def test_shortest_scale_clips_there(tiny, tmp_path: Path) -> None:
    """The score of the reference by hand, on the scale of the shortest frame."""
    recipe = tiny("gsanet", "validation.every=1", "validation.scale=shortest", "validation.metric=psnr-mu")
    validation = open_validation(recipe, open_simulated(recipe.data, 3, tmp_path / "c"), torch.device("cpu"))
    values = []
    for sample in validation.samples:
        top = 2.0 ** -min(sample.ev)
        pair = [
            np.log1p(5000 * np.clip(x / top, 0, 1)) / np.log(5001) for x in (sample.light()[1], sample.truth)
        ]
        values.append(-10 * np.log10(np.mean((pair[0] - pair[1]).astype(np.float64) ** 2)))
    found = validation.scores_of_reference(DistributedContext())
    assert found["psnr-mu"] == pytest.approx(np.mean(values), abs=1e-3)


@pytest.mark.parametrize("stages", ["first", "second"])
def test_a_stage_is_trained_alone(stages: str, tiny, tmp_path: Path) -> None:
    """Rows of the two-stage paper's table 2; stage II has nothing that a discriminator could judge."""
    found = train(tiny("two-stage", f"network.variant.stages={stages}"), tmp_path / "run")
    terms = json.loads((tmp_path / "run" / "losses.jsonl").read_text().splitlines()[-1])
    assert found["steps"] == 2 and ("discriminator" in terms) == (stages == "first")


def test_he_s_initialisation(tiny) -> None:
    torch.manual_seed(0)
    net = new_network(tiny("gsanet", "network.initialisation=kaiming"))
    for layer in (layer for layer in net.modules() if isinstance(layer, torch.nn.Conv2d)):
        fan_in = layer.weight[0].numel()
        assert layer.bias is None or not layer.bias.any()
        if layer.weight.numel() > 2000:
            assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
