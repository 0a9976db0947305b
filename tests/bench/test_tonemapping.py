"""The case tonemapping: photos cut from light, scores, programs that take light, pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.bench.browser import Browser, find_chromium

from openhdr import io
from openhdr.bench.without_truth.tonemapping import photos_of
from openhdr.camera.response import parse
from openhdr.cli.bench import bench
from openhdr.core.errors import OpenHDRError
from openhdr.core.image import Image

DARKEN = (
    "import sys; import numpy as np; from openhdr import io; from openhdr.core.image import Image; "
    "codes = np.clip(io.read(sys.argv[1]).pixels * 40, 0, 255).astype(np.uint8); "
    "io.write(sys.argv[2], Image(codes, 'srgb'))"
)


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Two scenes of 192x180 over about eight stops."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("dusk", "noon"):
        areas = np.exp2(rng.normal(-2, 2, (15, 16))).repeat(12, axis=0).repeat(12, axis=1)
        light = areas[..., None] * rng.uniform(0.8, 1.2, (180, 192, 3))
        io.write(data / f"{name}.exr", Image(light.astype(np.float32)))
    return data


def test_photos_cut_from_light_cover_it() -> None:
    light = np.exp2(np.linspace(-9, 5, 300, dtype=np.float32))[None, :, None].repeat(40, 0).repeat(3, 2)
    photos = photos_of(light)
    assert len(photos.frames) >= 3 and np.allclose(np.diff(photos.ev), 2)
    assert (photos.frames[0].pixels == 255).mean() < 0.02
    assert photos.frames[-1].pixels[0, 5].min() > 20
    shown = parse("srgb").decode(photos.frames[0])[0, 250] / 2 ** photos.ev[0]
    np.testing.assert_allclose(shown, light[0, 250], rtol=0.02)


def test_scores_times_and_pages(folder: Path, tmp_path: Path) -> None:
    program = f'theirs={sys.executable} -c "{DARKEN}" {{light}} {{output:.png}}'
    words = [
        "tonemapping",
        "--data",
        str(folder),
        "-o",
        str(tmp_path / "out"),
        "--blind",
        "--method",
        "drago",
    ]
    words += ["--method", "drago:bias=0.6", "--method", "mertens", "--program", program]
    done = CliRunner().invoke(bench, words, catch_exceptions=False)
    assert done.exit_code == 0
    facts = json.loads((tmp_path / "out" / "results.json").read_text())
    assert set(facts["scenes"]) == {"dusk", "noon"}
    assert set(facts["means"]) == {"drago", "drago:bias=0.6", "mertens", "theirs"}
    for name, one in facts["means"].items():
        each = [scene[name]["tmqi"] for scene in facts["scenes"].values()]
        assert one["tmqi"] == pytest.approx(np.mean(each), abs=1e-6) and 0 < one["tmqi"] < 1
        assert one["cpu_s"] >= 0
    assert (tmp_path / "out" / "report.html").is_file() and (tmp_path / "out" / "blind.html").is_file()


def test_what_cannot_be_done_is_said(folder: Path, tmp_path: Path) -> None:
    for words, said in (
        (["--scene", "dask"], "did you mean 'dusk'"),
        (["--method", "dargo"], "method"),
        (["--program", "x=tool {light}"], "{output}"),
    ):
        request = ["tonemapping", "--data", str(folder), "-o", str(tmp_path / "out"), *words]
        done = CliRunner().invoke(bench, request)
        assert isinstance(done.exception, OpenHDRError) and said in str(done.exception)
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(bench, ["tonemapping", "--data", str(tmp_path / "empty"), "-o", str(tmp_path)])
    assert "holds no scene" in str(done.exception)


def test_a_scene_that_cannot_be_read_leaves_the_others(folder: Path, tmp_path: Path) -> None:
    (folder / "dusk.exr").write_bytes((folder / "noon.exr").read_bytes()[:1000])
    words = ["tonemapping", "--data", str(folder), "-o", str(tmp_path), "--method", "drago"]
    done = CliRunner().invoke(bench, words)
    assert "failed: dusk drago: " in done.stderr and "1 of 2 runs failed" in str(done.exception)
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["means"]["drago"]["tmqi"] == facts["scenes"]["noon"]["drago"]["tmqi"]


@pytest.mark.skipif(find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium")
def test_blind_pairs_hide_names_until_the_end(folder: Path, tmp_path: Path) -> None:
    words = ["tonemapping", "--data", str(folder), "-o", str(tmp_path), "--blind", "--method", "drago"]
    CliRunner().invoke(bench, [*words, "--method", "hable", "--method", "exposure"], catch_exceptions=False)
    with Browser() as browser:
        browser.size(1280, 900)
        browser.open(tmp_path / "blind.html")
        assert browser.problems == []
        assert "hable" not in browser.run("document.body.innerText")
        for _ in range(3):
            browser.run("document.getElementById('left').click()")
        browser.run("document.getElementById('equal').click()")
        assert not browser.run("document.getElementById('result').hidden")
        choices = json.loads(browser.run("document.getElementById('choices').textContent"))
        assert len(choices) == 4 and {one["other"] for one in choices} == {"hable", "exposure"}
        assert [one["kept"] for one in choices].count("equal") == 1
