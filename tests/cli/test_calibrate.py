"""`openhdr calibrate`: a curve is written, remembered and used."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from openhdr import io
from openhdr.camera.response import load
from openhdr.core.image import Exposure, Image


@pytest.fixture
def shots(room, tmp_path):
    """A folder with three photos of a camera with a curve of its own."""
    code = np.arange(256) / 255
    curve = (code + 0.12 * np.sin(2 * np.pi * code)) ** 2.2
    folder = tmp_path / "shots"
    folder.mkdir()
    for number, time in enumerate((1 / 100, 1 / 25, 1 / 6.25)):
        codes = np.interp(np.clip(room() * time * 25, 0, 1), curve, np.arange(256))
        image = Image(
            np.round(codes).astype(np.uint8), "srgb", Exposure(time, 100, 8.0), {"model": "Acme One"}
        )
        io.write(folder / f"{number}.png", image)
    return folder


def test_it_writes_a_curve_and_shows_it(run, shots, tmp_path) -> None:
    ran = run("calibrate", shots, "-o", tmp_path / "camera.json")
    assert ran.code == 0 and "Acme One" in ran.out and "sRGB" in ran.out
    assert load(tmp_path / "camera.json").camera == "Acme One"
    facts = run("calibrate", shots, "-o", tmp_path / "camera.json", "--json").json
    assert 0 < facts["error"] < 0.01 and len(facts["curve"]) == 256


def test_merge_finds_what_was_remembered(run, shots, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OPENHDR_RESPONSES", str(tmp_path / "kept"))
    assert run("calibrate", shots, "--remember").code == 0
    ran = run("merge", *sorted(shots.glob("*.png"))[:2], "-o", tmp_path / "a.exr", "--method", "mle")
    assert ran.code == 0 and ("Acme One (Acme-One.json)" in ran.out or "from these photos" in ran.out)
    one = sorted(shots.glob("*.png"))[0]
    again = shutil.copyfile(one, tmp_path / "again.png")
    ran = run("merge", one, again, "-o", tmp_path / "burst.exr", "--method", "mle")
    assert ran.code == 0 and "Acme One (Acme-One.json)" in ran.out  # which a burst cannot show


def test_where_the_curve_goes(run, shots, tmp_path) -> None:
    ran = run("calibrate", shots)
    assert ran.code == 0 and "not kept" in ran.err
    ran = run("calibrate", shots, "-o", tmp_path / "camera.txt")
    assert ran.code == 2 and ".json" in ran.err
