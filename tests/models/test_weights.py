"""Shipped weights: each file is there, unharmed, described, small enough, and the default of its network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from openhdr import models
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import sha256_of
from openhdr.core.table import Table
from openhdr.models import checkpoints
from openhdr.models.inference.three_frames import reconstruct
from openhdr.models.rows import WeightRow

FOLDER = Path(models.__file__).parent / "weights"
ROWS = list(models.WEIGHTS.values())
MOST_BYTES = 30e6

shipped = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@shipped
def test_row_says_whose_how_made_and_how_good(row: WeightRow) -> None:
    assert row.network in models.MODELS
    assert row.licence and row.training_data and row.scores
    assert all(", " in name and np.isfinite(value) for name, value in row.scores.items())


@shipped
def test_file_is_the_one_of_the_row_and_loads(row: WeightRow) -> None:
    net = models.load(row.network, row.name)
    assert not net.training
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())
    assert row.verified_path() == row.path


@shipped
def test_model_card_says_what_a_user_has_to_know(row: WeightRow) -> None:
    card = row.card.read_text(encoding="utf-8").lower()
    assert [word for word in ("data", "training", "validation", "use", "fail") if word not in card] == []


@shipped
def test_one_flipped_bit_is_refused(row: WeightRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(row.path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / row.target).write_bytes(content)
    monkeypatch.setattr(WeightRow, "path", property(lambda row: tmp_path / row.target))
    with pytest.raises(FileError, match=r"is damaged: SHA-256 [0-9a-f]{12}\.\.\., expected"):
        models.load(row.network, row.name)


@shipped
def test_card_and_row_name_the_same_steps(row: WeightRow) -> None:
    found = re.search(r"steps of (\d) to (\d) stops", row.card.read_text(encoding="utf-8"))
    assert row.ev_steps == (tuple(int(one) for one in found.groups()) if found else None)


def test_folder_and_table_agree() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.suffix in (".safetensors", ".onnx")} == {
        row.target for row in ROWS
    }
    assert {path.name for path in FOLDER.glob("*.md")} == {row.card.name for row in ROWS}


def test_all_together_are_small() -> None:
    """With those that mergers keep in their own folders."""
    package = FOLDER.parents[1]
    files = [path for kind in ("*.safetensors", "*.onnx") for path in package.rglob(kind)]
    assert {row.path for row in ROWS} < set(files)
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


# --- with weights of our own making ----------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightRow:
    """As if random half-precision weights of GSANet, and nothing else, came with openhdr."""
    torch.manual_seed(4)
    checkpoints.save(models.load("gsanet").half(), "gsanet", tmp_path / "own.safetensors")
    monkeypatch.setattr(WeightRow, "path", property(lambda row: tmp_path / row.target))
    digest = sha256_of(tmp_path / "own.safetensors")
    row = WeightRow("gsanet-own", "a test", "own.safetensors", network="gsanet", sha256=digest)
    monkeypatch.setattr(models, "WEIGHTS", Table("trained weights", row))
    return row


def test_half_precision_is_widened_to_the_same_numbers(own: WeightRow) -> None:
    for loaded in (models.load("gsanet", "gsanet-own"), models.load_for_use("gsanet")):
        for name, half in load_file(own.path).items():
            assert half.dtype == torch.float16
            found = loaded.state_dict()[name]
            assert found.dtype == torch.float32 and torch.equal(found, half.float())


@pytest.mark.parametrize("place", [20, 2000, -1])
def test_any_flipped_bit_is_refused_before_the_file_is_read(own: WeightRow, place: int) -> None:
    content = bytearray(own.path.read_bytes())
    content[place] ^= 0x80
    own.path.write_bytes(content)
    with pytest.raises(FileError, match=r"own\.safetensors: is damaged: SHA-256"):
        models.load_for_use("gsanet")


def test_a_file_that_is_gone_is_said(own: WeightRow) -> None:
    own.path.unlink()
    with pytest.raises(FileError, match="'gsanet-own' is missing; install openhdr again"):
        models.load_for_use("gsanet")


def test_weights_of_another_network_are_refused_by_name(own: WeightRow) -> None:
    with pytest.raises(FileError, match="holds weights of gsanet, not of adnet"):
        models.load("adnet", "gsanet-own")


def test_networks_without_weights_are_not_for_use(own: WeightRow) -> None:
    with pytest.raises(RequestError, match="no trained weights for 'ahdrnet' are installed; give a file as"):
        models.load_for_use("ahdrnet")
    with pytest.raises(RequestError, match="no trained weights"):
        reconstruct("ahdrnet", [np.zeros((8, 8, 3), np.float32)] * 3, (-2, 0, 2))


def test_values_that_half_precision_cannot_hold_are_refused(own: WeightRow) -> None:
    state = load_file(own.path)
    state["features.bias"][0] = float("inf")
    save_file(state, own.path)
    with pytest.raises(FileError, match=r"features\.bias holds values that are not finite"):
        models.load("gsanet", own.path)
