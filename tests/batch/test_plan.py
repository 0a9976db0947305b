"""Cards as files: brackets found in them, plans written, edited and read."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from openhdr.batch.card import brackets_of, photos_in, read_card
from openhdr.batch.plan import Item, Plan, read_plan, write_plan
from openhdr.core.errors import FileError, RequestError


@pytest.fixture(scope="module")
def card(make_card, tmp_path_factory):
    return make_card(tmp_path_factory.mktemp("card") / "DCIM" / "100MAKER").parents[1]


def test_files_of_a_folder(card, tmp_path):
    (tmp_path / "b2.JPG").touch()
    (tmp_path / "b10.jpg").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".b.jpg").touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.jpg").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c.png").touch()
    assert [path.name for path in photos_in(tmp_path)] == ["c.png", "b2.JPG", "b10.jpg"]
    assert len(photos_in(card)) == 10


def test_brackets_and_a_plan(card):
    found = read_card([card])
    assert [[photo.path.stem[-4:] for photo in members] for members in brackets_of(found.photos)] == [
        ["0001", "0002", "0003"],
        ["0004", "0005", "0006"],
        ["0007", "0008", "0009"],
    ]
    plan = Plan.of(found.photos, str(card))
    assert [item.name for item in plan.items] == [
        "DCIM/100MAKER/2026-05-01_DSC_0001-DSC_0003-HDR",
        "DCIM/100MAKER/2026-05-01_DSC_0004-DSC_0006-HDR",
        "DCIM/100MAKER/2026-05-01_DSC_0007-DSC_0009-HDR",
        "DCIM/100MAKER/2026-05-01_DSC_0010-HDR",
    ]
    assert [bool(item.skip) for item in plan.items] == [False, False, False, True]
    alone = Plan.of(found.photos, str(card), "{number}_{time}_{camera}", alone=True)
    assert alone.items[1].name == "DCIM/100MAKER/0002_10-00-02_Model" and not any(i.skip for i in alone.items)


def test_what_is_doubtful_stays_alone_and_is_named(card):
    """A photo one step beyond a series that was shot steadily, but later."""
    found = read_card([card]).photos
    shots = []
    for n, photo in enumerate(found[:9]):
        facts = {"date": f"2026:05:01 10:00:{n + 6 if n == 8 else n:02d}", "subsecond": 0.5}
        exposure = replace(photo.exposure, time_s=2.0 ** (-2 - n), bias_ev=None)
        shots.append(replace(photo, metadata=facts, exposure=exposure))
    series, late = Plan.of(shots, str(card)).items
    assert len(series.photos) == 8 and not series.skip
    assert late.photos == ("DCIM/100MAKER/DSC_0009.jpg",)
    assert late.skip.startswith("doubtful: may belong to DSC_0001.jpg .. DSC_0009.jpg")


@pytest.mark.parametrize(
    ("folder", "count"),
    [("room", 7), ("fisheye-window", 18), ("hand-held-canal", 3), ("people-hall", 3), ("night-lamp", 14)],
)
def test_real_brackets(shared, folder, count):
    """By hand on a tripod, automatic brackets, long exposures, names in the reverse order of shooting."""
    found = read_card([shared / "data" / "real" / folder])
    assert [len(members) for members in brackets_of(found.photos)] == [count]


def test_of_raw_and_jpeg_the_raw_is_merged(card):
    photos = read_card([card]).photos
    raw = [replace(photo, path=photo.path.with_suffix(".NEF"), format="raw") for photo in photos[:3]]
    plan = Plan.of([*photos, *raw], str(card))
    made = [item.photos[0] for item in plan.items if not item.skip]
    assert made == [f"DCIM/100MAKER/DSC_000{name}" for name in ("1.NEF", "4.jpg", "7.jpg")]


def test_bad_files_are_named_and_the_rest_goes_on(card, tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    found = read_card([card, tmp_path])
    assert len(found.photos) == 10 and len(found.problems) == 1 and "cut.jpg" in found.problems[0]


def test_plan_round_trip_with_names_that_need_care(tmp_path):
    items = (
        Item(
            'q"uote\\ [x] # é\x7f',
            ('a "b".jpg', "c\\d.jpg", "e\nf.jpg"),
            "",
            {"ev": "-2,0,2", "deghost": False},
        ),
        Item("left", ("x.jpg",), "left out by the plan"),
    )
    write_plan(tmp_path / "plan.toml", Plan("/a card", items))
    assert read_plan(tmp_path / "plan.toml") == Plan("/a card", items)
    tomllib.loads((tmp_path / "plan.toml").read_text("utf-8"))
    with pytest.raises(FileError, match="not UTF-8"):
        write_plan(tmp_path / "b.toml", Plan("", (Item("x", ("\udce9.jpg",)),)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[bracket]]\nname = 'a'", "bracket 1 .*needs photos"),
        ("[[bracket]]\nphotos = ['a']", "bracket 1 needs a name"),
        ("[[bracket]]\nname = '../a'\nphotos = ['a']", "bracket 1 needs a name"),
        ("[[bracket]]\nname = 'a'\nphotos = ['a']\nphoto = 1", "has other keys"),
        ("[[bracket]]\nname = 'a'\nphotos = ['a']\n[[bracket]]\nname = 'A'\nphotos = ['b']", "two brackets"),
        ("[[bracket]]\nname = 'a'\nphotos = ['a']\nskip = 1", "skip = true"),
        ("[[bracket]]\nname = 'a'\nphotos = ['a']\noptions = {ev = [1]}", "has options"),
        ("brackets = 1", "has 'brackets'"),
        ("[[bracket]", "is not a plan in TOML"),
    ],
)
def test_bad_plans(tmp_path, text, said):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(FileError, match=said):
        read_plan(tmp_path / "plan.toml")


def test_bad_templates(card):
    for template in ("{frist}", "a/b"):
        with pytest.raises(RequestError, match="name"):
            Plan.of(read_card([card]).photos, str(card), template)
