"""`openhdr demo`: the main job from a fresh installation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from openhdr import io

BLOCK_TORCH = "import sys; sys.modules['torch'] = None; from openhdr.cli import main; main()"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """(folder, facts) of a run in which torch cannot be imported."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH, "demo", "-o", str(folder), "--json"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_merging_beats_the_photo_alone(made):
    _, facts = made
    assert facts["metric"] == "psnr-mu@shortest"
    assert facts["score"] > facts["photo"] + 1
    assert facts["score"] > 34
    assert facts["score_where_clipped"] > facts["photo_where_clipped"] + 6  # less than half the error
    assert 0.01 < facts["clipped_share"] < 0.3
    assert "shortest frame clips" in facts["protocol"]


def test_score_by_hand(made):
    """The printed number is the PSNR of the written image, by the formula."""
    from openhdr.bench.named_cases import demo_folder, read_demo

    folder, facts = made
    scene = read_demo(demo_folder())
    test = np.minimum(io.read(folder / "demo.exr").pixels.astype(np.float64) / scene.top, 1)
    truth = np.minimum(scene.truth.astype(np.float64) / scene.top, 1)
    squeezed = [np.log1p(5000 * x) / np.log(5001) for x in (test, truth)]
    by_hand = -10 * np.log10(np.mean((squeezed[0] - squeezed[1]) ** 2))
    assert facts["score"] == pytest.approx(by_hand, abs=0.02)  # the file holds halves


def test_files(made):
    folder, facts = made
    assert sorted(path.name for path in folder.iterdir()) == ["demo.exr", "demo.html", "demo.jpg", "demo.png"]
    preview = io.read(folder / "demo.png")
    assert (preview.width, preview.height) == (facts["width"], facts["height"])
    assert 40 < preview.pixels.mean() < 200
    assert (folder / "demo.html").stat().st_size < 12e6


def test_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    target = str(tmp_path / "file" / "x")
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH, "demo", "-o", target], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
    assert "Traceback" not in done.stderr
