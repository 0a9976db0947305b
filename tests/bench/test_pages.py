"""Pages that results fill: current, and true to the results."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from openhdr.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
KEY = "psnr-mu@shortest"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", autouse=True)
def scripts():
    """The scripts' folder can be imported from."""
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def facts() -> dict:
    return json.loads((ROOT / "benchmarks/results/public/results.json").read_text())


def test_pages_are_current() -> None:
    script = ROOT / "scripts" / "make_benchmark_pages.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_s_number_is_the_results(facts) -> None:
    """Computed here from the runs, by another way than the script's."""
    values = [run["scores"][KEY] for run in facts["runs"] if run["method"] == "mle"]
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `mle`"))
    assert len(values) == 32
    assert f"{statistics.fmean(values):.2f}" in row.replace("*", "")


def test_results_say_what_made_them(facts) -> None:
    assert facts["hardware"]["processor"] and facts["software"]["numpy"] and facts["date"]
    assert all(re.fullmatch(r"[0-9a-f]{40}", run["commit"]) for run in facts["runs"])  # no uncommitted code
    assert all(run["processor"] for run in facts["runs"])
    for method in facts["methods"]:
        done = [run for run in facts["runs"] if run["method"] == method["name"]]
        page = (ROOT / "docs/reference/benchmark.md").read_text()
        assert len(done) == 32 or re.search(rf"in part, and left out: [^.]*`{method['name']}`", page)


def test_results_and_the_report_are_small() -> None:
    for path in (ROOT / "benchmarks/results").rglob("*.json"):
        assert path.stat().st_size < 500_000, path
    assert (ROOT / "docs/benchmark/report.html").stat().st_size < 2_100_000


def test_every_published_network_stands_beside_its_paper() -> None:
    from benchmark_pages.papers import PAPERS

    published = {"ahdrnet", "adnet", "gsanet", "eapnet", "eapnet-light", "two-stage", "stack-itm"}
    assert {paper.network for paper in PAPERS} == published <= set(MODELS)


def test_parts_are_filled_and_the_rest_left() -> None:
    from make_benchmark_pages import filled

    page = "a\n<!-- benchmark: x -->\nold\n<!-- end -->\nb"
    once = filled(page, {"x": "new"})
    assert once == "a\n<!-- benchmark: x -->\n\nnew\n\n<!-- end -->\nb" and filled(once, {"x": "new"}) == once


def test_plot_is_a_picture_in_which_names_do_not_collide() -> None:
    from benchmark_pages.plot import Point, plot

    points = [Point(f"method-{n}", 1 + 0.1 * n, 40 + 0.02 * n, "c", n == 0) for n in range(6)]
    points += [Point("costly", 30, 39, "n")]
    root = ElementTree.fromstring(plot(points, ("photo", 30.0), ("title", "x", "y")))
    names = {t.text: (float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text") if t.get("x")}
    spots = [names[point.name] for point in points]
    for n, (x, y) in enumerate(spots):
        for a, b in spots[:n]:
            assert abs(y - b) >= 13 or abs(x - a) >= 60
    assert len(list(root.iter(f"{SVG}circle"))) == 7
    front = next(root.iter(f"{SVG}path")).get("d")
    assert front.count("L") == 5  # six cheap ones rise; the costly one is below them
