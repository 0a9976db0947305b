"""`openhdr batch`: all of a card, stopped and started, with failures, options and plans."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from openhdr import io

FAST = ("--method", "mle", "--align", "none", "--workers", "2")


@pytest.fixture
def card(make_card, tmp_path):
    return make_card(tmp_path / "card")


def _facts(out: Path) -> dict:
    return json.loads((out / "batch.json").read_text())


def _times(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("2026*")}


def _digests(out: Path) -> dict[str, str]:
    files = [path for path in out.rglob("*") if path.suffix in (".exr", ".jpg")]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_everything_is_made_once(run, card, tmp_path):
    out = tmp_path / "out"
    ran = run("batch", card, "-o", out, *FAST)
    assert ran.code == 0 and "3 made, 0 done before, 0 failed, 1 left out" in ran.out
    assert ran.out.endswith("/index.html  (open in a browser)\n")
    facts = _facts(out)
    assert [one["status"] for one in facts["brackets"]] == ["done"] * 3
    assert facts["brackets"][0]["photos"] == [str(card / f"DSC_000{n}.jpg") for n in (1, 2, 3)]
    assert facts["left_out"][0]["photos"] == ["DSC_0010.jpg"]
    for one in facts["brackets"]:
        assert [Path(path).suffix for path in one["outputs"]] == [".exr", ".jpg"]
        assert all(Path(path).is_file() for path in one["outputs"])
    page = (out / "index.html").read_text()
    assert page.count("<img") == 3 and "thumbnails/2026-05-01_DSC_0001-DSC_0003-HDR.jpg" in page

    alone = tmp_path / "alone.exr"
    photos = [card / f"DSC_000{n}.jpg" for n in (1, 2, 3)]
    assert run("merge", *photos, "-o", alone, *FAST[:4]).code == 0
    np.testing.assert_array_equal(
        io.read(facts["brackets"][0]["outputs"][0]).pixels, io.read(alone).pixels
    )  # a batch is many merges

    times = _times(out)
    again = run("batch", card, "-o", out, *FAST, "--json")
    assert [one["status"] for one in again.json["brackets"]] == ["skipped"] * 3 and _times(out) == times
    os.utime(card / "DSC_0001.jpg")  # another time, the same content
    assert "0 made, 3 done before" in run("batch", card, "-o", out, *FAST).out


def test_what_changed_is_made_again(run, card, tmp_path):
    out = tmp_path / "out"
    run("batch", card, "-o", out, *FAST)
    times = _times(out)
    first, second = card / "DSC_0004.jpg", card / "DSC_0005.jpg"
    data = bytearray(first.read_bytes())
    data[-10] ^= 1
    first.write_bytes(data)
    assert "1 made, 2 done before" in run("batch", card, "-o", out, *FAST).out
    changed = {name for name, at in _times(out).items() if at != times[name]}
    assert {name[:26] for name in changed} == {"2026-05-01_DSC_0004-DSC_00"} and len(changed) == 3
    next(out.glob("*DSC_0007*.exr")).unlink()
    assert "1 made, 2 done before" in run("batch", card, "-o", out, *FAST).out
    assert "3 made" in run("batch", card, "-o", out, *FAST, "--anchor", "grey").out
    assert second.exists()


def test_failures_are_listed_and_tried_again_when_asked(run, card, tmp_path):
    out, bad = tmp_path / "out", card / "DSC_0005.jpg"
    whole = bad.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    ran = run("batch", card, "-o", out, *FAST)
    assert ran.code == 2 and "1 of 3 brackets failed" in ran.err and "DSC_0005.jpg" in ran.err
    failed = _facts(out)["brackets"][1]
    assert failed["status"] == "failed" and "DSC_0005.jpg" in failed["error"] and failed["outputs"] == []
    assert not list(out.glob("*DSC_0004*.exr"))
    assert "DSC_0005.jpg" in (out / "index.html").read_text()
    times = _times(out)
    assert run("batch", card, "-o", out, *FAST).code == 2 and _times(out) == times
    assert run("batch", card, "-o", out, *FAST, "--retry-failed").code == 2 and _times(out) != times
    bad.write_bytes(whole)
    assert run("batch", card, "-o", out, *FAST).code == 0


def test_what_a_full_disk_refused_is_tried_again_by_itself(run, card, tmp_path):
    """A limit on the size of files, which the batch's processes inherit, stands for the full disk."""
    resource = pytest.importorskip("resource", reason="needs limits on files")
    out, limits = tmp_path / "out", resource.getrlimit(resource.RLIMIT_FSIZE)
    words = [sys.executable, "-m", "openhdr", "batch", str(card), "-o", str(out), *FAST]
    full = subprocess.run(
        words,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, limits[1])),
        capture_output=True,
        text=True,
    )
    assert full.returncode == 2 and "3 of 3 brackets failed" in full.stderr, full.stderr
    assert full.stderr.count("cannot be written (File too large)") == 3
    assert {one["status"] for one in _facts(out)["brackets"]} == {"failed"}
    again = run("batch", card, "-o", out, *FAST)
    assert again.code == 0 and "3 made, 0 done before, 0 failed" in again.out


def test_a_photo_that_cannot_be_read_is_named(run, card, tmp_path):
    (card / "DSC_0000.jpg").write_bytes(b"no photo")
    ran = run("batch", card, "-o", tmp_path / "out", *FAST)
    assert ran.code == 2 and "3 made" in ran.out
    assert ran.err.startswith("unreadable: ") and "DSC_0000.jpg" in ran.err
    assert "DSC_0000.jpg" in _facts(tmp_path / "out")["unreadable"][0]


def test_watching_goes_on_when_photos_arrive(run, make_card, tmp_path, monkeypatch):
    from openhdr.batch import watch

    card, out = tmp_path / "card", tmp_path / "out"
    card.mkdir()
    monkeypatch.setattr(watch, "SETTLED_S", 0.2)
    looks = iter([lambda: None, lambda: make_card(card, 1, 0), lambda: None, lambda: None, lambda: None])

    def wait(seconds: float) -> None:
        next(looks, sys.exit)()
        time.sleep = real
        real(0.15)
        time.sleep = wait

    real = time.sleep
    monkeypatch.setattr(time, "sleep", wait)
    run("batch", card, "-o", out, "--watch", *FAST)
    assert [one["status"] for one in _facts(out)["brackets"]] == ["done"]


def test_plan_with_options_of_its_own(run, card, tmp_path):
    out, plan = tmp_path / "out", tmp_path / "plan.toml"
    assert run("info", card, "--plan", plan).code == 0
    text = plan.read_text().replace('name = "2026-05-01_DSC_0001-DSC_0003-HDR"', 'name = "rooms/kitchen"')
    text = text.replace("skip = true  # belongs", "# belongs")
    text = text.replace('"DSC_0006.jpg"]', '"DSC_0006.jpg"]\noptions = { ev = "0,-1,1", full-float = true }')
    plan.write_text(text)
    assert run("batch", card, "-o", out, "--plan", plan, *FAST[:2], "--workers", "1").code == 2
    ran = run("batch", card, "-o", out, "--plan", plan, "--workers", "2", "--anchor", "grey")
    assert ran.code == 0, ran
    assert (out / "rooms" / "kitchen.exr").is_file()
    record = json.loads((out / "2026-05-01_DSC_0004-DSC_0006-HDR.json").read_text())
    assert record["options"] == {"anchor": "grey", "ev": "0,-1,1", "full_float": True}
    assert [frame["ev"] for frame in record["result"]["frames"]] == [0, -1, 1]
    assert json.loads((out / "2026-05-01_DSC_0010-HDR.json").read_text())["command"] == "expand"
    like = run("merge", *(card / f"DSC_000{n}.jpg" for n in (4, 5, 6)), "-o", tmp_path / "like.exr",
               "--like", out / "2026-05-01_DSC_0004-DSC_0006-HDR.json")  # fmt: skip
    assert like.code == 0
    assert (tmp_path / "like.exr").read_bytes() == (out / "2026-05-01_DSC_0004-DSC_0006-HDR.exr").read_bytes()


def test_expand_names_and_formats(run, card, tmp_path):
    out = tmp_path / "out"
    photos, names = (card / "DSC_0001.jpg", card / "DSC_0010.jpg"), ("--name", "{number} {first}")
    options = ("--to", "JPG, .png,.hdr", "--workers", "1", "--method", "kovaleski-oliveira")
    ran = run("batch", *photos, "-o", out, "--expand", *names, *options)
    assert ran.code == 0, ran
    made = {path.name for path in out.iterdir() if path.suffix in (".jpg", ".png", ".hdr")}
    assert made == {
        f"{name}{ending}"
        for name in ("0001 DSC_0001", "0002 DSC_0010")
        for ending in (".jpg", ".png", ".hdr")
    }


def test_dry_run_makes_nothing(run, card, tmp_path):
    ran = run("batch", card, "-o", tmp_path / "out", "--dry-run")
    assert ran.code == 0 and not (tmp_path / "out").exists()
    assert ran.out.count("to make") == 3
    assert ran.out.endswith("left out: DSC_0010.jpg: belongs to no bracket\n")


def test_photos_that_form_no_bracket_are_told(run, card, tmp_path):
    ran = run("batch", card / "DSC_0010.jpg", "-o", tmp_path / "out", *FAST)
    assert ran.code == 0 and "0 made, 0 done before, 0 failed, 1 left out" in ran.out
    assert ran.err.startswith("note: no photos form a bracket: openhdr info FOLDER says why")


def test_names_that_begin_with_a_dash(run, card, tmp_path):
    for number in (1, 2, 3):
        (card / f"DSC_000{number}.jpg").rename(card / f"- ä {number}.jpg")
    assert run("batch", card, "-o", tmp_path / "- out", *FAST).code == 0
    assert (tmp_path / "- out" / "2026-05-01_- ä 1-- ä 3-HDR.exr").is_file()


def test_refusals(refused, card, tmp_path):
    out = tmp_path / "out"
    assert "does not exist" in refused("batch", tmp_path / "nowhere", "-o", out)
    line = refused("batch", card, "-o", out, "--to", ".xyz")
    assert line.startswith("unknown ending in --to .xyz: '.xyz'; ") and "choose one of: .jpg, " in line
    assert "--to .exr,jgp: '.jgp'; did you mean '.jpg'?" in refused(
        "batch", card, "-o", out, "--to", ".exr,jgp"
    )
    assert "--to .exr,.EXR: names an ending twice" in refused("batch", card, "-o", out, "--to", ".exr,.EXR")
    line = refused("batch", card, "-o", out, "--to", ".webp,.jpg")
    assert line.startswith("--to .webp,.jpg: '.webp' holds an image for a screen")
    assert line.endswith("to get both: --to .exr,.webp")
    assert "--name" in refused("batch", card, "-o", out, "--name", "{no}")
    assert "expand has no option 'align'" in refused("batch", card, "-o", out, "--expand", "--align", "none")
    assert "did you mean 'mertens'" in refused("batch", card, "-o", out, "--method", "mertesn")
    assert "Invalid value" in refused("batch", card, "-o", out, "--quality", "much")
    line = refused("batch", card, "-o", out, "--quality", 80)
    assert "--quality 80 is of" in line and "leave it out for 2026-05-01_DSC_0001-DSC_0003-HDR.exr" in line
    assert "--operator hable is of gain maps" in refused(
        "batch", card, "-o", out, "--operator", "hable", "--to", ".exr"
    )
    assert "--workers" in refused("batch", card, "-o", out, "--workers", "0")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system does not kill")
def test_killed_at_any_moment_it_goes_on(run, make_card, tmp_path, rng):
    """The command and its workers are killed; what was done stays untouched, and the end is that of a quiet run."""
    card = make_card(tmp_path / "card", 8, 0)
    assert run("batch", card, "-o", tmp_path / "quiet", *FAST).code == 0
    out = tmp_path / "out"
    start = "import sys; from openhdr.cli import main; sys.argv[0] = 'openhdr'; main()"
    words = [sys.executable, "-c", start, "batch", str(card), "-o", str(out), *FAST]
    done: dict[str, int] = {}
    for _ in range(6):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 2))
        process.kill()
        process.wait()
        records = (
            {path.name: path.stat().st_mtime_ns for path in out.glob("2026*.json")} if out.exists() else {}
        )
        assert done.items() <= records.items()
        done = records
    assert run("batch", card, "-o", out, *FAST).code == 0
    assert _digests(out) == _digests(tmp_path / "quiet")
    assert [path.name for path in out.rglob(".*")] == [".batch.lock"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--method", "mel"), "did you mean 'mle'"),
        (("--method", "trustnet-single"), "unknown method 'trustnet-single'"),
        (("--method", "mle", "--expand"), "unknown method 'mle'"),
        (("--sdr", "a.jpg"), "No such option '--sdr'"),
    ],
)
def test_options_that_no_result_could_use(refused, card, tmp_path, options, words):
    assert words in refused("batch", card, "-o", tmp_path / "out", *options)
