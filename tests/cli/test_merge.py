"""`openhdr merge`: what it writes and what it says."""

from __future__ import annotations

import importlib

import cv2
import numpy as np
import OpenEXR
import pytest

import openhdr
from openhdr import alignment, io, merging, tonemapping
from openhdr.alignment import ALIGNERS
from openhdr.merging import MERGERS
from openhdr.merging.masks import CELL_WIDTHS, GAP
from openhdr.pipeline.bracket_to_hdr import MergeOptions
from openhdr.tonemapping import OPERATORS


def _jpegs(photos):
    return [photos / f"{n}.jpg" for n in range(3)]


def _exr(path) -> np.ndarray:
    """As another program reads it."""
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGB"].pixels.astype(np.float32)


_MATCHED = ("--response", "srgb", "--match")


def test_the_main_job(run, photos, tmp_path):
    ran = run("merge", *_jpegs(photos), "-o", tmp_path / "out.exr")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["frame", "EV", "status", "shift", "px", "used"]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["0.jpg", "-2.00"],
        ["1.jpg", "+0.00"],
        ["2.jpg", "+2.00"],
    ]
    assert "exposures from the metadata; response: sRGB assumed, because" in ran.out and "96x72" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["out.exr"]
    expected = openhdr.merge(_jpegs(photos)).pixels
    np.testing.assert_allclose(_exr(tmp_path / "out.exr"), expected, rtol=1e-3, atol=1e-6)  # half floats
    assert expected.max() > 2  # light from beyond the reference's range


def test_every_output_at_once(run, photos, tmp_path):
    outputs = {name: tmp_path / name for name in ("out.hdr", "preview.jpg", "mask.png", "curve.json")}
    ran = run(
        *("merge", *_jpegs(photos), "-o", outputs["out.hdr"], "--preview", outputs["preview.jpg"]),
        *("--mask", outputs["mask.png"], "--save-response", outputs["curve.json"]),
    )
    assert ran.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(outputs)
    others = ", ".join(str(outputs[name]) for name in ("preview.jpg", "mask.png", "curve.json"))
    assert ran.out.endswith(f"\nalso written: {others}\n")
    light = cv2.imread(str(outputs["out.hdr"]), cv2.IMREAD_UNCHANGED)
    assert light.dtype == np.float32 and light.shape == (72, 96, 3)
    expected = openhdr.merge(_jpegs(photos)).pixels[..., ::-1]
    assert np.median(np.abs(light - expected)) < 0.01 * np.median(expected)
    preview = cv2.imread(str(outputs["preview.jpg"]))
    assert preview.shape == (72, 96, 3) and 40 < preview.mean() < 215
    mask = cv2.imread(str(outputs["mask.png"]), cv2.IMREAD_UNCHANGED)
    assert mask.shape[1] == 3 * (CELL_WIDTHS[0] + GAP) and np.median(mask) > 200  # a sheet of three


def test_defaults_are_those_of_python():
    """What the help says, and what happens without an option, is decided in one place."""
    command = importlib.import_module("openhdr.cli.merge").merge
    stated, options = {one.name: one.default for one in command.params}, MergeOptions()
    assert (stated["response"], stated["calibration"]) == (options.response, options.calibration)
    run = options.run
    assert (stated["memory"], stated["device"], stated["precision"]) == (
        run.memory,
        run.device,
        run.precision,
    )
    helps = {one.name: getattr(one, "help", None) for one in command.params}
    for name, table, default in (
        ("method", MERGERS, merging.DEFAULT),
        ("align", ALIGNERS, alignment.DEFAULT),
        ("operator", OPERATORS, tonemapping.DEFAULT),
    ):
        assert all(one in helps[name] for one in table) and f"[default: {default}]" in helps[name]


def test_saved_response_is_used_again(run, photos, tmp_path):
    curve = tmp_path / "curve.json"
    first = run(
        *(
            "merge",
            *_jpegs(photos),
            "-o",
            tmp_path / "a.tif",
            "--response",
            "calibrate",
            "--save-response",
            curve,
        )
    )
    second = run("merge", *_jpegs(photos), "-o", tmp_path / "b.tif", "--response", curve)
    assert (first.code, second.code) == (0, 0)
    assert "response: from these photos" in first.out and "response: measured" in second.out
    a, b = (io.read(tmp_path / name).pixels for name in ("a.tif", "b.tif"))
    assert np.abs(np.log2((a + 1e-4) / (b + 1e-4))).mean() < 0.01


def test_json(run, photos, tmp_path):
    ran = run("merge", *_jpegs(photos), "-o", tmp_path / "out.exr", "--json", "--reference", "3")
    facts = ran.json
    assert facts["method"] == "trustnet" and facts["exposures_from"] == "the metadata"
    assert [frame["ev"] for frame in facts["frames"]] == pytest.approx([-4, -2, 0], abs=1e-6)
    assert [frame["reference"] for frame in facts["frames"]] == [False, False, True]
    assert [frame["time_s"] for frame in facts["frames"]] == pytest.approx([1 / 400, 1 / 100, 1 / 25])
    assert all(frame["status"] in ("kept", "aligned", "reference") for frame in facts["frames"])
    assert all(0.5 < frame["used"] <= 1 for frame in facts["frames"])
    assert (facts["width"], facts["height"], facts["output"]) == (96, 72, str(tmp_path / "out.exr"))


@pytest.mark.parametrize(
    ("options", "source"),
    [
        (("--ev", "-2,0,2"), "--ev"),
        (("--ev", " 1, 3 ,5"), "--ev"),
        (("--times", "1/400,1/100,1/25"), "--times"),
        (("--times", "0.0025,0.01,0.04"), "--times"),
        (("--ev", "auto"), "the pixels"),
    ],
)
def test_exposures_from_the_user(run, photos, tmp_path, options, source):
    ran = run(
        "merge", *(photos / f"{n}.png" for n in range(3)), *options, "-o", tmp_path / "out.exr", "--json"
    )
    assert ran.code == 0 and ran.json["exposures_from"] == source
    assert [frame["ev"] for frame in ran.json["frames"]] == pytest.approx([-2, 0, 2], abs=0.1)


@pytest.mark.parametrize("method", ["mle", "debevec", "robertson", "mertens"])
@pytest.mark.parametrize("suffix", [".exr", ".hdr", ".tif"])
def test_every_method_into_every_kind_of_file(run, photos, tmp_path, method, suffix):
    ran = run(
        "merge", *_jpegs(photos), "-o", tmp_path / f"out{suffix}", "--method", method, "--align", "none"
    )
    assert ran.code == 0
    pixels = io.read(tmp_path / f"out{suffix}").pixels
    assert np.isfinite(pixels).all() and pixels.max() > 0.5
    assert "clipped" not in ran.err


@pytest.mark.parametrize("name", ["out.webp"])
def test_light_is_not_put_into_a_picture_for_a_screen(run, refused, photos, tmp_path, name):
    line = refused("merge", *_jpegs(photos), "-o", tmp_path / name)
    assert f"to get both: -o {tmp_path / 'out.exr'} --preview {tmp_path / name}" in line
    assert list(tmp_path.iterdir()) == []
    assert run("merge", *_jpegs(photos), "-o", tmp_path / name, "--method", "mertens").code == 0
    assert io.read(tmp_path / name).encoding == "srgb"


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.avif"])
def test_files_for_hdr_screens_hold_the_light(run, photos, tmp_path, name):
    assert run("merge", *_jpegs(photos), "-o", tmp_path / "out.exr").code == 0
    operator = ("--operator", "hable") if name == "out.jpg" else ()
    assert run("merge", *_jpegs(photos), "-o", tmp_path / name, *operator).code == 0
    light, shown = io.read(tmp_path / "out.exr").pixels, io.read(tmp_path / name)
    assert shown.encoding == "linear" and shown.exposure is not None
    assert np.median(np.abs(shown.pixels / np.maximum(light, 1e-4) - 1)) < 0.05


def test_light_is_refused_before_the_work(refused, tmp_path):
    """Even the photos are not looked for."""
    line = refused("merge", tmp_path / "none.jpg", tmp_path / "neither.jpg", "-o", tmp_path / "out.webp")
    assert "--preview" in line and "does not exist" not in line


@pytest.mark.parametrize("option", [("--anchor", "grey"), ("--operator", "hable")])
def test_a_picture_for_a_screen_has_no_scale_and_no_operator(run, refused, photos, tmp_path, option):
    files = (*_jpegs(photos), "--method", "mertens", "--align", "none", "-o", tmp_path / "out.png")
    line = refused("merge", *files, *option)
    assert " ".join(option) in line and "'mertens' makes a picture for a screen" in line
    assert list(tmp_path.iterdir()) == []
    facts = run("merge", *files, "--json").json
    assert (facts["anchor"], facts["stops"]) == (None, None)


@pytest.mark.parametrize("command", ["merge", "expand"])
def test_an_operator_without_a_picture_is_refused(run, refused, photos, tmp_path, command):
    """It would be of the preview, or of the SDR picture beside a gain map."""
    files = _jpegs(photos) if command == "merge" else _jpegs(photos)[:1]
    asked = (command, *files, "--operator", "drago", "-o")
    assert "--operator drago is of gain maps" in refused(*asked, tmp_path / "out.exr")
    assert run(*asked, tmp_path / "out.exr", "--preview", tmp_path / "out.png").code == 0


def test_linear_frames(run, photos, tmp_path):
    ran = run(
        "merge",
        *(photos / f"{n}.exr" for n in range(3)),
        "--ev",
        "-2,0,2",
        "-o",
        tmp_path / "out.exr",
        "--float",
    )
    assert ran.code == 0 and "response: none, the files hold light" in ran.out
    assert _exr(tmp_path / "out.exr").dtype == np.float32
    one, two = (
        _exr(tmp_path / "out.exr"),
        openhdr.merge([photos / f"{n}.exr" for n in range(3)], ev=[-2, 0, 2]).pixels,
    )
    np.testing.assert_array_equal(one, two)


def test_anchors(run, photos, tmp_path):
    light = {}
    for anchor in ("reference", "grey", "absolute"):
        path = tmp_path / f"{anchor}.exr"
        assert run("merge", *_jpegs(photos), "-o", path, "--float", "--anchor", anchor).code == 0
        light[anchor] = _exr(path)
    white = 78 / 0.65 * 64 / (1 / 100 * 100)
    np.testing.assert_allclose(light["absolute"], light["reference"] * white, rtol=1e-4)
    ratio = light["grey"] / light["reference"]
    np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-3)


def test_a_frame_of_another_place_is_named(run, photos, room, photo, tmp_path):
    stranger = photo(room(72, 96, 8) * np.float32(0.3), 2)
    io.write(tmp_path / "other.png", stranger)
    names = [photos / "0.png", photos / "1.png", tmp_path / "other.png"]
    ran = run("merge", *names, "--ev", "-2,0,2", "-o", tmp_path / "out.exr", "--json")
    assert ran.code == 0
    assert ran.json["frames"][2]["used"] < 0.6


def _notes_of(ran) -> list[str]:
    return [line for line in ran.err.splitlines() if "EV" in line]


@pytest.mark.parametrize(
    ("stated", "curve", "steps"), [(1.4, "steeper", "larger"), (2.8, "flatter", "smaller")]
)
def test_a_curve_or_steps_unlike_those_stated_are_told_once(run, room, photo, tmp_path, stated, curve, steps):
    """sRGB photos two stops apart, said to be 1.4: the curve is right, so that it may be the steps has to be said."""
    for n in range(5):
        io.write(tmp_path / f"{n}.png", photo(room(), 2 * n - 4))
    told = ",".join(f"{stated * (n - 2):g}" for n in range(5))
    ran = run(
        "merge",
        *(tmp_path / f"{n}.png" for n in range(5)),
        *_MATCHED,
        "--ev",
        told,
        "-o",
        tmp_path / "out.exr",
    )
    (line,) = _notes_of(ran)
    assert (
        f"the camera's tone curve is {curve} than sRGB, or the exposure steps are {steps} than stated: 4 of 5"
        in line
    )
    assert "--no-match" in line and "not always better" in line


def test_the_same_note_of_several_photos_is_said_once(run, photos, room, photo, tmp_path):
    for n, ev in enumerate((-2, 0, 2)):
        io.write(tmp_path / f"{n}.jpg", photo(room(), ev))
        (tmp_path / f"{n}.jpg").rename(tmp_path / f"{n}.png")
    names = [tmp_path / f"{n}.png" for n in range(3)]
    ran = run("merge", *names, "--ev", "-2,0,2", "-o", tmp_path / "out.exr")
    assert [line for line in ran.err.splitlines() if "jpeg" in line] == [
        "note: 0.png and 2 more: The name ends in .png, but the content is jpeg; it was read as jpeg."
    ]


def test_wrong_exposures_are_told(run, room, photo, tmp_path):
    for n, ev in enumerate((-1.5, 0, 2)):
        io.write(tmp_path / f"{n}.png", photo(room(), ev))
    ran = run(
        *("merge", *(tmp_path / f"{n}.png" for n in range(3)), "--ev", "-2,0,2", "-o", tmp_path / "out.exr"),
        *_MATCHED,
    )
    assert "note: 0.png is 0.5" in ran.err and "brighter than stated" in ran.err and "--no-match" in ran.err
    quiet = run(
        *("merge", *(tmp_path / f"{n}.png" for n in range(3)), "--ev", "-2,0,2", "-o", tmp_path / "out.exr"),
        *("--no-match", "--no-deghost"),
    )
    assert quiet.code == 0 and quiet.err == ""


def test_a_note_names_the_file_that_it_is_about(run, room, photo, tmp_path):
    """The preview cannot hold all of the light; the EXR can."""
    light = room(72, 96)
    light[:20, :20] = 40
    for n, ev in enumerate((-6, 0)):
        io.write(tmp_path / f"{n}.png", photo(light, ev))
    words = ("merge", tmp_path / "0.png", tmp_path / "1.png", "--ev=-6,0", "--reference", 2, *_MATCHED)
    ran = run(*words, "-o", tmp_path / "a.exr", "--preview", tmp_path / "b.jpg")
    assert ran.code == 0 and "note: b.jpg: Light more than 4 stops over white was cut" in ran.err
    assert "a.exr: Light" not in ran.err
    ran = run(*words, "-o", tmp_path / "a.jpg", "--preview", tmp_path / "b.jpg")
    assert ran.err.count("Light more than 4 stops") == 1 and "note: a.jpg: Light" in ran.err


def test_a_photo_is_tone_mapped_where_nothing_is_brighter_than_white(run, room, photo, tmp_path):
    """By a short reference all light is dark; a .jpg is to look at, like the preview."""
    for n, ev in enumerate((-4, -2)):
        io.write(tmp_path / f"{n}.png", photo(np.minimum(room(72, 96), 3.9), ev))
    result, preview = tmp_path / "a.jpg", tmp_path / "b.png"
    words = ("merge", tmp_path / "0.png", tmp_path / "1.png", "--ev=-4,-2", "--reference", 1, *_MATCHED)
    assert run(*words, "-o", result, "--preview", preview).code == 0
    seen, expected = (cv2.imread(str(path)).astype(float) for path in (result, preview))
    assert np.abs(seen - expected).mean() < 3
    assert io.probe(result).gain_map is None
