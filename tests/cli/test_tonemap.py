"""`openhdr tonemap`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openhdr import io
from openhdr.core.image import Image
from openhdr.tonemapping import OPERATORS


@pytest.mark.parametrize("operator", [None, *OPERATORS])
def test_every_operator_makes_a_picture(run, photos, tmp_path, operator):
    options = ("--operator", operator) if operator else ()
    ran = run("tonemap", photos / "1.exr", "-o", tmp_path / "out.png", *options)
    assert ran.code == 0
    shown = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert shown.dtype == np.uint8 and shown.shape == (72, 96, 3) and 10 < shown.mean() < 245


def test_several_files_go_to_a_folder(run, photos, tmp_path):
    ran = run("tonemap", *(photos / f"{n}.exr" for n in range(3)), "-o", f"{tmp_path}/new/", "--json")
    assert ran.code == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["0.png", "1.png", "2.png"]
    assert [one["output"] for one in ran.json] == [str(tmp_path / "new" / f"{n}.png") for n in range(3)]


def test_one_of_several_failing(run, photos, tmp_path):
    files = [photos / "0.exr", tmp_path / "missing.exr", photos / "1.jpg", photos / "2.exr"]
    ran = run("tonemap", *files, "-o", tmp_path / "out", "--json")
    assert ran.code == 2
    assert [one["input"] for one in ran.json] == [str(files[0]), str(files[3])]
    assert f"{files[1]}: does not exist" in ran.err and f"{files[2]}: is an ordinary photo" in ran.err
    assert ran.err.splitlines()[-1].endswith(
        f"2 of 4 files failed: {files[1]}, {files[2]}; the others are done"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-6, 6e4])
def test_flat_pictures(run, tmp_path, value):
    io.write(tmp_path / "flat.exr", Image(np.full((5, 4, 3), value, np.float32)))
    assert run("tonemap", tmp_path / "flat.exr", "-o", tmp_path / "out.png").code == 0


def test_refusals(refused, photos, tmp_path):
    out = tmp_path / "out.png"
    assert "did you mean 'reinhard'" in refused(
        "tonemap", photos / "1.exr", "-o", out, "--operator", "reinhart"
    )
    assert "ordinary photo" in refused("tonemap", photos / "1.jpg", "-o", out)
    assert "need a folder" in refused("tonemap", photos / "1.exr", photos / "2.exr", "-o", out)
    assert "mkdir -p" in refused("tonemap", photos / "1.exr", "-o", tmp_path / "no" / "out.png")
    assert "'.xyz'" in refused("tonemap", photos / "1.exr", "-o", tmp_path / "out.xyz")
    (tmp_path / "file").write_text("")
    assert "cannot be" in refused("tonemap", photos / "1.exr", photos / "2.exr", "-o", tmp_path / "file")
