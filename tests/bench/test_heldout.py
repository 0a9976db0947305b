"""Real photos without truth: reading brackets, which photos are held out, results and pages, look."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from openhdr import io
from openhdr.bench import PHOTO_CASES
from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import parse_setting
from openhdr.bench.without_truth import scores as photo_scores
from openhdr.bench.without_truth.brackets import Size, photo_sets
from openhdr.bench.without_truth.heldout import plan
from openhdr.bench.without_truth.scores import Photo, usable_photos
from openhdr.cli.bench import bench
from openhdr.core.errors import ExposureError, FileError, OpenHDRError, RequestError
from openhdr.core.image import Exposure, Image

sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, find_chromium

TIMES = (1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0)
STILL = "mle:align=none,deghost=off,response=gamma:2.2"


def photo(light: np.ndarray, time_s: float) -> Image:
    codes = np.rint(255 * np.clip(light * time_s * 4, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    return Image(codes, "srgb", exposure=Exposure(time_s, 100.0, 8.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three sets of the same five photos, 96x64, that say their exposures in three ways."""
    rng = np.random.default_rng(2)
    light = np.kron(0.004 * 5000 ** rng.random((8, 12, 3)), np.ones((8, 8, 1)))
    light *= rng.uniform(0.8, 1.2, light.shape)
    root = tmp_path_factory.mktemp("sets")
    for name in ("in-the-photos", "in-json", "in-text"):
        (root / name).mkdir()
        for n, time_s in enumerate(TIMES):
            image = photo(light, time_s)
            told = image if name == "in-the-photos" else replace(image, exposure=None)
            io.write(root / name / f"{5 - n}.png", told)
    rows = [{"path": f"{5 - n}.png", "t": time_s} for n, time_s in enumerate(TIMES)]
    (root / "in-json/info.json").write_text(json.dumps([*rows, {"path": "not-here.png", "t": 8}]))
    (root / "in-text/ev.txt").write_text("0\n-2\n-4\n-6\n-8\n")
    return root


def test_exposures_are_read_from_photos_json_and_text(folder):
    sets = photo_sets(folder)
    assert [one.name for one in sets] == ["in-json", "in-text", "in-the-photos"]
    for one in sets:
        photos, names = one.load(None)
        assert names == ("5.png", "4.png", "3.png", "2.png", "1.png")  # shortest first
        assert np.diff(photos.ev) == pytest.approx([2, 2, 2, 2], abs=0.02)
    assert photo_sets(folder / "in-text")[0].name == "in-text"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("info.json", '[{"path": "1.png", "t": 1}]', "info.json.*does not say the exposures.*2.png"),
        ("info.json", "{", "info.json.*does not say"),
        ("info.json", '[{"path": "1.png", "t": 1}, {"path": "2.png", "t": 0}]', "info.json"),
        ("ev.txt", "1 2 3", "ev.txt.*3 values"),
        ("none", "", "1.png: no shutter time"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_exposures_that_are_missing_or_wrong_are_named(folder, tmp_path, name, text, said):
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes((folder / "in-text" / f"{number}.png").read_bytes())
    (tmp_path / name).write_text(text)
    with pytest.raises((FileError, ExposureError), match=said):
        photo_sets(tmp_path)[0].load(None)


def test_photos_of_two_sizes_are_refused(folder, tmp_path):
    for number in (1, 2):
        io.write(tmp_path / f"{number}.png", Image(np.zeros((20, 20 + number, 3), np.uint8), "srgb"))
    (tmp_path / "ev.txt").write_text("0 2")
    with pytest.raises(FileError, match=r"2\.png: is not of the size and depth of 1\.png"):
        photo_sets(tmp_path)[0].load(None)


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(FileError, match="holds no bracket"):
        photo_sets(tmp_path)


def test_photos_are_halved_and_cut_to_their_middle():
    small = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    assert np.array_equal(Size(40, 20).of(small), small[20:40, 20:60])
    assert Size.parse("1600x1100").of(np.zeros((2600, 4000, 3), np.uint8)).shape == (1100, 1600, 3)
    large = np.zeros((2600, 4000, 3), np.uint8)
    large[1300:, :] = 100  # averaged, the middle of the picture stays where it is
    assert np.array_equal(np.unique(Size(2, 2).of(large)), [0, 100])
    for text in ("12", "0x9", "axb"):
        with pytest.raises(RequestError, match="WIDTHxHEIGHT"):
            Size.parse(text)


def flat(shares: list[float], ev: list[float]) -> Photos:
    """Photos of which a share of the pixels is usable."""
    frames = []
    for share in shares:
        codes = np.zeros((10, 100, 3), np.uint8)
        codes[:, : round(100 * share)] = 90
        frames.append(Image(codes, "srgb"))
    return Photos(tuple(frames), tuple(ev))


def test_the_best_exposed_photo_and_those_three_stops_away_are_merged():
    usable = [0.0, 0.1, 0.4, 0.6, 0.9, 0.7, 0.5]
    chosen = plan(flat(usable, [-6.0, -4.0, -3.0, -1.2, 0.0, 2.0, 3.5]))
    assert chosen.merged == (2, 4, 6)
    assert chosen.held_out == (1, 3, 5)  # not 0, which is black


def test_two_photos_are_merged_where_the_best_is_the_longest():
    chosen = plan(flat([0.2, 0.5, 0.9], [-4.5, -2.0, 0.0]))
    assert chosen.merged == (1, 2) and chosen.held_out == (0,)


@pytest.mark.parametrize("usable", [[0.9, 0.8, 0.0], [0.0, 0.0, 0.0]])
def test_too_few_usable_photos_are_refused(usable):
    with pytest.raises(RequestError, match="one more to predict"):
        plan(flat(usable, [-3.0, 0.0, 3.0]))


def test_heldout_scores_every_set_and_method(folder, tmp_path):
    words = [
        "heldout",
        "--data",
        str(folder),
        "-o",
        str(tmp_path),
        "--scene",
        "in-json",
        "--scene",
        "in-text",
    ]
    wrong = "mle:align=none,deghost=off,response=gamma:1.1"
    program = f"fails={sys.executable} -c pass {{inputs}} {{output}}"
    done = CliRunner().invoke(
        bench,
        [*words, "--method", STILL, "--method", wrong, "--method", "opencv:align=none", "--program", program],
    )
    assert isinstance(done.exception, OpenHDRError) and "2 of 8 runs failed" in str(done.exception)
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["format"] == "openhdr-heldout-1" and set(facts["sets"]) == {"in-json", "in-text"}
    one = facts["sets"]["in-json"]
    assert sorted([*one["merged"], *one["held_out"]]) == [f"{n}.png" for n in range(1, 6)]
    right, bent = one["methods"][STILL], one["methods"][wrong]
    for part in (right, right["whole"]):
        assert min(part["per_channel"], part["shared"], part["one_curve"]) > 45
    assert (
        right["whole"]["one_curve"] > bent["whole"]["one_curve"] + 10
    )  # of a wrong curve light is not linear
    assert "error" in one["methods"]["fails"]
    assert facts["means"][STILL]["sets"] == 2
    assert (tmp_path / "report.html").stat().st_size > 20_000
    assert "in-json: 3 of 5 photos merged" in done.output


@pytest.mark.skipif(find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium")
def test_a_bracket_that_cannot_be_used_is_named_on_the_page_too(folder, tmp_path):
    one, out = tmp_path / "photos", tmp_path / "out"
    one.mkdir()
    for number in (1, 2):
        (one / f"{number}.png").write_bytes((folder / "in-text" / f"{number}.png").read_bytes())
    done = CliRunner().invoke(bench, ["heldout", "--data", str(one), "-o", str(out), "--method", "mle"])
    assert "failed: photos: " in done.stderr and "no shutter time" in done.stderr
    with Browser() as browser:
        browser.open(out / "report.html")
        assert browser.problems == []
        assert "no shutter time" in browser.run("document.getElementById('set-text').textContent")


@pytest.mark.parametrize("name", list(PHOTO_CASES))
def test_a_case_s_own_methods_and_size_can_be_asked_for(name):
    row = PHOTO_CASES[name]
    assert [parse_setting(text).name for text in row.methods] == list(row.methods)
    assert len(row.methods) > 2 and (row.size == "full" or Size.parse(row.size))


def test_look_shows_brackets_without_any_score(folder, tmp_path):
    words = ["look", "--data", str(folder / "in-text"), "-o", str(tmp_path), "--method", "mle:align=none"]
    done = CliRunner().invoke(bench, [*words, "--method", "mertens:align=none"], catch_exceptions=False)
    assert done.exit_code == 0
    facts = json.loads((tmp_path / "results.json").read_text())["sets"]["in-text"]
    assert set(facts["methods"]) == {"mle:align=none", "mertens:align=none"}
    assert facts["methods"]["mle:align=none"]["time_s"] > 0


def test_brackets_that_are_done_are_not_done_again(folder, tmp_path):
    """By workers; where something failed, or another thing is asked for, it is done again."""

    def times(*more: str) -> dict[str, int]:
        words = ["look", "--data", str(folder), "-o", str(tmp_path), "--method", "mle:align=none", *more]
        CliRunner().invoke(bench, [*words, "--workers", "2", "--resume"])
        return {path.stem: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}

    first = times()
    page = (tmp_path / "report.html").read_text()
    (tmp_path / "parts" / "in-text.json").unlink()
    second = times()
    assert [name for name in sorted(first) if second[name] != first[name]] == ["in-text"]
    assert list(json.loads((tmp_path / "results.json").read_text())["sets"]) == sorted(first)
    assert len((tmp_path / "report.html").read_text()) == pytest.approx(len(page), rel=1e-3)
    fails = ("--program", f"fails={sys.executable} -c pass {{inputs}} {{output}}")
    third, fourth = times(*fails), times(*fails)
    assert all(second[name] < third[name] < fourth[name] for name in first)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "`data`, a folder"),
        (["--data", "DATA", "--resume", "--again", "mle"], "`again` is of cases with known truth"),
        (["--data", "DATA", "--scene", "in-jason"], "did you mean 'in-json'"),
        (["--data", "DATA", "--method", "mle", "--method", "mle"], "one name"),
        (["--data", "DATA", "--method", "mle:deghos=off"], "did you mean 'deghost'"),
    ],
)
def test_requests_that_cannot_be_done(folder, tmp_path, words, said):
    words = [str(folder) if word == "DATA" else word for word in words]
    done = CliRunner().invoke(bench, ["heldout", "-o", str(tmp_path / "out"), *words])
    assert isinstance(done.exception, OpenHDRError) and said in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium")
@pytest.mark.parametrize("case", ["heldout", "look"])
def test_the_page_works(folder, tmp_path, case):
    words = [
        case,
        "--data",
        str(folder),
        "-o",
        str(tmp_path),
        "--method",
        "mle:align=none",
        "--method",
        "photo",
    ]
    CliRunner().invoke(bench, words, catch_exceptions=False)
    with Browser() as browser:
        browser.size(1280, 900)
        browser.open(tmp_path / "report.html")
        assert browser.problems == []
        assert {url for url in browser.requests if not url.startswith("data:")} == {
            (tmp_path / "report.html").resolve().as_uri()
        }
        assert browser.run("document.getElementById('scores').hidden") == (case == "look")
        rows = 3 if case == "heldout" else 0
        assert browser.run("document.querySelectorAll('#each tbody tr').length") == rows
        numbers = browser.run("[...document.querySelectorAll('#means td')].map(cell => cell.textContent)")
        assert len(numbers) == (2 * 6 if case == "heldout" else 0)
        assert all(float(number) > 5 for number in numbers)
        shown = browser.run("FACTS.sets[0].views[0].pictures.length")
        assert browser.run("document.querySelectorAll('#strip figure').length") == shown >= 3


def test_opencv_on_a_real_bracket_scores_what_was_measured_elsewhere(shared_room):
    photos, _ = shared_room.load(Size())
    light = reconstruct(parse_setting("opencv:align=none"), photos).pixels
    shown = usable_photos([Photo(f.pixels, ev) for f, ev in zip(photos.frames, photos.ev, strict=True)])
    assert len(shown) == 6
    found = [getattr(photo_scores, name)(light, shown) for name in ("per_channel", "shared", "one_curve")]
    assert found == pytest.approx([33.2, 28.6, 27.6], abs=0.06)


@pytest.fixture
def shared_room(shared):
    return next(one for one in photo_sets(shared / "data" / "real") if one.name == "room")
