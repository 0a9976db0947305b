"""`openhdr metrics` as users call it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from openhdr import Image, write
from openhdr.cli.metrics import metrics
from openhdr.core.errors import OpenHDRError
from openhdr.io import WriteOptions
from openhdr.metrics import METRICS, evaluate


@pytest.fixture
def scene(rng: np.random.Generator) -> np.ndarray:
    return rng.lognormal(-1, 1, (30, 40, 3)).astype(np.float32)


@pytest.fixture
def files(tmp_path: Path, scene: np.ndarray) -> tuple[Path, Path]:
    return save(tmp_path / "test.exr", scene * np.float32(1.1)), save(tmp_path / "ref.exr", scene)


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    write(path, Image(pixels), WriteOptions(exr_half=False))
    return path


def run(*words: object):
    result = CliRunner().invoke(metrics, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_help_names_every_metric() -> None:
    words = run("--help").stdout.replace(",", " ").replace(";", " ").replace(".", " ").split()
    assert set(METRICS) <= set(words)


def test_json_has_the_scores_of_python(files: tuple[Path, Path], scene: np.ndarray) -> None:
    names = ["psnr-mu", "hdr-vdp-2", "ssim-mu"]
    facts = json.loads(run(*files, "--metric", *names, "--protocol", "abs:400", "--ppd", 40, "--json").stdout)
    expected = evaluate(scene * np.float32(1.1), scene, names, protocol=400, ppd=40)
    assert facts["scores"] == pytest.approx(expected) and list(facts["scores"]) == names
    assert facts["images"][0]["scores"] == facts["scores"]
    assert "40 ppd" in facts["metrics"]["hdr-vdp-2"]["protocol"]


def test_names_can_be_repeated_or_in_a_row(files: tuple[Path, Path]) -> None:
    one = run(*files, "--metric", "psnr-l", "--metric", "psnr-mu").stdout
    assert one == run(*files, "--metric", "psnr-l", "psnr-mu").stdout
    assert one == run("--metric", "psnr-l", "psnr-mu", *files).stdout


def test_table_names_the_protocol(files: tuple[Path, Path]) -> None:
    text = run(*files).stdout
    assert "psnr-mu" in text and "mu 5000" in text and "hdr-vdp-2" not in text


def test_equal_files_are_inf(files: tuple[Path, Path]) -> None:
    facts = json.loads(run(files[1], files[1], "--metric", "psnr-mu", "--json").stdout)
    assert facts["scores"] == {"psnr-mu": "inf"}


def test_folders(tmp_path: Path, scene: np.ndarray) -> None:
    for name, factor in (("a", 1.1), ("b", 1.3)):
        save(tmp_path / "ref" / f"{name}.exr", scene)
        save(tmp_path / "test" / f"{name}.exr", scene * np.float32(factor))
    save(tmp_path / "test" / "extra.exr", scene)
    table = tmp_path / "scores.csv"
    result = run(tmp_path / "test", tmp_path / "ref", "--metric", "psnr-l", "--csv", table, "--json")
    assert "extra.exr" in result.stderr
    facts = json.loads(result.stdout)
    values = [image["scores"]["psnr-l"] for image in facts["images"]]
    assert values[0] - values[1] == pytest.approx(20 * np.log10(3), abs=1e-3)
    assert facts["scores"]["psnr-l"] == pytest.approx(np.mean(values))
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["image"] for row in rows] == ["a.exr", "b.exr", "mean"]
    assert float(rows[2]["value"]) == facts["scores"]["psnr-l"] and "peak 1" in rows[0]["protocol"]
    text = run(tmp_path / "test", tmp_path / "ref", "--metric", "psnr-l").stdout
    assert [line.split()[0] for line in text.splitlines()[:4]] == ["image", "a.exr", "b.exr", "mean"]


def test_missing_test_is_named_and_others_are_scored(tmp_path: Path, scene: np.ndarray) -> None:
    for name in "ab":
        save(tmp_path / "ref" / f"{name}.exr", scene)
    save(tmp_path / "test" / "a.exr", scene)
    with pytest.raises(OpenHDRError, match=r"1 of 2 files failed: .*b\.exr"):
        run(tmp_path / "test", tmp_path / "ref", "--metric", "psnr-l")


def test_map(tmp_path: Path, files: tuple[Path, Path]) -> None:
    from openhdr import read

    picture = tmp_path / "map.png"
    run(*files, "--protocol", "abs:400", "--map", picture)
    assert read(picture).pixels.shape == (30, 40, 3)
    with pytest.raises(OpenHDRError, match=r"--map .* needs .*--protocol"):
        run(*files, "--map", picture)


def test_photos_are_linearised_with_a_note(tmp_path: Path, rng: np.random.Generator) -> None:
    codes = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write(tmp_path / "photo.png", Image(codes, "srgb"))
    result = run(tmp_path / "photo.png", tmp_path / "photo.png", "--metric", "psnr-l", "--json")
    assert "sRGB curve" in result.stderr and json.loads(result.stdout)["scores"]["psnr-l"] == "inf"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metric", "psnr"], "did you mean 'psnr-l'"),
        (["--metric", "hdr-vdp-2"], "protocol=.liu2020.` or `protocol=.abs:PEAK"),
        (["--protocol", "bright"], "expected liu2020 or abs:PEAK"),
        (["--protocol", "liu2020", "--ppd", "-3"], "ppd is -3"),
    ],
)
def test_wrong_requests(files: tuple[Path, Path], words: list[str], message: str) -> None:
    with pytest.raises(OpenHDRError, match=message):
        run(*files, *words)


def test_wrong_files(tmp_path: Path, files: tuple[Path, Path], scene: np.ndarray) -> None:
    small = save(tmp_path / "small.exr", scene[:-1])
    with pytest.raises(OpenHDRError, match=r"small\.exr.*40x29, but ref is 40x30"):
        run(small, files[1])
    with pytest.raises(OpenHDRError, match=r"nothing\.exr: does not exist"):
        run(tmp_path / "nothing.exr", files[1])
    with pytest.raises(OpenHDRError, match="two files or two folders"):
        run(tmp_path, files[1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(OpenHDRError, match="holds no images"):
        run(tmp_path, tmp_path / "empty")


def test_the_benchmarks_scale_by_its_name(files: tuple[Path, Path], scene: np.ndarray) -> None:
    """NAME@shortest by hand: the level where a frame of -2 EV clips is 4; what lies above counts as 4."""
    names = ["psnr-mu@shortest", "psnr-mu", "psnr-l@shortest"]
    facts = json.loads(run(*files, "--metric", *names, "--shortest", -2, "--json").stdout)
    assert list(facts["scores"]) == names
    test, ref = (np.minimum(one.astype(np.float64), 4) / 4 for one in (scene * np.float32(1.1), scene))
    by_hand = -10 * np.log10(np.mean((test - ref) ** 2))
    assert facts["scores"]["psnr-l@shortest"] == pytest.approx(by_hand, abs=1e-4)
    test, ref = (np.log(1 + 5000 * one) / np.log(5001) for one in (test, ref))
    by_hand = -10 * np.log10(np.mean((test - ref) ** 2))
    assert facts["scores"]["psnr-mu@shortest"] == pytest.approx(by_hand, abs=1e-4)
    assert "shortest frame clips, clipped to 0..1 (-2 EV)" in facts["metrics"]["psnr-mu@shortest"]["protocol"]
    assert facts["scores"]["psnr-mu"] == evaluate(scene * np.float32(1.1), scene, ["psnr-mu"])["psnr-mu"]


def test_the_shortest_frame_of_a_simulated_bracket_is_known(tmp_path: Path, scene: np.ndarray) -> None:
    out, truth = save(tmp_path / "out.exr", scene * np.float32(1.1)), save(tmp_path / "b" / "gt.exr", scene)
    facts = {"format": "openhdr-simulated-1", "ev": [-1, 1, 3], "reference_index": 1}
    truth.with_name("scene.json").write_text(json.dumps(facts))
    found = json.loads(run(out, truth, "--metric", "psnr-mu@shortest", "--json").stdout)["scores"]
    asked = evaluate(scene * np.float32(1.1), scene, ["psnr-mu@shortest"], shortest_ev=-2)
    assert found == pytest.approx(asked)
    told = json.loads(run(out, truth, "--metric", "psnr-mu@shortest", "--shortest", -4, "--json").stdout)[
        "scores"
    ]
    assert told != pytest.approx(asked)  # what is stated goes before what is found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("psnr-mu@shortest",), "exposure is not declared; set `shortest_ev`,"),
        (("psnr-mu@shortest", "--shortest", 1), "expected stops from -60 to 0"),
        (("psnr-mu@shortest", "--shortest", "nan"), "expected stops from -60 to 0"),
        (("psnr-mu@longest",), "expected psnr-mu or psnr-mu@shortest"),
        (("psnr-nu@shortest",), "did you mean 'psnr-mu'"),
        (("psnr-nu@longest",), "did you mean 'psnr-mu'"),
    ],
)
def test_unclear_scales_are_refused(files: tuple[Path, Path], words: tuple[object, ...], said: str) -> None:
    with pytest.raises(OpenHDRError, match=said):
        run(*files, "--metric", *words)
