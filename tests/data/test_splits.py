"""The published lists, and that held-out scenes cannot be trained on."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from openhdr.core.errors import RequestError
from openhdr.data.splits import HELD_OUT, TRAINABLE, held_out_in, numbers_of, panoramas, refuse_held_out

EVERY = (*TRAINABLE, *HELD_OUT)


def test_no_scene_is_in_two_splits() -> None:
    names = [name for split in EVERY for name in panoramas(split)]
    hashes = [digest for split in EVERY for digest in panoramas(split).values()]
    assert len(set(names)) == len(names) and len(set(hashes)) == len(hashes)
    assert all(len(digest) == 64 for digest in hashes)


def test_lists_agree_with_the_licences(shared: Path) -> None:
    with (shared / "data" / "LICENCES.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if "/hdri/" in row["file"]]
    listed = {Path(row["file"]).stem: row["sha256"] for row in rows}
    assert listed == {name: digest for split in EVERY for name, digest in panoramas(split).items()}
    tests = {Path(row["file"]).stem for row in rows if row["file"].startswith("public_test/")}
    assert tests == set(panoramas("public_test"))


def test_held_out_scenes_are_refused_by_name_and_by_content() -> None:
    refuse_held_out(["dancing_hall.hdr", "mine.exr"], panoramas("train").values())
    with pytest.raises(RequestError, match=r"lab \(validation\)"):
        refuse_held_out(["/data/lab.hdr"])
    digest = panoramas("public_test")["memorial"]
    with pytest.raises(RequestError, match="held out"):
        refuse_held_out(["renamed.exr"], [digest])
    assert held_out_in(["comfy_cafe", "venice"]) == {"comfy_cafe": "public_test"}


def test_numbered_lists() -> None:
    assert len(numbers_of("sice", "test")) == 58
    assert numbers_of("hdm", "validation")[0] == 58
    with pytest.raises(RequestError, match="unknown split"):
        panoramas("trian")
