"""Which case a command's words mean."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.bench import CASES
from openhdr.bench.load_case import load_case, narrowed
from openhdr.bench.methods.settings import Setting, expand_settings, merge_settings, size_of, weights_sha256
from openhdr.core.errors import FileError, RequestError
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import MERGERS, LearnedRow
from openhdr.models import MODELS

TOML = """
title = "Mine"
scenes = "{folder}"
metrics = ["psnr-mu@shortest", "psnr-l"]
[[methods]]
name = "plain"
[[methods]]
name = "left as it is"
align = "none"
deghost = false
method = "debevec"
"""


def test_folder(brackets, tmp_path):
    case = load_case(str(brackets), None, tmp_path)
    assert [scene.name for scene in case.scenes] == ["blocks-1", "blocks-2"]
    assert {scene.group for scene in case.scenes} == {"still"}
    assert [setting.name for setting in case.settings][:2] == ["mle", "debevec"]
    scene = case.scenes[0].load()
    assert scene.truth.shape == (64, 96, 3) and len(scene.frames) == 3
    assert scene.ev == (-2, 0, 2) and scene.top == 4


def test_toml(brackets, tmp_path):
    (tmp_path / "mine.toml").write_text(TOML.format(folder=brackets))
    case = load_case(str(tmp_path / "mine.toml"), None, tmp_path)
    assert case.title == "Mine" and len(case.scenes) == 2
    plain, left = case.settings
    assert (plain.method, plain.options) == (None, {})
    assert (left.name, left.method) == ("left as it is", "debevec")
    assert left.options == {"align": "none", "deghost": False}
    assert [column.key for column in case.columns] == ["psnr-mu@shortest", "psnr-l"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("titel = 1", "did you mean 'title'"),
        ("[[methods]]\nname='a'\nalgin='none'", "did you mean 'align'"),
        ("[[methods]]\nalign='none'", "without a name"),
        ("title = ", "is not a case"),
        ("metrics = 3", "metrics"),
        ("methods = 3", "methods"),
        ("[[methods]]\nname='a'\ndeghost='maybe'", "deghost"),
        ("ppd = 'near'", "ppd"),
    ],
)
def test_bad_toml(brackets, tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(
        f'scenes = "{brackets}"\n{text}' if text.startswith("[") else f'{text}\nscenes = "{brackets}"'
    )
    with pytest.raises((FileError, RequestError), match=said) as error:
        load_case(str(path), None, tmp_path)
    assert "bad.toml" in str(error.value) or "metric" in str(error.value)


def test_unknown_case_names_the_nearest(tmp_path):
    with pytest.raises(RequestError, match="did you mean 'public'"):
        load_case("publik", None, tmp_path)


def test_missing_file(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        load_case(str(tmp_path / "none.toml"), None, tmp_path)


@pytest.mark.parametrize("name", ["public", "public-single", "robustness"])
def test_public_cases_say_what_they_need(name, tmp_path):
    with pytest.raises(RequestError, match="`data`"):
        load_case(name, None, tmp_path)


def test_every_row_of_the_table_loads():
    for row in CASES.values():
        assert callable(row.load())


def test_narrowed(brackets, tmp_path):
    case = narrowed(load_case(str(brackets), None, tmp_path), ["photo", "mle"], ["blocks-2"], ["psnr-l"])
    assert [setting.name for setting in case.settings] == ["photo", "mle"]
    assert [scene.name for scene in case.scenes] == ["blocks-2"]
    assert [column.key for column in case.columns] == ["psnr-l"]
    with pytest.raises(RequestError, match="did you mean 'mle'"):
        narrowed(case, ["mlee"], [], [])


def test_demo_case():
    case = load_case("demo", None, None)
    scene = case.scenes[0].load()
    assert len(scene.frames) == 3 and scene.frames[0].exposure.time_s
    assert scene.ev == (-2, 0, 2)
    reference = scene.frames[scene.reference]
    assert scene.truth.shape == reference.pixels.shape
    lit = (reference.pixels > 40).all(axis=2) & (reference.pixels < 220).all(axis=2)
    decoded = ((reference.pixels[lit] / 255 + 0.055) / 1.055) ** 2.4
    assert np.median(decoded / scene.truth[lit]) == pytest.approx(1, abs=0.05)  # 1.0 = the reference clips


@pytest.fixture
def shipped(monkeypatch):
    """As if openhdr came with weights of two networks and of no other."""
    from openhdr.bench.methods import settings
    from openhdr.core.table import Table
    from openhdr.models.rows import WeightRow

    rows = (
        WeightRow("gsanet-test", "", "gsanet-test.safetensors", network="gsanet", sha256="ab" * 32),
        WeightRow("two-stage-test", "", "two-stage-test.safetensors", network="two-stage"),
    )
    monkeypatch.setattr(settings, "WEIGHTS", Table("trained weights", *rows))


def test_every_merger_of_light_takes_part():
    names = [setting.name for setting in merge_settings()[0]]
    assert {row.name for row in MERGERS.values() if row.output == "radiance"} <= set(names)
    assert names[-1] == "photo" and "mertens" not in names
    assert any("mertens" in note for note in merge_settings()[1])


def test_every_expansion_takes_part():
    names = [setting.name for setting in expand_settings()[0]]
    assert set(INVERSE_TONE_MAPPERS) <= set(names) and names[-1] == "photo"


def test_networks_with_weights_take_part_and_the_others_are_named(shipped):
    settings, notes = merge_settings()
    network = next(setting for setting in settings if setting.weights)
    assert (network.name, network.method, network.weights) == ("gsanet-test", "gsanet", "gsanet-test")
    assert weights_sha256(network) == "ab" * 32 and weights_sha256(settings[0]) is None
    (untrained,) = [note for note in notes if note.startswith("No weights yet")]
    assert "adnet" in untrained and "gsanet" not in untrained and "two-stage" not in untrained
    single = [setting for setting in expand_settings()[0] if setting.weights]
    assert [(one.name, one.task, one.method) for one in single] == [("two-stage-test", "expand", "two-stage")]


def test_a_merger_that_learned_is_known_by_its_files():
    settings = {setting.name: setting for setting in merge_settings()[0]}
    learned = [row for row in MERGERS.values() if isinstance(row, LearnedRow)]
    assert learned
    for row in learned:
        assert all(digest in weights_sha256(settings[row.name]) for _, digest in row.sha256)
        assert size_of(settings[row.name]) == (MODELS[row.name].params, MODELS[row.name].gmacs)
    single = {setting.name: setting for setting in expand_settings()[0]}
    ((_, digest),) = INVERSE_TONE_MAPPERS["trustnet-single"].sha256
    assert weights_sha256(single["trustnet-single"]) == digest and weights_sha256(single["rempel"]) is None
    assert weights_sha256(settings["mle"]) is None and size_of(settings["mle"]) == (None, None)


def test_without_torch_networks_are_left_out_and_that_is_said(shipped, monkeypatch):
    monkeypatch.setattr("openhdr.bench.methods.settings.find_spec", lambda name: None)
    settings, notes = merge_settings()
    assert not any(setting.weights for setting in settings)
    assert any("openhdr[torch]" in note for note in notes)


def test_weights_of_the_photo_are_refused():
    with pytest.raises(RequestError, match="weights"):
        Setting("x", task="photo", options={"weights": "w"})


@pytest.mark.parametrize("name", ["public", "public-single"])
def test_public_cases_are_checked_brackets_by_stated_protocols(name, tmp_path, monkeypatch):
    for number in (*range(1, 25), *(f"s{n}" for n in range(1, 9))):
        folder = tmp_path / (
            f"static-{int(str(number)[1:]):02d}" if str(number)[0] == "s" else f"dynamic-{number:02d}"
        )
        folder.mkdir()
        (folder / "scene.json").write_text("{}")
    case = load_case(name, tmp_path, tmp_path)
    assert len(case.scenes) == 32 and [scene.group for scene in case.scenes].count("moving") == 24
    absolute = {c.key: c.protocol or case.protocol for c in case.columns if c.metric.startswith("pu21")}
    assert set(absolute.values()) == ({"abs:1000"} if name == "public" else {"abs:100"})
    assert {setting.task for setting in case.settings} == (
        {"merge", "opencv", "photo"} if name == "public" else {"expand", "photo"}
    )
    narrow = narrowed(case, [], [], ["pu21-psnr" if name == "public-single" else "pu21-psnr@shortest"])
    assert (narrow.columns[0].protocol or narrow.protocol) in absolute.values()
    with pytest.raises(FileError):  # not the published bracket
        case.scenes[0].load()
