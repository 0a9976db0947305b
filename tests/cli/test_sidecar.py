"""`merge --sidecar` and `--like`: the file beside a result makes another like it."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from openhdr import io


@pytest.fixture
def made(run, photos, tmp_path):
    files = [photos / f"{n}.jpg" for n in range(3)]
    out = tmp_path / "out.exr"
    options = ("--method", "debevec", "--align", "none", "--no-deghost", "--primaries", "p3", "--float")
    assert run("merge", *files, "-o", out, *options, "--sidecar").code == 0
    return files, out


def test_it_says_what_was_done(made) -> None:
    files, out = made
    said = json.loads(out.with_suffix(".json").read_text())
    assert said["command"] == "merge" and said["options"] == {
        "method": "debevec",
        "align": "none",
        "deghost": False,
        "primaries": "p3",
        "full_float": True,
    }
    assert [one["sha256"] for one in said["inputs"]] == [
        hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    ]
    assert [one["name"] for one in said["result"]["frames"]] == [file.name for file in files]


def test_another_like_it_is_the_same(made, run, tmp_path) -> None:
    files, out = made
    again = tmp_path / "again.exr"
    assert run("merge", *files, "-o", again, "--like", out.with_suffix(".json")).code == 0
    first, second = (io.read(path, primaries=None) for path in (out, again))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.primaries == second.primaries


def test_options_given_here_rule(made, run, tmp_path) -> None:
    files, out = made
    again = tmp_path / "again.exr"
    like = ("--like", out.with_suffix(".json"))
    facts = run(
        "merge", *files, "-o", again, *like, "--method", "mle", "--primaries", "rec709", "--json"
    ).json
    assert facts["method"] == "mle"
    assert io.read(again, primaries=None).primaries == io.read(again).primaries


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no sidecar"),
        ('{"command": "expand", "options": {}}', "is no sidecar of openhdr merge"),
        ('{"command": "merge", "options": {"images": ["a"]}}', "does not know"),
        ('{"command": "merge", "options": {"map_scale": "wide"}}', "does not fit"),
        (None, "cannot be read"),
    ],
)
def test_bad_sidecars_are_refused(refused, photos, tmp_path, text, words) -> None:
    path = tmp_path / "bad.json"
    if text is not None:
        path.write_text(text)
    line = refused("merge", photos / "0.jpg", photos / "1.jpg", "-o", tmp_path / "o.exr", "--like", path)
    assert "bad.json" in line and words in line
