"""Every dataset layout from tiny fixtures; missing and corrupt pieces give one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openhdr.core.errors import FileError, OpenHDRError, RequestError
from openhdr.data import readers
from openhdr.data.readers import DATASETS, open_dataset
from openhdr.data.readers.sice_s import choose_labels


def _challenge(folder: Path, writer, name: str = "0001", ratio: float = 6806.4195) -> dict[str, np.ndarray]:
    codes = {kind: writer.photo(folder / f"{name}_{kind}.png") for kind in ("short", "medium", "long")}
    codes["gt"] = writer.deep(folder / f"{name}_gt.png")
    np.save(folder / f"{name}_exposures.npy", np.array([-3, -1, 1]))
    np.save(folder / f"{name}_alignratio.npy", np.float64(ratio))
    return codes


def _adnet(folder: Path, writer) -> dict[str, np.ndarray]:
    codes = {kind: writer.photo(folder / f"{n}.png") for n, kind in enumerate(("short", "medium", "long"))}
    codes["gt"] = writer.deep(folder / "gt.png")
    np.save(folder / "exposures.npy", np.array([0, 2, 4]))
    np.save(folder / "alignratio.npy", np.float64(5000))
    return codes


def test_hdm_challenge_layout(tmp_path: Path, writer) -> None:
    codes = _challenge(tmp_path, writer)
    _challenge(tmp_path, writer, "0000")
    dataset = open_dataset("hdm", tmp_path, "train")
    assert dataset.names == ("0000", "0001")
    sample = dataset.load("0001")
    assert sample.ev == (-2.0, 0.0, 2.0) and sample.reference == 1 and sample.response == "gamma:2.24"
    assert np.array_equal(sample.frames[0], codes["short"]) and np.array_equal(
        sample.frames[2], codes["long"]
    )
    assert sample.truth == pytest.approx((codes["gt"] / 6806.4195) ** 2.24, rel=1e-5)


def test_hdm_without_folders_holds_whole_shots_out(tmp_path: Path, writer) -> None:
    for name in ("0001", "0057", "0058", "0121", "0122", "1430"):
        _challenge(tmp_path, writer, name)
    assert open_dataset("hdm", tmp_path, "train").names == ("0001", "0057", "0122")
    assert open_dataset("hdm", tmp_path, "validation").names == ("0058", "0121", "1430")


def test_hdm_adnet_layout(tmp_path: Path, writer) -> None:
    codes = _adnet(tmp_path / "training" / "000012", writer)
    _challenge(tmp_path / "validation", writer, "0003")
    _challenge(tmp_path / "validation", writer, "0004")
    np.save(tmp_path / "val.npy", np.array([4]))
    train = open_dataset("hdm", tmp_path)
    assert train.names == ("000012",)
    assert train.load("000012").ev == (-2.0, 0.0, 2.0)
    assert np.array_equal(train.load("000012").frames[1], codes["medium"])
    assert open_dataset("hdm", tmp_path, "validation").names == ("0004",)


def test_hdm_gsanet_patches(tmp_path: Path, writer) -> None:
    codes = {
        k: writer.photo(tmp_path / f"{k}_sub" / f"0007_{k}_s001.png") for k in ("short", "medium", "long")
    }
    truth = writer.deep(tmp_path / "gt_sub" / "0007_gt_s001.png")
    for kind, value in (("exposures", np.array([-2, 0, 2])), ("alignratio", np.float64(7000))):
        (tmp_path / kind).mkdir()
        np.save(tmp_path / kind / f"0007_{kind}.npy", value)
    dataset = open_dataset("hdm", tmp_path)
    assert dataset.names == ("0007_s001",)
    sample = dataset.load("0007_s001")
    assert sample.truth == pytest.approx((truth / 7000) ** 2.24, rel=1e-5)
    assert np.array_equal(sample.frames[2], codes["long"])


def _kalantari(folder: Path, writer, label: str = "HDRImg.hdr") -> np.ndarray:
    for n in range(3):
        writer.deep(folder / f"26{n}A0001.tif")
    (folder / "exposure.txt").write_text("0.00\n2.00\n4.00\n")
    return writer.hdr(folder / label)


def test_kalantari(tmp_path: Path, writer) -> None:
    truth = _kalantari(tmp_path / "Training" / "12-55-27", writer)
    _kalantari(tmp_path / "Test" / "EXTRA" / "001", writer)
    _kalantari(tmp_path / "Test" / "PAPER" / "BarbequeDay", writer)
    sample = open_dataset("kalantari", tmp_path).load("12-55-27")
    assert sample.ev == (-2.0, 0.0, 2.0) and sample.response == "gamma:2.2"
    assert sample.frames[0].dtype == np.uint16
    # time 2^2 for the middle frame: it clips at light 1/4 of the file's unit, which becomes 1
    assert sample.truth == pytest.approx(4 * truth)
    assert open_dataset("kalantari", tmp_path, "test").names == ("EXTRA/001", "PAPER/BarbequeDay")


def test_tel_has_two_names_for_its_truth(tmp_path: Path, writer) -> None:
    _kalantari(tmp_path / "Training" / "000", writer, "label.hdr")
    _kalantari(tmp_path / "Training" / "001", writer)
    dataset = open_dataset("tel", tmp_path)
    assert [sample.truth is not None for sample in dataset] == [True, True]


def _sice(root: Path, writer, number: int, count: int = 5, part: int = 1) -> None:
    for k in range(count):
        low = 40 * k
        writer.photo(root / f"Dataset_Part{part}" / str(number) / f"{k + 1}.png", low, low + 60)
    writer.photo(root / f"Dataset_Part{part}" / "Label" / f"{number}.png")


def test_sice_and_its_published_test_list(tmp_path: Path, writer) -> None:
    for number in (1, 4, 10, 2):
        _sice(tmp_path, writer, number)
    _sice(tmp_path, writer, 4, part=2)
    assert open_dataset("sice", tmp_path, "train").names == ("part1/1", "part1/2", "part2/4")
    assert open_dataset("sice", tmp_path, "test").names == ("part1/4", "part1/10")
    sample = open_dataset("sice", tmp_path, "all").load("part1/2")
    means = [frame.mean() for frame in sample.frames]
    assert means == sorted(means) and sample.ev is None and sample.extras["label"].shape == (8, 12, 3)


def test_sice_s_takes_the_nearest_frame_that_recovers_enough() -> None:
    def frame(level: int, hole: int | None = None) -> np.ndarray:
        codes = np.full((10, 10, 3), level, np.uint8)
        codes[:3] = level if hole is None else hole
        return codes

    stack = (frame(5, 8), frame(20, 120), frame(60, 160), frame(120, 252), frame(200, 254), frame(250, 255))
    # the bright third of frame 3 is well shown by frames 2 and 1: the nearer one is chosen
    down, up = choose_labels(stack, 3)
    assert (down, up) == (2, 4)
    dark = (frame(2), frame(9), frame(10, 5), frame(30, 6), frame(90, 70), frame(150, 120))
    assert choose_labels(dark, 2) == (1, 4)


def test_sice_s_samples(tmp_path: Path, writer) -> None:
    _sice(tmp_path, writer, 1)
    sample = open_dataset("sice-s", tmp_path, "train").load("part1/1")
    assert set(sample.extras) == {"up", "down", "label"} and len(sample.frames) == 1
    assert sample.extras["down"].mean() < sample.frames[0].mean() < sample.extras["up"].mean()


def test_hdr_eye(tmp_path: Path, writer) -> None:
    truth = writer.hdr(tmp_path / "images" / "HDR" / "C01_HDR.hdr")
    for k in range(4):
        writer.photo(tmp_path / "images" / "Bracketed_images" / "C01" / f"C01_{k}.png", 40 * k, 40 * k + 30)
    writer.photo(tmp_path / "images" / "LDR" / "C01_LDR.png")
    sample = open_dataset("hdr-eye", tmp_path).load("C01")
    assert np.array_equal(sample.truth, truth) and len(sample.frames) == 4 and sample.ev is None
    assert "ldr" in sample.extras


def test_fairchild_and_any_hdr_folder(tmp_path: Path, writer) -> None:
    truth = writer.hdr(tmp_path / "BarHarborPresunrise.exr")
    writer.hdr(tmp_path / "deeper" / "Other.hdr")
    assert np.array_equal(open_dataset("fairchild", tmp_path).load("BarHarborPresunrise").truth, truth)
    folder = open_dataset("hdr-folder", tmp_path)
    assert folder.names == ("BarHarborPresunrise", "deeper/Other")
    assert folder.load("deeper/Other").frames == ()


def test_bracket_folder_with_listed_exposures(tmp_path: Path, writer) -> None:
    codes = [writer.photo(tmp_path / "one" / f"shot{k}.png") for k in range(3)]
    (tmp_path / "one" / "ev.txt").write_text("2 -2 0")
    truth = writer.hdr(tmp_path / "one" / "gt.exr")
    sample = open_dataset("bracket-folder", tmp_path).load("one")
    assert sample.ev == (-2.0, 0.0, 2.0) and np.array_equal(sample.frames[0], codes[1])
    assert np.array_equal(sample.truth, truth)


def _missing(tmp_path: Path, writer) -> dict[str, tuple[str, Path]]:
    """kind -> (scene, the file to damage)."""
    _challenge(tmp_path / "hdm", writer)
    _kalantari(tmp_path / "kalantari" / "Training" / "a", writer)
    _kalantari(tmp_path / "tel" / "Training" / "a", writer)
    _sice(tmp_path / "sice", writer, 1)
    writer.hdr(tmp_path / "hdr-eye" / "HDR" / "C01_HDR.hdr")
    writer.hdr(tmp_path / "fairchild" / "A.exr")
    writer.hdr(tmp_path / "hdr-folder" / "A.hdr")
    for k in range(2):
        writer.photo(tmp_path / "bracket-folder" / "a" / f"{k}.png")
    return {
        "hdm": ("0001", tmp_path / "hdm" / "0001_gt.png"),
        "kalantari": ("a", tmp_path / "kalantari" / "Training" / "a" / "HDRImg.hdr"),
        "tel": ("a", tmp_path / "tel" / "Training" / "a" / "exposure.txt"),
        "sice": ("part1/1", tmp_path / "sice" / "Dataset_Part1" / "Label" / "1.png"),
        "hdr-eye": ("C01", tmp_path / "hdr-eye" / "HDR" / "C01_HDR.hdr"),
        "fairchild": ("A", tmp_path / "fairchild" / "A.exr"),
        "hdr-folder": ("A", tmp_path / "hdr-folder" / "A.hdr"),
        "bracket-folder": ("a", tmp_path / "bracket-folder" / "a" / "1.png"),
    }


KINDS = ("hdm", "kalantari", "tel", "sice", "hdr-eye", "fairchild", "hdr-folder", "bracket-folder")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "rubbish"])
def test_damage_gives_one_clear_line(tmp_path: Path, writer, kind: str, damage: str) -> None:
    scene, victim = _missing(tmp_path, writer)[kind]
    dataset = open_dataset(kind, tmp_path / kind)
    data = victim.read_bytes()
    if damage == "missing":
        victim.unlink()
    else:
        victim.write_bytes(
            {"empty": b"", "truncated": data[: len(data) // 2], "rubbish": b"rubbish" * 99}[damage]
        )
    with pytest.raises(OpenHDRError) as caught:
        dataset.load(scene)
    message = str(caught.value)
    assert ("\n" not in message and victim.stem[:4] in message) or victim.parent.name in message
    if damage == "missing":
        assert "expects" in message and len(dataset.complete()) == 0


@pytest.mark.parametrize("kind", list(DATASETS))
def test_empty_and_absent_folders_say_what_is_expected(tmp_path: Path, kind: str) -> None:
    with pytest.raises(FileError, match=r"holds no scene; .* expects "):
        open_dataset(kind, tmp_path)
    with pytest.raises(FileError, match=r"is not a folder|holds no"):
        open_dataset(kind, tmp_path / "nowhere")


def test_numbers_that_are_none(tmp_path: Path, writer) -> None:
    _challenge(tmp_path, writer)
    np.save(tmp_path / "0001_alignratio.npy", np.float64(0))
    with pytest.raises(FileError, match="expected a ratio above 0"):
        open_dataset("hdm", tmp_path).load("0001")
    np.save(tmp_path / "0001_exposures.npy", np.array([1, 2]))
    with pytest.raises(FileError, match="expected 3 finite numbers"):
        open_dataset("hdm", tmp_path).load("0001")
    np.save(tmp_path / "0001_exposures.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(FileError, match="is not a NumPy array"):
        open_dataset("hdm", tmp_path).load("0001")


def test_falling_exposures_are_refused(tmp_path: Path, writer) -> None:
    _kalantari(tmp_path / "a", writer)
    (tmp_path / "a" / "exposure.txt").write_text("0 0 2")
    with pytest.raises(FileError, match="does not rise"):
        open_dataset("kalantari", tmp_path).load("a")


def test_mixed_sizes_are_refused(tmp_path: Path, writer) -> None:
    _challenge(tmp_path, writer)
    writer.photo(tmp_path / "0001_long.png", size=(9, 12))
    with pytest.raises(FileError, match="mixes sizes"):
        open_dataset("hdm", tmp_path).load("0001")


def test_folder_and_table_agree() -> None:
    folder = Path(readers.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {name.replace("-", "_") for name in DATASETS}
    for name, row in DATASETS.items():
        assert row.target.split(":")[0].endswith("." + name.replace("-", "_")) and callable(row.load())


def test_unknown_names_name_the_nearest(tmp_path: Path, writer) -> None:
    _challenge(tmp_path, writer)
    with pytest.raises(RequestError, match="did you mean 'kalantari'"):
        open_dataset("kalantary", tmp_path)
    with pytest.raises(RequestError, match="no split 'trian'; choose one of: train, validation"):
        open_dataset("hdm", tmp_path, "trian")
    with pytest.raises(RequestError, match="did you mean '0001'"):
        open_dataset("hdm", tmp_path).load("001")
