"""Simulated brackets on disk, the command that writes them, and the public benchmark."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from openhdr import io
from openhdr.camera import response
from openhdr.cli.simulate import simulate
from openhdr.core.errors import FileError, OpenHDRError, RequestError
from openhdr.core.image import Image
from openhdr.data import benchmark
from openhdr.data.benchmark import cases, make_case, read_scenes
from openhdr.data.readers import open_dataset
from openhdr.data.simulated import digest_of
from openhdr.data.splits import held_out_in, panoramas


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small panoramas, smooth with a lamp."""
    folder = tmp_path_factory.mktemp("scenes")
    y, x = np.mgrid[0:64, 0:128]
    for k in range(3):
        light = np.exp(np.sin(2 * np.pi * (x / 128 * (k + 1))) + np.cos(y / 9 + k))[..., None] * [
            0.5,
            0.6,
            0.4,
        ]
        light[30:34, 60:64] = 900
        io.write(folder / f"s{k}.hdr", Image(light.astype(np.float32)))
    return folder


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(simulate, [str(a) for a in arguments], catch_exceptions=True)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_layout_of_the_contract(scenes: Path, tmp_path: Path) -> None:
    result = _run(
        scenes / "s0.hdr", "-o", tmp_path / "out", "--size", "48x32", "--seed", 5, "--ev=2,-2,0", "--json"
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["brackets"][0]["ev"] == [-2, 0, 2]
    facts = json.loads((tmp_path / "out" / "scene.json").read_text())
    assert facts["ev"] == [-2, 0, 2] and facts["seed"] == 5 and facts["reference_index"] == 1
    frames = [io.read(tmp_path / "out" / f"{k}.png").pixels for k in range(3)]
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 3
    assert frames[0].mean() < frames[1].mean() < frames[2].mean()
    truth = io.read(tmp_path / "out" / "gt.exr").pixels
    reference = response.analytic("srgb").decode(Image(frames[1], "srgb"))
    fine = (truth > 0.05) & (truth < 0.8)
    assert np.median(np.abs(reference[fine] / truth[fine] - 1)) < 0.1  # same geometry, same unit
    assert (
        facts["plan"]["camera"]["noise"]["shot"] > 0
        and facts["distributions"]["shake"]["turn_px"]["is"] == "LogUniform"
    )
    sample = open_dataset("simulated", tmp_path / "out").load("out")
    assert np.array_equal(sample.truth, truth) and np.array_equal(sample.frames[2], frames[2])


def test_same_seed_same_files(scenes: Path, tmp_path: Path) -> None:
    options = ("--size", "40x30", "--camera", "varied", "--objects", scenes / "s1.hdr")
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert _run(scenes / "s0.hdr", "-o", tmp_path / name, "--seed", seed, *options).exit_code == 0
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    other = _bytes(tmp_path / "c")
    assert all(data != other[name] for name, data in _bytes(tmp_path / "a").items() if name[0].isdigit())


def test_sigmoid_response_comes_as_a_file(scenes: Path, tmp_path: Path) -> None:
    options = ("--response", "sigmoid", "--size", "48x32", "--iso", 25, "--still", "--bits", 12)
    assert _run(scenes / "s0.hdr", "-o", tmp_path, *options).exit_code == 0
    sample = open_dataset("simulated", tmp_path).load(tmp_path.name)
    assert sample.frames[0].dtype == np.uint16
    curve = response.parse(str(tmp_path / "response.json"))
    light = curve.decode(Image(sample.frames[sample.reference], "srgb"))
    assert sample.light()[sample.reference] == pytest.approx(light, abs=2e-3)
    fine = (sample.truth > 0.2) & (sample.truth < 0.8)
    assert np.median(light[fine] / sample.truth[fine]) == pytest.approx(1, abs=0.02)


def test_real_camera(scenes: Path, tmp_path: Path) -> None:
    options = ("--camera", "real", "--size", "64x48", "--ev", "-2,0,2", "--iso", 100)
    assert _run(scenes / "s0.hdr", "-o", tmp_path / "b", *options).exit_code == 0
    facts = json.loads((tmp_path / "b" / "scene.json").read_text())
    assert facts["response"].startswith("style:") and facts["plan"]["camera"]["iso"] == 100
    assert facts["plan"]["camera"]["processing"]["lens"]["glare"] > 0
    curve = response.parse(str(tmp_path / "b" / "response.json"))
    sample = open_dataset("simulated", tmp_path).load("b")
    light = curve.decode(Image(sample.frames[1], "srgb"))
    assert sample.light()[1] == pytest.approx(light, abs=0.01)
    result = _run(scenes / "s0.hdr", "-o", tmp_path / "c", *options, "--response", "srgb")
    assert isinstance(result.exception, RequestError) and "picture style" in str(result.exception)


def test_many_brackets_and_failures(scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.hdr").write_bytes(b"rubbish")
    arguments = (
        scenes,
        tmp_path / "bad.hdr",
        "-o",
        tmp_path / "out",
        "--size",
        "32x24",
        "--count",
        2,
        "--no-masks",
    )
    result = _run(*arguments)
    assert isinstance(result.exception, OpenHDRError) and "2 of 8 brackets failed" in str(result.exception)
    assert "failed: bad-6: " in result.stderr and "bad.hdr" in result.stderr
    folders = [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert sorted(path.name for path in folders) == ["s0-0", "s0-1", "s1-2", "s1-3", "s2-4", "s2-5"]
    assert not list((tmp_path / "out").rglob("moved*"))


def _bracket_files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("*/*")}


def test_brackets_of_workers_are_those_made_alone_and_stay(scenes: Path, tmp_path: Path) -> None:
    options = ("--size", "40x30", "--camera", "varied", "--seed", 7)
    many = (scenes, "-o", tmp_path / "many", "--count", 2, *options)
    assert _run(*many, "--workers", 2).exit_code == 0
    objects = [word for k in range(3) for word in ("--objects", scenes / f"s{k}.hdr")]
    assert _run(scenes / "s1.hdr", "-o", tmp_path / "one", *options[:-1], 10, *objects).exit_code == 0
    made = _bracket_files(tmp_path / "many")
    assert {f"s1-10/{name}": data for name, data in _bytes(tmp_path / "one").items()}.items() <= made.items()
    (tmp_path / "many" / "s0-7" / "gt.exr").unlink()
    times = {name: (tmp_path / "many" / name / "scene.json").stat().st_mtime_ns for name in ("s0-7", "s2-12")}
    assert _run(*many).exit_code == 0 and _bracket_files(tmp_path / "many") == made
    now = {name: (tmp_path / "many" / name / "scene.json").stat().st_mtime_ns for name in times}
    assert now["s2-12"] == times["s2-12"] and now["s0-7"] > times["s0-7"]
    assert _run(*many, "--still").exit_code == 0 and _bracket_files(tmp_path / "many") != made


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system does not kill")
def test_killed_at_any_moment_it_goes_on(scenes: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    start = "import sys; from openhdr.cli import main; sys.argv[0] = 'openhdr'; main()"
    words = ("simulate", scenes, "--size", "240x160", "--count", 4, "--camera", "real", "--workers", 2)

    def started(out: str) -> subprocess.Popen[bytes]:
        given = [sys.executable, "-c", start, *map(str, words), "-o", str(tmp_path / out)]
        return subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    assert started("quiet").wait() == 0
    for _ in range(5):
        process = started("out")
        time.sleep(rng.uniform(0.4, 1.5))
        process.kill()
        process.wait()
    assert started("out").wait() == 0
    assert _bracket_files(tmp_path / "out") == _bracket_files(tmp_path / "quiet")


def test_nothing_of_an_earlier_bracket_stays(scenes: Path, tmp_path: Path) -> None:
    def made(out: str, *options: object) -> set[str]:
        assert _run(scenes / "s0.hdr", "-o", tmp_path / out, "--size", "32x24", *options).exit_code == 0
        return {path.name for path in (tmp_path / out).iterdir()}

    assert {"4.png", "moved_4.png"} <= made("out", "--ev=-4,-2,0,2,4")
    for name in (".hidden_0-71688f1a.png", "notes.txt", "10.jpg"):
        (tmp_path / "out" / name).touch()
    later = ("--ev=-2,0,2", "--no-masks")
    assert made("out", *later) == made("alone", *later) | {"notes.txt", "10.jpg"}


def test_photos_of_somebody_else_are_not_removed(scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "7.png").write_bytes(b"holiday")
    (tmp_path / "scene.json").write_text("{}")  # another program's
    result = _run(scenes / "s0.hdr", "-o", tmp_path, "--size", "32x24")
    assert isinstance(result.exception, FileError) and "choose another output folder" in str(result.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"7.png", "scene.json"}
    bracket = ("-o", tmp_path / "b", "--size", "32x24")
    assert _run(scenes / "s0.hdr", *bracket).exit_code == 0
    kept = ("12.exr", "gt.png", "3.json", "20260501-12345678.png")
    for name in kept:
        (tmp_path / "b" / name).touch()
    assert _run(scenes / "s0.hdr", *bracket).exit_code == 0
    assert all((tmp_path / "b" / name).exists() for name in kept)


def test_cache_command(scenes: Path, tmp_path: Path) -> None:
    result = _run(scenes, "-o", tmp_path / "cache", "--cache")
    assert result.exit_code == 0 and "3 scenes in 1 shards" in result.stdout


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (("--ev", "a"), RequestError, "expected numbers with commas"),
        (("--size", "9x9"), RequestError, "expected width x height of 16"),
        (("--size", "99999x99999"), RequestError, "is more than"),
        (("--jpeg", "80", "--bits", "10"), RequestError, "8-bit"),
    ],
)
def test_bad_requests(scenes: Path, tmp_path: Path, options: tuple, kind: type, message: str) -> None:
    result = _run(scenes / "s0.hdr", "-o", tmp_path / "out", *options)
    assert isinstance(result.exception, kind) and message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_bad_files(scenes: Path, tmp_path: Path) -> None:
    assert "does not exist" in str(_run(tmp_path / "no.hdr", "-o", tmp_path / "o").exception)
    assert "holds no .hdr or .exr" in str(_run(tmp_path, "-o", tmp_path / "o").exception)
    io.write(tmp_path / "black.hdr", Image(np.zeros((32, 64, 3), np.float32)))
    assert "is black" in str(_run(tmp_path / "black.hdr", "-o", tmp_path / "o").exception)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert isinstance(_run(scenes / "s0.hdr", "-o", blocked / "x", "--size", "32x24").exception, FileError)


def test_damaged_bracket_is_named(scenes: Path, tmp_path: Path) -> None:
    assert _run(scenes / "s0.hdr", "-o", tmp_path / "a", "--size", "32x24").exit_code == 0
    (tmp_path / "a" / "gt.exr").unlink()
    with pytest.raises(FileError, match=r"gt\.exr: is missing from scene 'a'"):
        open_dataset("simulated", tmp_path).load("a")
    (tmp_path / "a" / "scene.json").write_text("{}")
    with pytest.raises(FileError, match=r"scene\.json"):
        open_dataset("simulated", tmp_path).load("a")


def test_benchmark_definition() -> None:
    every = cases()
    assert [case.group for case in every] == ["moving"] * 24 + ["still"] * 8
    assert len({case.seed for case in every}) == 32 and len({case.sha256 for case in every}) == 32
    assert {case.scene for case in every} <= set(panoramas("public_test"))
    assert set(held_out_in({case.scene for case in every}).values()) == {"public_test"}


def test_real_camera_benchmark_definition() -> None:
    every = cases(benchmark.REAL_CAMERA)
    assert [case.group for case in every] == ["hand-held"] * 12 + ["tripod"] * 8
    assert len({case.sha256 for case in every}) == 20
    assert {case.scene for case in every} == {case.scene for case in cases()}
    assert not {case.seed for case in every} & {case.seed for case in cases()}


@pytest.fixture(scope="module")
def public_panoramas(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = shared / "data" / "public_test.tar.xz"
    if not archive.is_file():
        pytest.skip("needs public_test.tar.xz, which is not part of the repository")
    folder = tmp_path_factory.mktemp("public")
    wanted = {case.scene for case in cases()}
    with tarfile.open(archive) as tar:
        for member in tar:
            if Path(member.name).stem in wanted and member.name.endswith(".hdr"):
                (folder / Path(member.name).name).write_bytes(tar.extractfile(member).read())
    return folder


@pytest.mark.slow
def test_benchmark_is_reproduced(public_panoramas: Path) -> None:
    panoramas_read = read_scenes([public_panoramas])
    for case in (cases()[0], cases()[17], cases()[31]):
        result = make_case(case, panoramas_read)
        assert digest_of(result) == case.sha256
        assert result.moved.any() == (case.group == "moving")


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 12])
def test_real_camera_benchmark_is_reproduced(public_panoramas: Path, number: int) -> None:
    case = cases(benchmark.REAL_CAMERA)[number]
    result = make_case(case, read_scenes([public_panoramas]))
    assert digest_of(result) == case.sha256
    assert result.plan.camera.processing is not None and 3 <= len(result.frames) <= 9


@pytest.mark.slow
def test_benchmark_refuses_other_panoramas(public_panoramas: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is missing"):
        benchmark.write_benchmark([public_panoramas / "lebombo.hdr"], tmp_path)
    for path in public_panoramas.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "lebombo.hdr").write_bytes((public_panoramas / "comfy_cafe.hdr").read_bytes())
    with pytest.raises(FileError, match="is not the published panorama"):
        benchmark.write_benchmark([tmp_path], tmp_path / "out")
