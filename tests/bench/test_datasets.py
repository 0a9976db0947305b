"""Every dataset as a case, on miniatures put together by hand; scores against formulas written out apart."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from openhdr import models
from openhdr.bench import DATASET_CASES
from openhdr.bench.load_case import load_case
from openhdr.cli.bench import bench
from openhdr.cli.metrics import metrics
from openhdr.core.errors import FileError, RequestError

sys.path.insert(0, str(Path(__file__).parent))
import independent
import miniatures

torch = pytest.importorskip("torch", reason="networks need the torch extra")


def run(*words: str | Path) -> dict:
    """The command's results.json."""
    done = CliRunner().invoke(bench, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def scores(facts: dict, method: str) -> dict[str, dict[str, float]]:
    return {one["scene"]: one["scores"] for one in facts["runs"] if one["method"] == method}


# --- HdM / NTIRE -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hdm(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hdm")
    miniatures.hdm(folder, ("0057", "0058", "0430"))
    return folder


def test_hdm_scores_held_out_scenes_by_the_challenge_s_formulas(hdm: Path, tmp_path: Path) -> None:
    words = ("--method", "photo", "--method", "gsanet", "--method", "mle:response=gamma:2.24")
    facts = run("hdm", "--data", hdm, "-o", tmp_path / "out", *words)
    assert [scene["name"] for scene in facts["scenes"]] == ["0058", "0430"]
    found = scores(facts, "photo")
    for name in found:
        medium = independent.read_png(hdm / f"{name}_medium.png") / 255
        stored = tmp_path / f"{name}.png"
        miniatures.write_png(stored, np.rint(medium * 65535).astype(np.uint16))
        ratio = tmp_path / "ratio.npy"
        np.save(ratio, np.float64(65535))
        truth = (hdm / f"{name}_gt.png", hdm / f"{name}_alignratio.npy")
        plain, tone_mapped = independent.challenge(stored, ratio, *truth)
        assert found[name]["ntire-psnr"] == pytest.approx(plain, abs=1e-3)
        assert found[name]["ntire-psnr-mu"] == pytest.approx(tone_mapped, abs=1e-3)


def test_a_network_sees_the_frames_as_they_are(hdm: Path, tmp_path: Path) -> None:
    """The same as calling the network on code / 255 with the stored EVs, averaged over four views with --augment."""
    net = models.load("gsanet", weights="gsanet")
    frames = [independent.read_png(hdm / f"0058_{kind}.png") / 255 for kind in ("short", "medium", "long")]
    images = torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2)[None].astype(np.float32))
    ev = torch.tensor([[-2.0, 0.0, 2.0]])
    with torch.inference_mode():
        plain = net(images, ev)
        views = [(-1, -2), (-1,), (-2,)]
        posed = [net(images.transpose(-1, -2), ev).transpose(-1, -2)]
        posed += [net(images.flip(axes), ev).flip(axes) for axes in views[1:]]
    augmented = (plain + sum(posed)) / 4
    truth = (independent.read_png(hdm / "0058_gt.png") / np.load(hdm / "0058_alignratio.npy")) ** 2.24
    for coded, words in ((plain, ()), (augmented, ("--augment",))):
        facts = run("hdm", "--data", hdm, "-o", tmp_path, "--scene", "0058", "--method", "gsanet", *words)
        ours = coded[0].permute(1, 2, 0).double().numpy()
        level = np.percentile(truth, 99)
        expected = independent.psnr(*(independent.mu(np.tanh(x / level)) for x in (ours**2.24, truth)))
        assert scores(facts, "gsanet")["0058"]["ntire-psnr-mu"] == pytest.approx(expected, abs=2e-3)


def test_one_photo_networks_on_any_exposure(hdm: Path, tmp_path: Path) -> None:
    words = (
        "--method",
        "two-stage",
        "--method",
        "two-stage:photo=longest",
        "--method",
        "two-stage:photo=any",
    )
    facts = run("hdm", "--data", hdm, "-o", tmp_path, "--scene", "0058", *words)
    found = [one["scores"]["ntire-psnr-mu"] for one in facts["runs"]]
    assert len(set(found)) >= 2 and found[0] > found[1]  # the long frame clips more


def test_without_a_held_out_scene_all_are_used_and_that_is_said(tmp_path: Path) -> None:
    miniatures.hdm(tmp_path / "data", ("0001", "0002"))
    facts = run("hdm", "--data", tmp_path / "data", "-o", tmp_path / "out", "--method", "photo")
    assert len(facts["scenes"]) == 2
    assert any("No scene of the split 'validation'" in note for note in facts["case"]["notes"])


def test_a_list_of_one_s_own_is_the_split(hdm: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    miniatures.hdm(data, ("0001", "0002", "0003"))
    (data / "gsanet.txt").write_text("0003\n0001\n")
    facts = run("hdm", "--data", data, "-o", tmp_path / "out", "--split", "gsanet", "--method", "photo")
    assert [scene["name"] for scene in facts["scenes"]] == ["0003", "0001"]
    (data / "gsanet.txt").write_text("0009")
    with pytest.raises(FileError, match="lists '0009', which is no scene"):
        load_case("hdm", data, tmp_path, "gsanet")


def test_submission_is_read_back_by_metrics(hdm: Path, tmp_path: Path) -> None:
    frames, zipped = tmp_path / "frames", tmp_path / "results.zip"
    miniatures.hdm(frames, ("0057", "0058", "0430"), truth=False)
    words = ["hdm", "--data", str(frames), "--method", "gsanet"]
    for target in (zipped, tmp_path / "folder"):
        done = CliRunner().invoke(bench, [*words, "--submit", str(target)], catch_exceptions=False)
        assert done.exit_code == 0 and "3 scenes" in done.output
    names = {f"{name}{kind}" for name in ("0057", "0058", "0430") for kind in (".png", "_alignratio.npy")}
    assert {path.name for path in (tmp_path / "folder").iterdir()} == names
    ours = {}
    for test in (zipped, tmp_path / "folder"):
        asked = [str(test), str(hdm), "--metric", "ntire-psnr", "ntire-psnr-mu", "--json"]
        facts = json.loads(CliRunner().invoke(metrics, asked, catch_exceptions=False).stdout)
        ours = {Path(one["ref"]).stem[:4]: one["scores"] for one in facts["images"]}
        assert set(ours) == {"0057", "0058", "0430"}
    for name, found in ours.items():
        result = (tmp_path / "folder" / f"{name}.png", tmp_path / "folder" / f"{name}_alignratio.npy")
        assert np.load(result[1]).shape == () and cv2.imread(str(result[0]), -1).dtype == np.uint16
        plain, tone_mapped = independent.challenge(
            *result, hdm / f"{name}_gt.png", hdm / f"{name}_alignratio.npy"
        )
        assert found["ntire-psnr"] == pytest.approx(plain, abs=1e-3)
        assert found["ntire-psnr-mu"] == pytest.approx(tone_mapped, abs=1e-3)


def test_submission_refuses_what_is_no_light_and_what_is_no_challenge(hdm: Path, tmp_path: Path) -> None:
    for words, said in (
        (["kalantari", "--data", str(hdm), "--method", "mle"], "of the case hdm"),
        (["hdm", "--data", str(hdm), "--method", "mle", "--method", "gsanet"], "takes one method; got 2"),
        (["hdm", "--data", str(hdm), "--method", "mertens"], "image for display"),
    ):
        done = CliRunner().invoke(bench, [*words, "--submit", str(tmp_path / "a.zip")])
        assert isinstance(done.exception, RequestError) and said in str(done.exception)
    assert not (tmp_path / "a.zip").exists()


# --- the others ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "label"), [("kalantari", "HDRImg.hdr"), ("tel", "label.hdr")])
def test_kalantari_and_tel_on_the_shortest_frame_s_scale(kind: str, label: str, tmp_path: Path) -> None:
    scenes = miniatures.kalantari(tmp_path / "data", label)
    keys = ("--metric", "psnr-mu@shortest", "--metric", "psnr-l@shortest")
    facts = run(
        kind, "--data", tmp_path / "data", "-o", tmp_path, "--method", "photo", "--method", "ahdrnet", *keys
    )
    assert set(scores(facts, "ahdrnet")) == set(scenes)
    for name, found in scores(facts, "photo").items():
        (frame,) = (tmp_path / "data" / "Test" / name).glob("261*.tif")
        medium = (cv2.imread(str(frame), -1)[..., ::-1] / 65535.0) ** 2.2 / 4
        truth = cv2.imread(str(tmp_path / "data" / "Test" / name / label), -1)[..., ::-1]
        expected = independent.deghosting(medium, truth)
        assert (found["psnr-mu@shortest"], found["psnr-l@shortest"]) == pytest.approx(expected, abs=2e-3)


def test_expansion_datasets_give_one_photo_and_score_at_512(tmp_path: Path) -> None:
    miniatures.sice(tmp_path / "sice-s")
    miniatures.hdr_eye(tmp_path / "hdr-eye")
    miniatures.fairchild(tmp_path / "fairchild")
    for name, count in (("sice-s", 1), ("hdr-eye", 2), ("fairchild", 2)):
        case = load_case(name, tmp_path / name, tmp_path)
        assert {"stack-itm", "two-stage", "landis", "photo"} <= {setting.name for setting in case.settings}
        assert [column.key for column in case.columns] == ["hdr-vdp-2", "tm-psnr", "tm-ssim"]
        if name == "fairchild":  # no shutter times in these JPEGs: the photo alone needs none
            assert len(case.scenes) == count
        scene = case.scenes[0].load()
        assert scene.truth.shape == (512, 512, 3) and len(scene.frames) == 1 and scene.ev == (0.0,)
        seen = scene.given.frames[0].pixels / 255.0
        good = ((seen > 0.3) & (seen < 0.8)).all(axis=2)
        ratio = (seen**2.2)[good] / scene.truth[good]  # 1.0 = the photo clips, whatever the file's own scale
        assert np.median(ratio) == pytest.approx(1, abs=0.12)


def test_sice_s_takes_images_of_the_user_s_where_they_are(tmp_path: Path) -> None:
    from openhdr.data.readers import open_dataset

    miniatures.sice(tmp_path)
    part = tmp_path / "Dataset_Part1"
    fused = np.full((64, 96, 3), 3.0, np.float32)
    miniatures.write_hdr(part / "HDR" / "1.hdr", fused)
    miniatures.write_png(part / "Up" / "1.png", np.full((64, 96, 3), 200, np.uint8))
    own = open_dataset("sice-s", tmp_path, "train").load("part1/1")
    ours = open_dataset("sice-s", tmp_path, "train").load("part1/2")
    assert np.allclose(own.truth, 3) and (own.extras["up"] == 200).all()
    assert ours.truth is not None and ours.truth.max() > 1.5  # the whole stack holds what the photo clips


def test_brackets_of_one_s_own_with_truth(tmp_path: Path) -> None:
    scene = miniatures.brackets(tmp_path / "mine")
    facts = run(tmp_path / "mine", "-o", tmp_path / "out", "--method", "photo", "--metric", "psnr-l")
    medium = (independent.read_png(tmp_path / "mine" / "kitchen" / "1.png") / 255 + 0.055) / 1.055
    assert scores(facts, "photo")["kitchen"]["psnr-l"] == pytest.approx(
        independent.psnr(np.where(medium <= 0.09510, (medium * 1.055 - 0.055) / 12.92, medium**2.4), scene),
        abs=1e-2,
    )
    (tmp_path / "mine" / "kitchen" / "gt.exr").unlink()
    with pytest.raises(FileError, match="holds no bracket with its truth"):
        load_case(str(tmp_path / "mine"), None, tmp_path)


@pytest.mark.parametrize("name", list(DATASET_CASES))
def test_a_dataset_case_says_what_it_needs(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="`data`"):
        load_case(name, None, tmp_path)
    with pytest.raises(FileError, match="holds no scene"):
        load_case(name, tmp_path, tmp_path)
