"""`openhdr bench` and `openhdr models` as commands."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from openhdr import io
from openhdr.bench.load_case import load_case, narrowed
from openhdr.bench.run import run
from openhdr.cli.bench import bench
from openhdr.cli.models import models
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.core.image import Image
from openhdr.data.simulated import write_bracket
from openhdr.models import MODELS
from openhdr.simulation.config import ObjectConfig, SimulationConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import render
from openhdr.simulation.scene import make_scene

QUICK = ["--method", "mle", "--method", "photo", "--metric", "psnr-mu@shortest", "--metric", "psnr-l"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rng = np.random.default_rng(3)
    pixels = np.kron(rng.random((8, 12, 3)) ** 3 * 4, np.ones((24, 24, 1))).astype(np.float32) + 0.01
    flat = make_scene("blocks", pixels, "flat")
    config = SimulationConfig(size=(96, 64), objects=ObjectConfig(still_share=1.0))
    folder = tmp_path_factory.mktemp("case")
    write_bracket(render(draw_plan(flat, [], config, 7, (-2.0, 0.0, 2.0)), [flat]), folder / "blocks", config)
    return folder


def test_bench_writes_results_and_report(folder, tmp_path):
    out = tmp_path / "new" / "report"
    done = CliRunner().invoke(bench, [str(folder), "-o", str(out), *QUICK], catch_exceptions=False)
    assert done.exit_code == 0
    assert "mle" in done.output and "shortest frame clips" in done.output
    facts = json.loads((out / "results.json").read_text())
    assert [run["method"] for run in facts["runs"]] == ["mle", "photo"]
    assert (out / "report.html").stat().st_size > 20_000


def test_bench_json(folder, tmp_path):
    done = CliRunner().invoke(
        bench, [str(folder), "-o", str(tmp_path), *QUICK, "--json"], catch_exceptions=False
    )
    assert json.loads(done.stdout) == json.loads((tmp_path / "results.json").read_text())


def test_a_failing_method_ends_with_an_error_after_the_others_are_done(folder, tmp_path):
    case = tmp_path / "case.toml"
    case.write_text(
        f'scenes = "{folder}"\nmetrics = ["psnr-l"]\n[[methods]]\nname = "photo"\ntask = "photo"\n'
        '[[methods]]\nname = "fusion"\nmethod = "mertens"\n'
    )
    done = CliRunner().invoke(bench, [str(case), "-o", str(tmp_path)])
    assert isinstance(done.exception, OpenHDRError) and "1 of 2 runs failed" in str(done.exception)
    assert "failed: blocks, fusion: method 'fusion' makes an image for display" in done.stderr
    runs = json.loads((tmp_path / "results.json").read_text())["runs"]
    assert "scores" in runs[0] and "error" in runs[1]
    assert (tmp_path / "report.html").exists()


def test_resume_keeps_what_was_done_and_reports_where_asked(folder, tmp_path):
    words = [str(folder), "-o", str(tmp_path), "--metric", "psnr-mu@shortest", "--resume"]
    CliRunner().invoke(bench, [*words, "--method", "photo"], catch_exceptions=False)
    before = json.loads((tmp_path / "results.json").read_text())["runs"]
    page = tmp_path / "page.html"
    more = ["--method", "mle", "--pictured", "blocks", "--report", str(page)]
    CliRunner().invoke(bench, [*words, *more], catch_exceptions=False)
    runs = json.loads((tmp_path / "results.json").read_text())["runs"]
    assert [run["method"] for run in runs] == ["mle", "photo"] and runs[1] == before[0]
    assert page.stat().st_size > 20_000


def _scores(out):
    runs = json.loads((out / "results.json").read_text())["runs"]
    return [(run["scene"], run["method"], run.get("scores"), run.get("error")) for run in runs]


def _pictures(out):
    return re.findall(r'<script type="text/plain" id="picture-.*', (out / "report.html").read_text())


def test_workers_find_what_one_process_finds(folder, tmp_path):
    """Scores and images, in the order of the case."""
    other = folder.parent / "two"
    shutil.copytree(folder, other)
    shutil.copytree(folder / "blocks", other / "again")
    case, here = load_case(str(other), None, tmp_path), tmp_path / "here"
    results, album = run(narrowed(case, ["mle", "photo"], [], ["psnr-mu@shortest", "psnr-l"]))
    here.mkdir()
    results.save(here / "results.json")
    album.write(results, here / "report.html")
    for count in ("1", "2"):
        out = tmp_path / count
        words = [str(other), "-o", str(out), *QUICK, "--workers", count]
        CliRunner().invoke(bench, words, catch_exceptions=False)
        assert _scores(out) == _scores(here) and _pictures(out) == _pictures(here)
        timing = json.loads((out / "results.json").read_text())["timing"]
        assert ("2 at a time" in timing) == (count == "2")


def test_a_run_whose_process_is_lost_is_named_and_made_by_the_next(folder, tmp_path):
    case, flag = tmp_path / "case.toml", tmp_path / "flag"
    command = f"{fatal(tmp_path)} {flag} {{output:.hdr}} {{inputs}}"
    case.write_text(
        f'scenes = "{folder}"\nmetrics = ["psnr-l"]\n[[methods]]\nname = "photo"\ntask = "photo"\n'
        f'[[methods]]\nname = "fatal"\ntask = "program"\ncommand = "{command}"\n'
    )
    words = [str(case), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(bench, words)
    assert "failed: blocks, fatal: its process ended (SIGKILL" in done.stderr
    scores = _scores(tmp_path / "out")
    assert scores[0][2] and "SIGKILL" in scores[1][3]
    flag.touch()
    assert CliRunner().invoke(bench, [*words, "--resume"]).exit_code == 0
    assert _scores(tmp_path / "out")[0] == scores[0] and _scores(tmp_path / "out")[1][2]


def fatal(folder):
    """A program that kills the one that called it, unless a file is there; then it writes light."""
    light = np.full((64, 96, 3), 0.5, np.float32)
    io.write(folder / "light.hdr", Image(light))
    script = folder / "fatal.sh"
    script.write_text(
        f'#!/bin/sh\nif [ ! -e "$1" ]; then kill -9 $PPID; exit; fi\ncp {folder / "light.hdr"} "$2"\n'
    )
    script.chmod(0o755)
    return script


def test_again_needs_resume(folder, tmp_path):
    done = CliRunner().invoke(bench, [str(folder), "-o", str(tmp_path), "--again", "mle"])
    assert isinstance(done.exception, RequestError) and "`resume`" in str(done.exception)


def test_a_report_in_no_folder_is_refused_before_any_work(folder, tmp_path):
    page = tmp_path / "none" / "page.html"
    done = CliRunner().invoke(bench, [str(folder), "-o", str(tmp_path), "--report", str(page), *QUICK])
    assert isinstance(done.exception, OpenHDRError) and not (tmp_path / "results.json").exists()


def test_unknown_method_is_refused_before_any_work(folder, tmp_path):
    done = CliRunner().invoke(bench, [str(folder), "-o", str(tmp_path), "--method", "debevek"])
    assert isinstance(done.exception, RequestError)
    assert "did you mean 'debevec'" in str(done.exception)


def test_models_json_has_the_contract_s_facts():
    facts = json.loads(CliRunner().invoke(models, ["--json"], catch_exceptions=False).stdout)
    assert [one["name"] for one in facts] == list(MODELS)
    for one in facts:
        assert set(one) >= {"name", "task", "frames", "params", "gmacs", "weights", "paper"}
        assert one["task"] in ("merge", "expand") and one["params"] > 0
        for weight in one["weights"]:
            assert set(weight) >= {"name", "licence", "training_data", "scores"}


def test_models_text():
    text = CliRunner().invoke(models, [], catch_exceptions=False).stdout
    assert all(name in text for name in MODELS)
