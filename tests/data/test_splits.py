"""The published lists, and that held-out scenes cannot be trained on."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from openhdr.core.errors import RequestError
from openhdr.data.splits import HELD_OUT, TRAINABLE, held_out_in, numbered, panoramas, refuse_held_out

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
    assert len(numbered("sice", "test").numbers) == 58
    assert min(numbered("hdm", "validation").numbers) == 58
    with pytest.raises(RequestError, match="unknown split"):
        panoramas("trian")


SHOTS = (
    0,
    35,
    58,
    122,
    172,
    237,
    293,
    356,
    418,
    470,
    528,
    594,
    642,
    699,
    761,
    820,
    883,
    954,
    1019,
    1081,
    1138,
)
SHOTS += (1198, 1263, 1318, 1363, 1430, 1494)  # of the 1494 frames; the last is the end


def scenes_of(split: str) -> list[int]:
    chosen = numbered("hdm", split)
    return [number for number in range(1494) if number in chosen]


def test_hdm_validation_is_of_several_whole_shots() -> None:
    held = set(scenes_of("validation"))
    shots = [set(range(*ends)) for ends in pairwise(SHOTS)]
    assert sum(bool(shot & held) for shot in shots) == sum(shot <= held for shot in shots) == 4
    assert held.isdisjoint(scenes_of("train")) and len(held) + len(scenes_of("train")) == 1494


def test_splits_of_papers_have_their_sizes() -> None:
    assert len(scenes_of("gsanet")) == 70 and scenes_of("gsanet")[:4] == [58, 72, 86, 172]
    assert len(scenes_of("adnet")) == 100 and len(scenes_of("adnet-train")) == 1394
    assert len(scenes_of("two-stage-train")) == 1000 and len(scenes_of("two-stage-test")) == 289
    assert set(scenes_of("two-stage-train")).isdisjoint(scenes_of("two-stage-test"))
    tested = numbered("sice-s", "test").numbers
    assert len(tested) == 90 and min(tested) >= 1 and max(tested) <= 229  # stacks of part 2


def test_every_split_says_whose_it_is() -> None:
    for dataset, splits in {
        "hdm": ("validation", "gsanet", "adnet", "two-stage-test", "two-stage-train"),
        "sice": ("test",),
        "sice-s": ("test",),
    }.items():
        for split in splits:
            assert len(numbered(dataset, split).source.split()) > 5
