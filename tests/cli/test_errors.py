"""Wrong input ends with exit 2, one line that names it and the remedy, and nothing left behind."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import OpenEXR
import pytest

from openhdr import io
from openhdr.core.image import Image


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _huge_png() -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")


@pytest.fixture
def bad(tmp_path, photos):
    """Files that are no pictures, by what is wrong with them."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture\n" * 20)
    (tmp_path / "huge.png").write_bytes(_huge_png())
    (tmp_path / "folder.png").mkdir()
    for name in ("1.png", "1.jpg", "1.exr"):
        data = (photos / name).read_bytes()
        (tmp_path / f"cut-{name}").write_bytes(data[: len(data) * 2 // 3])
    return tmp_path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.png", "is empty"),
        ("text.jpg", "not an image"),
        ("huge.png", "declares 200000x200000"),
        ("folder.png", "is a folder; name the images in it"),
        ("cut-1.png", "damaged"),
        ("cut-1.jpg", "damaged"),
        ("cut-1.exr", "damaged"),
        ("missing.png", "does not exist"),
    ],
)
@pytest.mark.parametrize("command", ["merge", "convert"])
def test_files_that_cannot_be_used(refused, bad, photos, name, words, command):
    if command == "merge":
        line = refused("merge", photos / "0.png", bad / name, "--ev", "0,2", "-o", bad / "out.exr")
    else:
        line = refused("convert", bad / name, "-o", bad / "out.exr")
    assert name in line and words in line


def test_a_file_whose_name_begins_with_a_dash(refused, run, photos, tmp_path, monkeypatch):
    """The remedy, given as it stands, works."""
    (tmp_path / "- ä b.exr").write_bytes((photos / "1.exr").read_bytes())
    monkeypatch.chdir(tmp_path)
    line = refused("convert", "- ä b.exr", "-o", "out.hdr")
    assert "No such option" in line and line.strip().endswith(
        "For the file of that name write './- ä b.exr'."
    )
    assert run("convert", "./- ä b.exr", "-o", "out.hdr").code == 0
    assert "For the file" not in refused("convert", "--no-such", "-o", "out.hdr")
    (tmp_path / "-out.exr").write_bytes((photos / "1.exr").read_bytes())
    line = refused("convert", "-out.exr", "-o", "out.hdr")  # read as -o ut.exr
    assert line == "Missing argument 'IN...'. For the file of that name write ./-out.exr."
    assert refused("convert", "-o", "out.hdr") == "Missing argument 'IN...'."


def test_options_after_two_dashes_are_files(refused, photos, tmp_path):
    words = ("merge", "--", photos / "0.jpg", photos / "1.jpg")
    line = refused(*words, "-o", tmp_path / "out.exr")
    assert (
        line
        == "Missing option '-o' / '--output'. All that follows -- is taken for files; write -o before it."
    )
    assert "write --output=out.exr before it" in refused(*words, "--output=out.exr")
    assert refused(*words).startswith("Missing option '-o' / '--output'. HDR file: .exr, ")


def test_a_file_where_a_folder_is_expected(refused, photos, tmp_path):
    (tmp_path / "file").touch()
    line = refused("convert", photos / "1.exr", "-o", tmp_path / "file" / "out.hdr")
    assert "file is a file, not a folder; choose another folder" in line


MERGE = [
    ((), "0.png: no shutter time in the metadata.*--ev or --times.*--ev auto"),
    (("--ev", "0,2"), "--ev has 2 values for 3 frames"),
    (("--ev", "0,0,0"), "--ev gives all 3 frames the same exposure, but .* EV brighter than"),
    (("--ev", "2,0,-2"), "--ev says that .* darker picture"),
    (("--ev", "a,b,c"), "--ev a,b,c: expected numbers with commas between"),
    (("--ev", "1,,2"), "--ev 1,,2: expected numbers"),
    (("--ev", ""), "--ev : expected numbers"),
    (("--ev", "nan,0,2"), "--ev nan,0,2: every value must be a finite number"),
    (("--ev", "1e999999999,0,2"), "--ev inf,0,2: every value must be a finite number"),
    (("--ev", "1e9,0,2"), "within"),
    (("--ev", "Auto"), "--ev Auto: expected one number"),
    (("--times", "1/100,1/0,1"), "--times 1/100,1/0,1: expected numbers"),
    (("--times", "0,1,2"), "--times 0,1,2: every shutter time"),
    (("--times", "-1,1,2"), "above 0 seconds"),
    (("--ev", "-2,0,2", "--times", "1,4,16"), "--ev and --times contradict each other"),
    (("--ev", "-2,0,2", "--reference", "4"), "--reference 4: expected 1 to 3"),
    (("--ev", "-2,0,2", "--reference", "0"), "--reference 0: expected 1 to 3"),
    (("--ev", "-2,0,2", "--reference", "two"), "--reference two: expected 1 to 3"),
    (("--ev", "-2,0,2", "--method", "debvec"), "unknown merge method 'debvec'; did you mean 'debevec'"),
    (("--ev", "-2,0,2", "--align", "homografy"), "did you mean 'homography'"),
    (("--ev", "-2,0,2", "--response", "sgrb"), "response 'sgrb': expected srgb"),
    (("--ev", "-2,0,2", "--response", "no.json"), "no.json: cannot be read"),
    (("--ev", "auto", "--response", "calibrate"), "needs known exposures"),
    (
        ("--ev", "-2,0,2", "--response", "calibrate", "--calibration", "robinson"),
        "unknown calibration method",
    ),
    (("--ev", "-2,0,2", "--anchor", "gray"), "did you mean 'grey'"),
    (("--ev", "-2,0,2", "--anchor", "absolute"), "--anchor absolute needs shutter time, ISO and aperture"),
    (("--ev", "-2,0,2", "--operator", "dragoo"), "did you mean 'drago'"),
    (("--ev", "-2,0,2", "--weights", "w.pth", "--method", "mle"), "'mle' is no network"),
    (("--ev", "-2,0,2", "--weights", "w.pth", "--method", "trustnet"), "has its weights in the package"),
    (("--ev", "-2,0,2", "--device", "cuda"), "--device cuda is for networks that PyTorch runs.*'trustnet'"),
    (("--ev", "-2,0,2", "--memory", "-1"), "--memory -1: expected GB above 0"),
    (("--ev", "-2,0,2", "--evv", "1"), "No such option"),
]


@pytest.mark.parametrize(("options", "words"), MERGE)
def test_requests_that_cannot_be_met(refused, photos, tmp_path, options, words):
    line = refused("merge", *(photos / f"{n}.png" for n in range(3)), *options, "-o", tmp_path / "out.exr")
    assert re.search(words, line), line


def test_a_photo_given_twice(refused, photos, tmp_path):
    assert "1.jpg is given twice" in refused(
        "merge", photos / "1.jpg", photos / "1.jpg", "-o", tmp_path / "out.exr"
    )


def test_an_earlier_result_among_the_photos(run, refused, photos, tmp_path):
    files = [tmp_path / f"{n}.jpg" for n in range(3)]
    for n, file in enumerate(files):
        file.write_bytes((photos / f"{n}.jpg").read_bytes())
    result, picture = tmp_path / "result.jpg", tmp_path / "result.png"
    assert run("merge", *files, "-o", result, "--preview", picture).code == 0
    for earlier in (result, picture):
        said = refused("merge", *files, earlier, "-o", tmp_path / "out.exr")
        assert f"{earlier.name} is a result of openhdr, no photo of the bracket; leave it out" in said
    folder = run("merge", tmp_path, "-o", tmp_path / "out.exr", "--json")
    assert [frame["name"] for frame in folder.json["frames"]] == [file.name for file in files]


def test_one_frame_and_no_frame(refused, photos, tmp_path):
    assert "no.jpg: does not exist" in refused("merge", tmp_path / "no.jpg", "-o", tmp_path / "out.exr")
    assert "at least two frames" in refused("merge", photos / "1.jpg", "-o", tmp_path / "out.exr")
    assert "Missing argument" in refused("merge", "-o", tmp_path / "out.exr")
    assert "Missing option '-o'" in refused("merge", photos / "1.jpg", photos / "2.jpg")


def test_frames_that_do_not_go_together(refused, photos, room, photo, tmp_path):
    io.write(tmp_path / "small.png", photo(room(72, 90), 2))
    io.write(tmp_path / "deep.png", photo(room(72, 96), 2, bits=16))
    out = ("--ev", "0,2", "-o", tmp_path / "out.exr")
    assert "small.png is 90x72, but 1.png is 96x72" in refused(
        "merge", photos / "1.png", tmp_path / "small.png", *out
    )
    assert "deep.png holds 16-bit photo values" in refused(
        "merge", photos / "1.png", tmp_path / "deep.png", *out
    )


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (("-o", "out.xyz"), "extension '.xyz', which names no format"),
        (("-o", "out"), "no extension"),
        (("-o", "out.json"), "names no format"),
        (("-o", "no/out.exr"), "folder does not exist.*mkdir -p"),
        (("-o", "not yet/out.exr"), "mkdir -p 'not yet'$"),
        (("-o", "."), "is a folder"),
        (("-o", "out.exr", "--preview", "no/out.png"), "folder does not exist"),
        (("-o", "out.exr", "--preview", "out.xyz"), "names no format"),
        (("-o", "out.exr", "--mask", "out.xyz"), "names no format"),
        (("-o", "out.exr", "--save-response", "curve.png"), "end the name in .json"),
        (("-o", "out.exr", "--preview", "out.exr"), "named for two results"),
        (("-o", "out.exr", "--mask", "./out.exr"), "named for two results"),
        (("-o", "0.png"), "0.png is one of the inputs"),
    ],
)
def test_outputs_that_cannot_be_written(refused, photos, tmp_path, monkeypatch, outputs, words):
    for name in ("0.png", "1.png"):
        (tmp_path / name).write_bytes((photos / name).read_bytes())
    before = (tmp_path / "0.png").read_bytes()
    monkeypatch.chdir(tmp_path)
    assert re.search(words, refused("merge", "0.png", "1.png", "--ev", "0,2", *outputs))
    assert (tmp_path / "0.png").read_bytes() == before


def test_light_is_not_replaced_by_its_picture(refused, photos, tmp_path, monkeypatch):
    (tmp_path / "1.exr").write_bytes((photos / "1.exr").read_bytes())
    monkeypatch.chdir(tmp_path)
    line = refused("tonemap", "1.exr", "-o", tmp_path / "1.exr")
    assert line == "1.exr is one of the inputs; give the result another name"
    assert (tmp_path / "1.exr").read_bytes() == (photos / "1.exr").read_bytes()


def test_numbers_with_spaces_between(refused, photos, tmp_path):
    line = refused("merge", photos / "0.jpg", photos / "1.jpg", "--ev", 0, -2, "-o", tmp_path / "out.exr")
    assert line.endswith("The numbers of one option stand together: --ev -2,0,2")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_that_may_not_be_written(refused, photos, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    out = tmp_path / "locked" / "out.exr"
    assert "cannot be written" in refused("merge", photos / "0.jpg", photos / "1.jpg", "-o", out)


def test_a_full_disk_leaves_nothing(refused, photos, tmp_path, monkeypatch):
    """The encoder runs out of space: no half file, no temporary one."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    line = refused("merge", photos / "0.jpg", photos / "1.jpg", "-o", tmp_path / "out.exr")
    assert "out.exr: cannot be written (No space left on device)" in line


def test_unknown_command(refused):
    assert "unknown command 'mrge'; did you mean 'merge'" in refused("mrge")


@pytest.mark.parametrize("kind", ["black", "white", "one pixel", "grey", "infinite"])
def test_odd_but_valid_brackets(run, tmp_path, kind):
    """A finite, sensible result."""
    for n, ev in enumerate((-2, 0, 2)):
        value = {
            "black": 0,
            "white": 1,
            "one pixel": 0.2 * 2.0**ev,
            "grey": 0.1 * 2.0**ev,
            "infinite": 0.1 * 2.0**ev,
        }
        size = (1, 1, 3) if kind == "one pixel" else (40, 50, 3)
        pixels = np.full(size, min(value[kind], 1), np.float32)
        if kind == "infinite":
            pixels[3:6, 4:9] = np.inf
            pixels[9] = np.nan
        if kind == "infinite":
            _write_as_it_is(tmp_path / f"{n}.exr", pixels)
        else:
            codes = np.rint(np.clip(pixels, 0, 1) ** (1 / 2.2) * 65535).astype(np.uint16)
            io.write(tmp_path / f"{n}.exr".replace("exr", "png"), Image(codes, "srgb"))
    files = sorted(tmp_path.glob("*.png")) or sorted(tmp_path.glob("*.exr"))
    out = tmp_path / "out.tif"
    ran = run("merge", *files, "--ev", "-2,0,2", "-o", out, "--preview", tmp_path / "preview.jpg")
    assert ran.code == 0, ran.err
    light = io.read(out).pixels
    assert np.isfinite(light).all()
    expected = {"black": 0, "white": 4, "one pixel": 0.2, "grey": 0.1, "infinite": 0.1}[kind]
    assert np.median(light) == pytest.approx(expected, rel=0.1, abs=1e-4)
    if kind == "infinite":
        assert "were infinite" in ran.err and "were not a number" in ran.err


def _write_as_it_is(path, pixels: np.ndarray) -> None:
    """As a renderer with a fault writes it."""
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": pixels}) as file:
        file.write(str(path))


def test_the_installed_command_itself(photos, tmp_path):
    """Exit codes and streams of a process: a refusal without a traceback, a pipe that closes early."""
    command = [sys.executable, "-c", "from openhdr.cli import main; main()"]
    wrong = subprocess.run(
        [*command, "merge", "a.png", "-o", "x.exr"], capture_output=True, text=True, cwd=tmp_path
    )
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert wrong.stderr.count("\n") == 1 and "Traceback" not in wrong.stderr
    bomb = subprocess.run(
        [
            *command,
            "merge",
            str(photos / "0.png"),
            str(photos / "1.png"),
            "--ev",
            "1e999999999,0",
            "-o",
            "x.exr",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert bomb.returncode == 2 and "finite" in bomb.stderr
    right = subprocess.run(
        [*command, "merge", *(str(photos / f"{n}.jpg") for n in range(3)), "-o", "out.exr"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert right.returncode == 0 and right.stderr == "" and "out.exr" in right.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out.exr"]
