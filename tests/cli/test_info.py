"""`openhdr info`."""

from __future__ import annotations

import numpy as np
import pytest

from openhdr import io
from openhdr.core.image import Exposure, Image


def test_table_and_brackets(run, photos):
    ran = run("info", *(photos / f"{n}.jpg" for n in range(3)), photos / "1.exr")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "file",
        "format",
        "size",
        "shutter",
        "ISO",
        "aperture",
        "range",
        "highest",
        "clipped",
    ]
    assert "1/400 s" in lines[1] and "f/8" in lines[1] and "96x72" in lines[1]
    assert lines[5].startswith("bracket of 3: ") and lines[5].count(".jpg") == 3


def test_names_of_a_tree_are_short(run, photos, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for n in range(3):
            (tmp_path / folder / f"{n}.jpg").write_bytes((photos / f"{n}.jpg").read_bytes())
    lines = run("info", tmp_path).out.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == [f"{a}/{n}.jpg" for a in "ab" for n in range(3)]
    assert lines[7:] == [f"bracket of 3: {a}/0.jpg {a}/1.jpg {a}/2.jpg" for a in "ab"]


def test_json_facts_by_hand(run, tmp_path):
    pixels = np.full((10, 20, 3), 0.25, np.float32)
    pixels[:5] = 16
    pixels[0, 0] = 0
    io.write(tmp_path / "a.tif", Image(pixels))
    one = run("info", tmp_path / "a.tif", "--json").json["images"][0]
    assert (one["width"], one["height"], one["format"], one["bits"]) == (20, 10, "tiff", 32)
    assert (
        one["highest"] == 16 and one["black"] == pytest.approx(1 / 200) and one["stops"] == pytest.approx(6)
    )
    assert one["time_s"] is None and one["encoding"] == "linear"


def test_share_of_clipped_pixels(run, tmp_path):
    pixels = np.full((10, 20, 3), 90, np.uint8)
    pixels[:3, :, 1] = 255  # one clipped channel is enough
    io.write(tmp_path / "a.png", Image(pixels, "srgb"))
    assert run("info", tmp_path / "a.png", "--json").json["images"][0]["clipped"] == pytest.approx(0.3)


def test_bad_files_are_named_and_the_others_shown(run, photos, tmp_path):
    (tmp_path / "empty.png").touch()
    ran = run("info", tmp_path / "empty.png", photos / "1.jpg", tmp_path / "missing.png", "--json")
    assert ran.code == 2 and [one["name"] for one in ran.json["images"]] == [str(photos / "1.jpg")]
    assert "empty.png: is empty" in ran.err and "missing.png: does not exist" in ran.err
    assert "2 of 3 files failed" in ran.err


def test_the_maker_is_named_once(run, tmp_path):
    facts = {"make": "Canon", "model": "Canon EOS 5D"}
    io.write(tmp_path / "a.jpg", Image(np.full((8, 8, 3), 90, np.uint8), "srgb", None, facts))
    assert run("info", tmp_path / "a.jpg", "--json").json["images"][0]["camera"] == "Canon EOS 5D"


def test_refusals(refused, tmp_path):
    assert "does not exist" in refused("info", tmp_path / "a.png")
    assert "holds no photos" in refused("info", tmp_path)
    assert "end the name in .toml" in refused("info", tmp_path, "--plan", tmp_path / "plan.txt")
    assert "Missing argument" in refused("info")


def _shot(tmp_path, name, time_s=0.01, size=(10, 20), make="A", date="2026:01:02 10:00:00"):
    facts = {"make": make, "model": "1", "date": date}
    pixels = np.full((*size, 3), 90, np.uint8)
    exposure = Exposure(time_s, 100.0, 8.0) if time_s else None
    io.write(tmp_path / name, Image(pixels, "srgb", exposure, facts))
    return tmp_path / name


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"time_s": None}, "b.jpg has no shutter time in its metadata; merge takes the exposures from --ev"),
        ({}, "the metadata give a.jpg and b.jpg the same exposure; if they differ, merge takes"),
        (
            {"time_s": 0.04, "size": (12, 20)},
            "b.jpg is 20x12, but a.jpg 20x10; export all frames at one size",
        ),
        ({"time_s": 0.04, "make": "B"}, "b.jpg and a.jpg name different cameras"),
        ({"time_s": 0.04, "date": "2026:01:02 10:01:00"}, "b.jpg was not taken within 45 s after a.jpg"),
    ],
)
def test_photos_that_form_no_bracket_are_told_why(run, tmp_path, other, said):
    files = _shot(tmp_path, "a.jpg"), _shot(tmp_path, "b.jpg", **other)
    ran = run("info", *files)
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if "bracket" in line]
    assert line.startswith("no bracket: ") and said in line
    assert run("info", *files, "--json").json["why_no_bracket"] in line


def test_a_mask_among_photos_is_not_why_they_form_no_bracket(run, tmp_path):
    _shot(tmp_path, "a.jpg"), _shot(tmp_path, "b.jpg", time_s=0.04, date="2026:01:02 10:01:00")
    _shot(tmp_path, "a-mask.png", time_s=None)
    (line,) = [line for line in run("info", tmp_path).out.splitlines() if "no bracket" in line]
    assert "b.jpg was not taken within 45 s after a.jpg" in line


def test_nothing_is_said_where_there_is_nothing_to_say(run, photos, tmp_path):
    assert "no bracket" not in run("info", photos / "1.jpg").out  # one photo
    assert "no bracket" not in run("info", *(photos / f"{n}.jpg" for n in range(3))).out
    light = [tmp_path / name for name in ("a.exr", "b.exr")]
    for path in light:
        io.write(path, Image(np.ones((4, 5, 3), np.float32)))
    assert "no bracket" not in run("info", *light).out  # HDR images, not photos


def test_hdr_facts(run, photos, tmp_path):
    light = np.full((16, 16, 3), 0.5, np.float32)
    light[4:12, 4:12] = 4
    io.write(tmp_path / "a.jpg", Image(light))
    io.write(tmp_path / "b.avif", Image(light))
    ran = run("info", tmp_path / "a.jpg", tmp_path / "b.avif", photos / "1.jpg", "--json")
    map_, pq, photo = ran.json["images"]
    assert map_["headroom_stops"] == pytest.approx(2) and map_["gain_map"][
        "alternate_headroom"
    ] == pytest.approx(2)
    assert map_["peak_cd_m2"] == pytest.approx(812, rel=0.05) and map_["primaries"] == "rec709"
    assert pq["headroom_stops"] == pytest.approx(2, abs=0.1) and pq["primaries"] == "rec2020"
    assert pq["gain_map"] is None and photo["headroom_stops"] is None
    assert "headroom 2.00 stops over white" in run("info", tmp_path / "a.jpg").out


def test_a_result_beside_its_photos_is_none_of_them(run, photos, tmp_path):
    files = [photos / f"{n}.jpg" for n in range(3)]
    result = tmp_path / "result.jpg"
    assert run("merge", *files, "-o", result, "--align", "none").code == 0
    assert io.read(result).exposure == io.read(files[1]).exposure
    facts = run("info", *files, result, "--json").json
    assert facts["brackets"] == [[str(file) for file in files]] and facts["singles"] == [str(result)]


def test_a_folder_is_grouped_without_looking_at_pixels(run, photos, monkeypatch, tmp_path):
    monkeypatch.setattr(io, "read", None)
    ran = run("info", photos, "--plan", tmp_path / "plan.toml", "--json")
    assert ran.code == 0 and ran.json["brackets"] == [[str(photos / f"{n}.jpg") for n in range(3)]]
    assert ran.json["images"][0]["stops"] is None and len(ran.json["singles"]) == 6
    assert (tmp_path / "plan.toml").read_text().count("[[bracket]]") == 4  # EXR of openhdr are no photos
    assert "range" not in run("info", photos).out.splitlines()[0]
    monkeypatch.undo()
    told = {
        one["name"][-5:]: one["stops"] for one in run("info", photos, "--pixels", "--json").json["images"]
    }
    assert told["1.exr"] > 3 and told["1.jpg"] is None  # without its curve, codes tell no light
