"""`openhdr export`: refusals before the work, facts after it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gsanett", "-o", "net.onnx"), "did you mean 'gsanet'"),
        (("gsanet", "-o", "net.pt"), "net.pt"),
        (("gsanet", "-o", "nowhere/net.onnx"), "mkdir -p nowhere"),
        (("gsanet", "-o", "net.onnx", "--weights", "none.pth"), "none.pth"),
        (("gsanet",), "--output"),
    ],
)
def test_refused_early(refused, words, said) -> None:
    assert said in refused("export", *words)


@pytest.fixture
def weights(tmp_path):
    from openhdr import models
    from openhdr.models import checkpoints

    checkpoints.save(models.load("gsanet"), "gsanet", tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


@pytest.mark.slow
def test_file_and_facts(run, weights, tmp_path) -> None:
    pytest.importorskip("onnxscript")
    ran = run("export", "gsanet", "-o", tmp_path / "net.onnx", "--weights", weights, "--json")
    assert ran.code == 0 and ran.err == ""
    facts = ran.json
    assert facts["largest_difference"] < 1e-4 and len(facts["checked"]) == 2
    assert facts["shapes"]["frames"] == [1, 3, 3, "height", "width"]
    assert facts["megabytes"] == pytest.approx((tmp_path / "net.onnx").stat().st_size / 1e6)


@pytest.mark.slow
def test_trustnet_is_two_files(run, tmp_path) -> None:
    pytest.importorskip("onnxscript")
    from openhdr import models
    from openhdr.models import checkpoints

    weights = tmp_path / "w.safetensors"
    checkpoints.save(models.load("trustnet-tiny"), "trustnet-tiny", weights)
    ran = run("export", "trustnet-tiny", "-o", tmp_path / "net.onnx", "--weights", weights, "--json")
    made = [tmp_path / "net-decide.onnx", tmp_path / "net-refine.onnx"]
    assert [one["output"] for one in ran.json["files"]] == [str(path) for path in made]
    assert sorted(tmp_path.glob("*.onnx")) == made


def test_missing_extra_is_named(refused, weights, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    said = refused("export", "gsanet", "-o", tmp_path / "net.onnx", "--weights", weights)
    assert "openhdr[export]" in said
