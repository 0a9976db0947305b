"""Every recipe: two steps from a fixed seed give the stored losses; every network has one; keys are checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openhdr.core.errors import FileError, RequestError
from openhdr.data.patches import PAPER_CUTS
from openhdr.models import MODELS
from openhdr.train.loop import train
from openhdr.train.recipe import Recipe, load_recipe, make_recipe
from openhdr.train.schedules import learning_rate

from .conftest import RECIPES, losses_of

STORED = json.loads((Path(__file__).parent / "two_steps.json").read_text())
FULL = sorted(path.stem for path in RECIPES.glob("*.toml"))
SMALL = sorted(path.stem for path in RECIPES.glob("small/*.toml"))
GPU = sorted(path.stem for path in RECIPES.glob("gpu/*.toml"))
TOLERANCE = 1e-3  # of a loss: other processors round the simulation's 8-bit codes differently here and there


@pytest.mark.parametrize("name", FULL)
def test_two_steps_give_the_stored_losses(name: str, tiny, tmp_path: Path) -> None:
    train(tiny(name), tmp_path / "run")
    assert losses_of(tmp_path / "run") == pytest.approx(STORED[name], rel=TOLERANCE)


def test_every_network_has_its_recipes() -> None:
    trained = {name for name, row in MODELS.items() if row.recipe}
    assert set(FULL) == trained
    assert set(SMALL) == trained
    assert set(GPU) == trained


@pytest.mark.parametrize("name", [f"gpu/{name}" for name in GPU if not name.startswith("trustnet")])
def test_pieces_of_a_long_run_in_bfloat16_go_on(name: str, tiny, tmp_path: Path) -> None:
    """From random weights; every call is out of time after its first step."""
    recipe = tiny(name, "data.source=drawn", "run.minutes=1e-9", "run.length=3", "run.batch=1")
    assert recipe.compute.precision == "bfloat16" and recipe.network.initialisation == "random"
    steps = [train(recipe, tmp_path / "run", resume=True)["steps"] for _ in range(2)]
    assert steps == [1, 2]
    assert all(loss == loss for loss in losses_of(tmp_path / "run"))
    assert (tmp_path / "run" / "last.safetensors").is_file()


@pytest.mark.parametrize(
    "path", [*RECIPES.glob("**/*.toml")], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_recipe_begins_with_command_hardware_and_expected_score(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert "openhdr train" in lines[0] and f"{path.stem}.toml" in lines[0]
    assert lines[1].startswith("# Hardware:") and lines[2].startswith("# Expected:")
    recipe = load_recipe(path)
    assert recipe.network.name == path.stem or path.parent.name == "papers"
    assert recipe.data.source == "simulated" or recipe.data.cut in PAPER_CUTS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimiser.lrr=1", r"unknown key of recipe table \[optimiser\] 'lrr'; did you mean 'lr'\?"),
        ("objectiv.loss=mu", "unknown recipe key 'objectiv'; did you mean 'objective'"),
        ("objective.los=mu", r"\[objective\] 'los'; did you mean 'loss'"),
        ("objective.name=marge", "unknown objective 'marge'; did you mean 'merge'"),
        ("run.unit=step", "value of recipe key 'run.unit', 'step'; did you mean 'steps'"),
        ("run.batch=four", "'run.batch' is 'four'; expected a whole number"),
        ("run.batch=true", "'run.batch' is True; expected a whole number"),
        ("run.batch=0", "'run.batch' is 0; expected a number above 0"),
        ("data.flips=1", "'data.flips' is 1; expected true or false"),
        ("optimiser.betas=[0.9]", "'optimiser.betas'.*list of 2 values"),
        ("optimiser=3", r"expected a table \[optimiser\]"),
        ("optimiser.hand_wired_lr_scale=0", "'optimiser.hand_wired_lr_scale' is 0.0; expected above 0, to 1"),
        (
            "optimiser.hand_wired_lr_scale=0.5",
            "'optimiser.hand_wired_lr_scale' is 0.5, but the network has random",
        ),
        ("ema.decay=1", "'ema.decay' is 1.0; expected 0 or more, below 1"),
        ("run.batch", "expected KEY=VALUE"),
    ],
)
def test_wrong_settings_are_refused_by_name(change: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load_recipe(RECIPES / "gsanet.toml", [change])


def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("run = [")
    with pytest.raises(FileError, match="is not TOML"):
        load_recipe(tmp_path / "broken.toml")
    with pytest.raises(FileError, match="cannot be read"):
        load_recipe(tmp_path / "missing.toml")


def test_changes_of_every_type_arrive() -> None:
    changes = ["optimiser.betas=[0.5, 0.6]", "run.batch=3", "data.path=some/where", "optimiser.lr=1"]
    recipe = load_recipe(RECIPES / "gsanet.toml", changes)
    assert recipe.optimiser.betas == (0.5, 0.6) and recipe.optimiser.lr == 1.0
    assert recipe.run.batch == 3 and recipe.data.path == "some/where"


def _rate(recipe: Recipe, step: int, per_unit: int = 1) -> float:
    return learning_rate(recipe, step, per_unit)


def test_rates_of_the_papers() -> None:
    """Values by hand at the steps where something changes."""
    gsanet = load_recipe(RECIPES / "gsanet.toml")
    assert [_rate(gsanet, step) for step in (0, 199_999, 200_000, 1_400_000)] == [2e-4, 2e-4, 1e-4, 1.25e-5]
    adnet = load_recipe(RECIPES / "adnet.toml")
    assert [_rate(adnet, step, 7) for step in (0, 699, 700)] == pytest.approx([1e-4, 1e-4, 1e-5])
    eapnet = load_recipe(RECIPES / "eapnet.toml")
    assert [_rate(eapnet, step) for step in (0, 499, 999, 99_999, 100_000, 200_000)] == pytest.approx(
        [8e-7, 4e-4, 8e-4, 8e-4, 6e-4, 4.5e-4]
    )
    assert _rate(load_recipe(RECIPES / "two-stage.toml"), 10**6) == 5e-4


def test_cosine_goes_from_the_rate_to_its_floor() -> None:
    table = {"kind": "cosine", "floor": 0.1, "warmup_steps": 10}
    recipe = make_recipe({"optimiser": {"lr": 1.0}, "schedule": table, "run": {"length": 100}})
    assert [_rate(recipe, step) for step in (0, 9, 50, 100)] == pytest.approx([0.1, 1.0, 0.55, 0.1])
    shorter = make_recipe(
        {"optimiser": {"lr": 1.0}, "schedule": {**table, "span": 20}, "run": {"length": 100}}
    )
    assert [_rate(shorter, step) for step in (10, 20, 90)] == pytest.approx([0.55, 0.1, 0.1])
    assert [_rate(shorter, step, 2) for step in (20, 40)] == pytest.approx([0.55, 0.1])


def test_a_recipe_needs_nothing_but_defaults() -> None:
    assert make_recipe({}).objective.name == "merge"


def test_a_recipe_stands_on_another() -> None:
    adnet, other = (load_recipe(RECIPES / name) for name in ("adnet.toml", "papers/ahdrnet-on-hdm.toml"))
    assert other.network.name == "ahdrnet"
    assert (other.objective, other.data, other.optimiser, other.run) == (
        *(adnet.objective, adnet.data, adnet.optimiser, adnet.run),
    )


def test_gsanet_s_rate_as_printed_and_as_programmed() -> None:
    printed, programmed = (
        load_recipe(RECIPES / f"{name}.toml") for name in ("papers/gsanet-as-printed", "gsanet")
    )
    steps = (0, 199_999, 200_000, 799_999, 800_000, 1_000_000, 1_499_999)
    assert [_rate(programmed, step) / 2e-4 for step in steps] == [1, 1, 0.5, 0.125, 0.0625, 0.0625, 0.0625]
    assert [_rate(printed, step) / 2e-4 for step in steps] == [1, 1, 0.5, 0.125, 0.0625, 2**-5, 2**-7]
