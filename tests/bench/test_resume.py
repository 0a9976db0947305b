"""Going on with a benchmark: nothing twice, nothing stale, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from openhdr.bench import run as running
from openhdr.bench import trial as trials
from openhdr.bench.case import Case
from openhdr.bench.methods.settings import Setting
from openhdr.bench.resume import earlier_results, joined
from openhdr.bench.run import Extent, run
from openhdr.core.errors import FileError
from openhdr.metrics import parse_column

PLAIN = Setting("plain", options={"align": "none", "deghost": False})


@pytest.fixture
def small(case: Case) -> Case:
    return replace(case, settings=(PLAIN, Setting("photo", task="photo")), columns=(parse_column("psnr-mu"),))


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """The names of the settings that were run, in order."""
    made: list[str] = []
    original = trials.reconstruct

    def counted(setting, scene):
        made.append(setting.name)
        return original(setting, scene)

    monkeypatch.setattr(trials, "reconstruct", counted)
    return made


def went_on(case: Case, path, again=(), pictured: tuple[str, ...] = ()):
    """What `openhdr bench --resume` does. No pictures unless asked for."""
    earlier = earlier_results(path, case, again)
    done = frozenset((one.method, one.scene) for one in earlier.runs) if earlier else frozenset()
    new, album = run(
        case, Extent(done, pictured, keep=lambda so_far: joined(case, earlier, so_far).save(path))
    )
    joined(case, earlier, new).save(path)
    return album


def scores_of(path) -> dict[tuple[str, str], float]:
    facts = json.loads(path.read_text())
    return {(one["method"], one["scene"]): one["scores"]["psnr-mu"] for one in facts["runs"]}


def test_nothing_is_computed_twice(small, tmp_path, calls):
    path = tmp_path / "results.json"
    went_on(small, path)
    first, text = scores_of(path), path.read_text()
    assert len(first) == 4 and calls.count("plain") == 3  # two scenes, and one call that does not count
    calls.clear()
    went_on(small, path)
    assert calls == [] and scores_of(path) == first
    assert [line for line in path.read_text().splitlines() if '"scene":' in line] == [
        line for line in text.splitlines() if '"scene":' in line
    ]


def test_a_new_method_costs_only_itself(small, tmp_path, calls):
    path = tmp_path / "results.json"
    went_on(small, path)
    calls.clear()
    more = replace(
        small, settings=(Setting("new", method="debevec", options={"align": "none"}), *small.settings)
    )
    went_on(more, path)
    assert set(calls) == {"new"}
    facts = json.loads(path.read_text())
    assert [one["name"] for one in facts["methods"]] == ["new", "plain", "photo"]
    assert [(one["scene"], one["method"]) for one in facts["runs"]][:3] == [
        ("ramp", "new"),
        ("ramp", "plain"),
        ("ramp", "photo"),
    ]


def test_pictures_are_made_again_but_scores_stay(small, tmp_path, calls):
    path = tmp_path / "results.json"
    went_on(small, path)
    before = scores_of(path)
    calls.clear()
    album = went_on(small, path, pictured=("wide",))
    assert calls == ["plain", "photo"] and scores_of(path) == before
    assert [scene["name"] for scene in album.scenes] == ["wide"]
    assert [one["name"] for one in album.scenes[0]["pictures"]] == ["plain", "photo", "truth"]


def test_what_was_stopped_goes_on(small, tmp_path, calls):
    path = tmp_path / "results.json"
    seen = 0

    def stop(so_far):
        nonlocal seen
        so_far.save(path)
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(small, Extent(pictured=(), keep=stop))
    assert len(scores_of(path)) == 3
    calls.clear()
    went_on(small, path)
    assert len(scores_of(path)) == 4 and set(calls) == {"photo"}


@pytest.mark.parametrize("change", [{"options": {"align": "none"}}, {"method": "robertson"}])
def test_another_setting_of_the_same_name_does_not_count(small, tmp_path, change):
    path = tmp_path / "results.json"
    went_on(small, path)
    changed = replace(small, settings=(replace(PLAIN, **change), small.settings[1]))
    assert {one.method for one in earlier_results(path, changed).runs} == {"photo"}


def test_other_weights_do_not_count(small, tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    went_on(small, path)
    monkeypatch.setattr(running, "weights_sha256", lambda setting: "new" if setting is PLAIN else None)
    assert {one.method for one in earlier_results(path, small).runs} == {"photo"}


def test_again_drops_a_method(small, tmp_path):
    path = tmp_path / "results.json"
    went_on(small, path)
    assert {one.method for one in earlier_results(path, small, ("plain",)).runs} == {"photo"}


def test_failures_are_tried_again(case, tmp_path):
    path = tmp_path / "results.json"
    less = replace(case, columns=(parse_column("psnr-mu"),))
    run(less, Extent(pictured=()))[0].save(path)
    assert "broken" not in {one.method for one in earlier_results(path, less).runs}


def test_another_case_or_other_metrics_are_refused(small, tmp_path):
    path = tmp_path / "results.json"
    assert earlier_results(path, small) is None
    went_on(small, path)
    for other, said in (
        (replace(small, name="else"), "of the case 'ramps'"),
        (replace(small, columns=(parse_column("psnr-l"),)), "has the metrics psnr-mu"),
    ):
        with pytest.raises(FileError, match=said):
            earlier_results(path, other)
    path.write_text('{"format": "else"}')
    with pytest.raises(FileError, match="no result"):
        earlier_results(path, small)
