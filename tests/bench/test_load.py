"""Which case a command's words mean."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr.bench import CASES
from openhdr.bench.case import CLASSICAL, Setting, default_settings
from openhdr.bench.load import load_case, narrowed
from openhdr.core.errors import FileError, RequestError

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
    assert [setting.name for setting in case.settings][:2] == ["mle", "mle-no-deghost"]
    scene = case.scenes[0].load()
    assert scene.truth.shape == (64, 96, 3) and len(scene.frames) == 3
    assert scene.ev == (-2, 0, 2) and scene.top == 4


def test_toml(brackets, tmp_path):
    (tmp_path / "mine.toml").write_text(TOML.format(folder=brackets))
    case = load_case(str(tmp_path / "mine.toml"), None, tmp_path)
    assert case.title == "Mine" and len(case.scenes) == 2
    plain, left = case.settings
    assert (plain.method, plain.align, plain.deghost) == (None, None, True)
    assert (left.name, left.method, left.align, left.deghost) == ("left as it is", "debevec", "none", False)
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
        ("[[methods]]\nname='a'\ndeghost='no'", "deghost"),
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


def test_public_case_says_what_it_needs(tmp_path):
    with pytest.raises(RequestError, match="--data"):
        load_case("public", None, tmp_path)


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
    """As if openhdr came with weights of a network."""
    from openhdr import models
    from openhdr.core.table import Table
    from openhdr.models.rows import WeightRow

    row = WeightRow("gsanet-test", "", "gsanet-test.safetensors", network="gsanet")
    monkeypatch.setattr(models, "WEIGHTS", Table("trained weights", row))


def test_networks_with_weights_take_part(shipped):
    settings, notes = default_settings()
    assert (settings[-1].name, settings[-1].method, settings[-1].weights) == (
        "gsanet-test",
        "gsanet",
        "gsanet-test",
    )
    assert notes == ()


def test_without_torch_networks_are_left_out_and_that_is_said(shipped, monkeypatch):
    monkeypatch.setattr("openhdr.bench.case.find_spec", lambda name: None)
    settings, notes = default_settings()
    assert settings == CLASSICAL
    assert "openhdr[torch]" in notes[0]


def test_weights_of_an_expansion_are_refused():
    with pytest.raises(RequestError, match="weights"):
        Setting("x", task="expand", method="two-stage", weights="w")
