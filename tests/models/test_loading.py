"""Names, options and weight files: what is right loads, what is wrong is said in one line."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from openhdr import models
from openhdr.core.errors import FileError, OpenHDRError, RequestError
from openhdr.models import checkpoints


def test_loaded_network_is_in_evaluation_mode() -> None:
    assert not models.load("gsanet").training


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.load("gsanett"), "did you mean 'gsanet'"),
        (lambda: models.load("gsanet", group="135"), "did you mean 'grouping'"),
        (lambda: models.load("gsanet", grouping="123"), "choose one of: 123,234,345"),
        (lambda: models.load("gsanet", denoise=1), "expected true or false"),
        (lambda: models.load("eapnet", blocks=0), "expected 1 or more"),
        (lambda: models.load("eapnet", blocks=True), "expected a whole number"),
        (lambda: models.load("adnet", design="variant-3"), "variant-1"),
    ],
)
def test_wrong_names_and_options_are_named(call, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        call()


def test_the_light_row_keeps_its_variant_and_takes_options() -> None:
    config = models.load("eapnet-light", blocks=5).config
    assert (config.blocks, config.alignment, config.transposed) == (5, "full", False)


def test_missing_file() -> None:
    with pytest.raises(FileError, match="no such file"):
        models.load("gsanet", "nowhere.safetensors")


def test_weights_of_another_network(tmp_path: Path) -> None:
    checkpoints.save(models.load("gsanet"), "gsanet", tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="weights of gsanet, not of adnet"):
        models.load("adnet", tmp_path / "w.safetensors")
    save_file(dict(models.load("gsanet").state_dict()), tmp_path / "bare.safetensors")
    with pytest.raises(FileError, match="does not fit adnet: 108 tensors are missing"):
        models.load("adnet", tmp_path / "bare.safetensors")


def test_a_tensor_of_another_shape(tmp_path: Path) -> None:
    state = models.load("gsanet").state_dict()
    state["features.weight"] = torch.zeros(64, 3, 3, 3)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(FileError, match=r"features.weight is \(64, 3, 3, 3\), expected \(32, 3, 3, 3\)"):
        models.load("gsanet", tmp_path / "w.safetensors")


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    state = models.load("gsanet").state_dict()
    state["features.bias"][3] = float("nan")
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(FileError, match=r"features.bias holds values that are not finite"):
        models.load("gsanet", tmp_path / "w.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 torn"])
def test_damaged_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(FileError, match=path.name):
        models.load("gsanet", path)


class _Bomb:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path(_Bomb.trace),))


def test_loading_runs_no_code_of_the_file(tmp_path: Path) -> None:
    _Bomb.trace = str(tmp_path / "ran")
    torch.save({"weight": _Bomb()}, tmp_path / "w.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"weight": _Bomb()}))
    for name in ("w.pth", "old.pth"):
        with pytest.raises(FileError):
            models.load("gsanet", tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_nested_checkpoints_get_dotted_names(tmp_path: Path) -> None:
    torch.save({"stateDictEG": {"a.weight": torch.ones(1)}, "step": 3}, tmp_path / "w.pth")
    state, stated = checkpoints.read(tmp_path / "w.pth")
    assert list(state) == ["stateDictEG.a.weight"] and stated == {}


def test_a_flipped_bit_is_refused_wherever_the_file_lies(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    checkpoints.save(models.load("gsanet"), "gsanet", path)
    whole = path.read_bytes()
    models.load("gsanet", path)
    for place in (len(whole) - 1, len(whole) // 2, len(whole) - 40_000):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(FileError, match=r"w\.safetensors: is damaged: its tensors are not those"):
            models.load("gsanet", path)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ("[1, 2]", "nothing sensible"),
        ("null", "nothing sensible"),
        ('{"variant": null}', "nothing sensible"),
        ('{"network": ["gsanet"]}', "nothing sensible"),
        ("[" * 100_000, "damaged"),
        ('{"network": "eapnet", "variant": {"blocks": 1000000000}}', "eapnet|expected 1 or more"),
    ],
)
def test_headers_that_say_anything(tmp_path: Path, facts: str, words: str) -> None:
    name = "eapnet" if "blocks" in facts else "gsanet"
    state = dict(models.load(name).state_dict())
    save_file(state, tmp_path / "w.safetensors", metadata={checkpoints.METADATA_KEY: facts})
    with pytest.raises(OpenHDRError, match=words):
        models.load(name, tmp_path / "w.safetensors")


def test_a_checkpoint_that_holds_itself(tmp_path: Path) -> None:
    loop: dict = {"a": torch.zeros(1)}
    loop["again"] = loop
    torch.save(loop, tmp_path / "w.pth")
    with pytest.raises(FileError, match=r"does not fit|not a PyTorch checkpoint"):
        models.load("gsanet", tmp_path / "w.pth")


def test_shared_examples_are_refused(shared: Path) -> None:
    for path in sorted((shared / "fixtures" / "malformed").iterdir()):
        if path.suffix in (".safetensors", ".pth"):
            with pytest.raises(OpenHDRError):
                models.load("gsanet", path)
