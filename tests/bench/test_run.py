"""Running a case: scores against formulas by hand, failures, time and memory, what results.json holds."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from openhdr.bench.case import BenchScene, Case
from openhdr.bench.measure import measure
from openhdr.bench.methods.photos import reference_light
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.results import Results, Run
from openhdr.bench.run import run
from openhdr.bench.scoring import error_map, score, visibility_map
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.metrics import evaluate, parse_column


def by_hand_psnr_mu(test: np.ndarray, truth: np.ndarray) -> float:
    a, b = (np.log1p(5000 * x.astype(np.float64)) / math.log(5001) for x in (test, truth))
    return -10 * math.log10(np.mean((a - b) ** 2))


@pytest.fixture(scope="module")
def done(case: Case):
    return run(case)


def test_scores_follow_their_scale(scene, case):
    light = reference_light(scene.given)
    found = score(light, scene, case)
    assert list(found) == ["psnr-mu@shortest", "hdr-vdp-2@shortest", "psnr-mu"]
    clipped = [np.clip(x / 4, 0, 1) for x in (light, scene.truth)]  # the shortest frame clips at 4
    assert found["psnr-mu@shortest"] == pytest.approx(by_hand_psnr_mu(*clipped), abs=1e-3)
    assert found["psnr-mu"] == pytest.approx(by_hand_psnr_mu(light, scene.truth), abs=1e-3)
    assert found["hdr-vdp-2@shortest"] == pytest.approx(
        evaluate(*clipped, ["hdr-vdp-2"], protocol="liu2020")["hdr-vdp-2"], abs=1e-6
    )


def test_light_that_no_frame_holds_does_not_count_at_shortest(scene, case):
    guess = np.where(scene.truth > 4, scene.truth * 7, scene.truth)
    found = score(guess, scene, case)
    assert found["psnr-mu@shortest"] == math.inf
    assert found["psnr-mu"] < 40


def test_maps_point_at_the_error(scene, case):
    wrong = scene.truth.copy()
    wrong[10:20, 10:20] *= 3
    for found in (error_map(wrong, scene), visibility_map(wrong, scene, case)):
        assert found.shape == (48, 64)
        assert 0 <= found.min() <= found.max() <= 1
        assert found[12:18, 12:18].mean() > 10 * found[30:, 30:].mean() + 0.01
    assert visibility_map(wrong, scene, replace(case, columns=(parse_column("psnr-mu"),))) is None


def test_merging_beats_the_photo(scene):
    merged = reconstruct(Setting("m", options={"align": "none"}), scene.given).pixels
    shortest = [np.clip(x / 4, 0, 1) for x in (merged, reference_light(scene.given), scene.truth)]
    assert by_hand_psnr_mu(shortest[0], shortest[2]) > by_hand_psnr_mu(shortest[1], shortest[2]) + 10


def test_opencv_merges_what_does_not_move(rng):
    """Grey texture below the clipping level: a channel that clips alone would pull the others' weights along."""
    truth = np.kron(rng.random((24, 32, 1)) ** 3 * 3.5 + 0.01, np.ones((8, 8, 3))).astype(np.float32)
    codes = [np.rint(srgb_encode(np.clip(truth * 2.0**ev, 0, 1)) * 255).astype(np.uint8) for ev in (-2, 0, 2)]
    still = BenchScene(tuple(Image(one, "srgb") for one in codes), (-2.0, 0.0, 2.0), 1, "srgb", truth)
    light = reconstruct(Setting("o", task="opencv"), still.given).pixels
    assert light.dtype == np.float32 and light.shape == truth.shape
    assert np.median(np.abs(light / truth - 1)) < 0.005
    deep = tuple(Image(one.astype(np.uint16) * 257, "srgb") for one in codes)
    with pytest.raises(RequestError, match="8-bit"):
        reconstruct(Setting("o", task="opencv"), replace(still, frames=deep).given)


def test_a_failing_method_is_named_and_the_others_go_on(done):
    results, album = done
    assert {run.method for run in results.failures} == {"broken"}
    assert "image for display" in results.failures[0].error
    assert len(results.runs) == 6
    names = [picture["name"] for picture in album.scenes[0]["pictures"]]
    assert names == ["merged", "photo", "truth"]


def test_results_file(done, tmp_path):
    results, _ = done
    results.save(tmp_path / "results.json")
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["format"] == "openhdr-bench-1"
    assert facts["openhdr"] and facts["hardware"]["cores"] >= 1 and facts["hardware"]["processor"]
    assert "numpy" in facts["software"]
    assert [metric["key"] for metric in facts["metrics"]] == [
        "psnr-mu@shortest",
        "hdr-vdp-2@shortest",
        "psnr-mu",
    ]
    assert "shortest frame clips" in facts["metrics"][0]["protocol"]
    assert "liu2020" in facts["metrics"][1]["protocol"]
    one = facts["runs"][0]
    assert one["method"] == "merged" and one["time_s"] > 0
    assert set(facts["means"]) == {"all", "still", "moving"}
    by_scene = [r["scores"]["psnr-mu"] for r in facts["runs"] if r["method"] == "merged"]
    assert facts["means"]["all"][0]["scores"]["psnr-mu"] == pytest.approx(sum(by_scene) / 2, rel=1e-6)
    assert facts["means"]["still"][0]["scores"]["psnr-mu"] == pytest.approx(by_scene[0])
    assert facts["means"]["all"][2]["scores"]["psnr-mu"] is None


def test_infinite_scores_stay_valid_json():
    about = {"case": {}}
    columns = [{"key": "psnr-mu"}]
    runs = [Run("m", "a", {"psnr-mu": math.inf}, 1.0), Run("m", "b", {"psnr-mu": 30.0}, 3.0)]
    scenes = [{"name": "a", "group": ""}, {"name": "b", "group": ""}]
    facts = Results(about, columns, [{"name": "m"}], scenes, runs).facts()
    json.dumps(facts, allow_nan=False)
    mean = facts["means"]["all"][0]
    assert mean["scores"]["psnr-mu"] == "inf" and mean["time_s"] == 2.0 and mean["peak_memory_mb"] is None


def test_network_facts():
    from openhdr.bench.run import method_facts
    from openhdr.models import MODELS

    facts = method_facts(Setting("g", method="gsanet"))
    assert (facts["params"], facts["gmacs"]) == (MODELS["gsanet"].params, MODELS["gsanet"].gmacs)
    assert method_facts(Setting("mle"))["params"] is None


def test_measure_time_and_memory():
    """A call that fills 200 MB and frees them needs about 200 MB more, whatever ran before."""

    def call() -> float:
        return float(np.ones(25_000_000).sum())

    big = measure(lambda: float(np.ones(40_000_000).sum()))
    found = measure(call)
    assert found.value == 25_000_000 and found.time_s > 0
    if big.peak_mb is None:
        pytest.skip("this system does not tell the peak of memory")
    assert 195 < found.peak_mb < 240
    assert measure(lambda: None).peak_mb < 20


@pytest.mark.parametrize(("text", "said"), [("psnr-nu", "psnr-mu"), ("psnr-mu@longest", "psnr-mu@shortest")])
def test_unknown_columns(text, said):
    with pytest.raises(RequestError, match=said):
        parse_column(text)


def test_names_must_differ(case):
    with pytest.raises(RequestError, match="twice"):
        replace(case, settings=(Setting("a"), Setting("a")))
