"""The robustness case: cells differ in what they say they differ in, and in nothing else."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from openhdr.bench import robustness
from openhdr.bench.load_case import load_case
from openhdr.bench.robustness import FAMILIES, SCENES, USUAL, USUAL_GROUP
from openhdr.simulation.scene import make_scene


@pytest.fixture
def case(monkeypatch, tmp_path):
    """The case on six panoramas of coloured noise."""
    rng = np.random.default_rng(11)
    made = [
        make_scene(
            name, np.kron(rng.random((16, 32, 3)) ** 4 * 5 + 0.02, np.ones((8, 8, 1))).astype(np.float32)
        )
        for name in SCENES
    ]
    monkeypatch.setattr("openhdr.data.benchmark.read_scenes", lambda paths: made)
    return load_case("robustness", tmp_path, tmp_path)


def bracket(case, group: str):
    return next(entry for entry in case.scenes if entry.group == group).load()


def test_the_usual_bracket_stands_in_every_family_once(case):
    for family in FAMILIES:
        assert [family.group(cell) for cell in family.cells].count(USUAL_GROUP) == 1
        assert len({cell.label for cell in family.cells}) == len(family.cells)
    groups = [entry.group for entry in case.scenes]
    assert all(groups.count(group) == len(SCENES) for group in groups)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_cell_changes_one_thing(family):
    def flat(item, path=""):
        if not isinstance(item, dict):
            return {path: item}
        return {k: v for name, part in item.items() for k, v in flat(part, f"{path}.{name}").items()}

    usual = flat(asdict(USUAL))
    for cell in family.cells:
        found = flat(asdict(cell.config))
        changed = [name for name in found if found[name] != usual[name]]
        given = [cell.ev != (-2, 0, 2), any(cell.wrong_by)]
        assert len(changed) + sum(given) == (0 if family.group(cell) == USUAL_GROUP else 1), cell.label


def test_noise_alone_differs_with_iso(case):
    low, high = (bracket(case, group) for group in ("ISO: 100", "ISO: 6400"))
    assert np.array_equal(low.truth, high.truth)
    for a, b in zip(low.frames, high.frames, strict=True):
        assert np.abs(a.pixels.astype(int) - b.pixels).mean() > 0.2


def test_wrong_exposures_are_told_and_not_made(case):
    usual, wrong = bracket(case, USUAL_GROUP), bracket(case, "declared exposures: shortest frame +1/3 stop")
    for a, b in zip(usual.frames, wrong.frames, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
    assert wrong.ev == usual.ev == usual.given.ev == (-2, 0, 2)
    assert wrong.given.ev == pytest.approx((-5 / 3, 0, 2))
    assert wrong.top == 4  # scores know the exposures that were made


def test_an_undeclared_curve_is_taken_for_srgb(case):
    declared, undeclared = (
        bracket(case, f"response: sigmoid, {how}") for how in ("declared", "taken for sRGB")
    )
    assert np.array_equal(declared.frames[1].pixels, undeclared.frames[1].pixels)
    assert undeclared.given.response == "srgb" and declared.given.response.name.startswith("sigmoid")


def test_seeds_are_fixed(case):
    again = bracket(case, USUAL_GROUP)
    assert np.array_equal(bracket(case, USUAL_GROUP).truth, again.truth)
    assert next(setting.name for setting in case.settings) == "mle"
    assert not set(robustness.LEFT_OUT) & {setting.method for setting in case.settings}
