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
    assert ran.code == 0 and ran.out == f"{tmp_path / 'out.png'}: 96x72\n"
    shown = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert shown.dtype == np.uint8 and shown.shape == (72, 96, 3) and 10 < shown.mean() < 245


def test_several_files_go_to_a_folder(run, photos, tmp_path):
    ran = run("tonemap", *(photos / f"{n}.exr" for n in range(3)), "-o", f"{tmp_path}/new/", "--json")
    assert ran.code == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["0.png", "1.png", "2.png"]
    assert [one["output"] for one in ran.json] == [str(tmp_path / "new" / f"{n}.png") for n in range(3)]


def test_a_sheet_has_no_operator(refused, photos, tmp_path):
    line = refused("tonemap", photos / "1.exr", "-o", tmp_path / "s.png", "--sheet", "--operator", "drago")
    assert "--sheet shows all operators; leave --operator out" in line


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


def pixels(path):
    return cv2.imread(str(path)).astype(float)


def test_options_presets_and_values_in_the_name_are_one_thing(run, photos, tmp_path):
    plain, *same = (tmp_path / f"{n}.png" for n in range(5))
    look, light = tmp_path / "look.toml", photos / "1.exr"
    asked = ("--operator", "drago", "--bias", "0.7", "--exposure", "1")
    assert run("tonemap", light, "-o", plain, "--operator", "drago").code == 0
    assert run("tonemap", light, "-o", same[0], *asked, "--save-preset", look).code == 0
    assert look.read_text() == 'operator = "drago"\nexposure = 1.0\nbias = 0.7\n'
    assert run("tonemap", light, "-o", same[1], "--operator", look).code == 0
    assert run("tonemap", light, "-o", same[2], "--operator", "drago:bias=0.7,exposure=1").code == 0
    assert run("tonemap", light, "-o", same[3], "--operator", look, "--exposure", "0").code == 0
    assert pixels(same[0]).mean() > 1.1 * pixels(plain).mean()
    np.testing.assert_array_equal(pixels(same[0]), pixels(same[1]))
    np.testing.assert_array_equal(pixels(same[0]), pixels(same[2]))
    assert pixels(same[3]).mean() < pixels(same[0]).mean()


def test_presets_of_other_commands(run, photos, tmp_path):
    look = tmp_path / "look.toml"
    look.write_text('operator = "exposure"\nexposure = 3\n')
    assert (
        run("expand", photos / "1.jpg", "-o", tmp_path / "out.exr", "--preview", tmp_path / "a.png").code == 0
    )
    ran = run(
        "expand",
        photos / "1.jpg",
        "-o",
        tmp_path / "out.exr",
        "--preview",
        tmp_path / "b.png",
        "--operator",
        look,
    )
    assert ran.code == 0 and pixels(tmp_path / "b.png").mean() > pixels(tmp_path / "a.png").mean() + 20


def test_a_sheet_shows_every_operator(run, photos, tmp_path):
    ran = run(
        "tonemap", photos / "1.exr", "-o", tmp_path / "page.png", "--sheet", "--exposure", "-1", "--json"
    )
    assert ran.code == 0 and ran.json[0]["operators"] == list(OPERATORS)
    page = pixels(tmp_path / "page.png")
    assert page.shape[:2] == (3 * (360 + 28), 3 * 486 - 6)  # three by three pictures of 480x360
    cells = [
        page[388 * row : 388 * row + 360, 486 * column : 486 * column + 480]
        for row in range(3)
        for column in range(3)
    ]
    assert all(10 < cell.mean() < 245 for cell in cells)
    assert all(np.abs(cells[0] - other).mean() > 0.5 for other in cells[1:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--operator", "drago", "--bias", "3"), "--bias 3.0: expected a number from 0.5 to 0.99"),
        (
            ("--operator", "reinhard", "--bias", "0.9"),
            "'reinhard' takes no --bias; it takes exposure, contrast",
        ),
        (("--operator", "none.toml"), "none.toml: cannot be read"),
        (("--operator", "drago:bias"), "expected drago:key=number"),
        (("--exposure", "nan"), "--exposure nan: expected a number"),
        (("--save-preset", "look.json"), "end the name in .toml"),
    ],
)
def test_options_that_are_refused(refused, photos, tmp_path, options, said):
    assert said in refused("tonemap", photos / "1.exr", "-o", tmp_path / "out.png", *options)
    assert not (tmp_path / "out.png").exists()
