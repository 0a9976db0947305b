"""The page in a real browser: photos in, grouped, merged, looked at, retouched, exported."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from openhdr import io
from openhdr.batch.run import free_gb
from openhdr.color.transfer import srgb_decode, srgb_encode

expect = pytest.importorskip("playwright.sync_api", reason="needs playwright").expect
pytestmark = pytest.mark.slow
SECONDS = 90_000  # milliseconds for a merge on a busy machine
expect.set_options(timeout=30_000)


def drop(page: Any, files: list[Path]) -> None:
    page.set_input_files("#files", [str(one) for one in files])


def test_a_folder_is_dropped(page: Any, bracket: list[Path], server: Any, tmp_path: Path) -> None:
    """A real drop, as the browser sees one: photos of the folder, and of those in it, keep their folders' names."""
    folder = tmp_path / "CARD" / "inside"
    folder.mkdir(parents=True)
    for path in bracket:
        shutil.copy(path, folder)
    (folder.parent / "notes.txt").write_text("hello")
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder.parent)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})
        if kind == "dragOver":
            expect(page.locator("#shade")).to_be_visible()
    expect(page.locator("#shade")).to_be_hidden()
    expect(page.locator("#brackets .card")).to_have_count(1)
    expect(page.locator("#brackets .strip img[src]")).to_have_count(3)
    photos = server.listing()["photos"].values()
    assert sorted((one["folder"], one["name"]) for one in photos) == [
        ("CARD/inside", one.name) for one in bracket
    ]


def merge(page: Any) -> None:
    page.locator("#brackets .card button.primary").click()
    expect(page.locator("#brackets .chip.good")).to_have_text("Done", timeout=SECONDS)


def looks_like_a_picture(page: Any) -> np.ndarray:
    """What the canvas shows, (H, W, 3); fails where it is empty."""
    shot = page.locator("#canvas").screenshot()
    pixels = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.std() > 10
    return pixels


def test_the_whole_job(page: Any, bracket: list[Path], server: Any, tmp_path: Path) -> None:
    """Dropped, grouped, merged, exported; the file is what the command line on the page writes."""
    drop(page, bracket)
    expect(page.locator("#brackets .card")).to_have_count(1)
    expect(page.locator("#brackets .strip img")).to_have_count(3)
    expect(page.locator("#badge")).to_be_visible(timeout=SECONDS)
    looks_like_a_picture(page)
    merge(page)
    expect(page.locator("#badge")).to_be_hidden()
    looks_like_a_picture(page)

    page.get_by_role("tab", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Save 0.exr")).click()
    download.value.save_as(tmp_path / "page.exr")
    line = page.locator("#command code").inner_text()
    assert line == "openhdr merge 0.jpg 1.jpg 2.jpg -o 0.exr"
    words = [sys.executable, "-m", *shlex.split(line)]
    words = [str(bracket[0].parent / one) if one.endswith(".jpg") else one for one in words]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    page_pixels, pixels = io.read(tmp_path / "page.exr").pixels, io.read(tmp_path / "0.exr").pixels
    np.testing.assert_array_equal(page_pixels, pixels)


def test_a_merge_is_cancelled_and_begun_again(page: Any, bracket: list[Path], server: Any) -> None:
    drop(page, bracket)
    expect(page.locator("#badge")).to_be_visible(timeout=SECONDS)
    page.locator("#brackets .card button.primary").click()
    page.locator("#stop").click()
    expect(page.locator("#brackets .card button.primary")).to_have_text("Merge")
    assert server.listing()["pictures"][0]["result"]["draft"]
    merge(page)


def test_what_is_no_photo_is_named(page: Any, bracket: list[Path], tmp_path: Path) -> None:
    broken, text = tmp_path / "broken.jpg", tmp_path / "notes.txt"
    broken.write_bytes(bracket[0].read_bytes()[:5000])
    text.write_text("hello")
    drop(page, [broken, text])
    card = page.locator("#rest .card.bad")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("broken.jpg")


LARGE, FRAMES, LARGE_GB = (5616, 3744), 18, 3.0
"""A tripod series of 18 photos of 21 megapixels, and what all processes of the server may take for it."""


@pytest.fixture
def long_bracket(bracket: list[Path], tmp_path: Path) -> tuple[list[Path], np.ndarray]:
    """The photos, and the codes of the ninth, (H, W, 3), which clips nothing of the scene."""
    if free_gb() < LARGE_GB + 1:
        pytest.skip(f"needs {LARGE_GB + 1:g} GB of free memory")
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("measures memory by Linux's /proc")
    photo = io.read(bracket[1], base=True)
    codes = cv2.resize(photo.pixels, LARGE, interpolation=cv2.INTER_LINEAR)
    light = srgb_decode(np.arange(256) / 255)
    paths = []
    for number in range(FRAMES):
        ev = (number - 8) * 2 / 3
        exposed = np.rint(255 * srgb_encode(np.minimum(light * 2**ev, 1))).astype(np.uint8)
        exposure = replace(photo.exposure, time_s=2**ev / 60)
        path = tmp_path / f"IMG_{number:04d}.jpg"
        io.write(path, replace(photo, pixels=cv2.LUT(codes, exposed), exposure=exposure))
        paths.append(path)
    return paths, codes


def test_a_long_bracket_of_large_photos(
    page: Any, long_bracket: tuple[list[Path], np.ndarray], server: Any
) -> None:
    """Dropped, merged, looked at; the light is right and the server takes no more memory than is promised."""
    photos, codes = long_bracket
    taken, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            taken.append(server.memory_gb())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        drop(page, photos)
        expect(page.locator("#brackets .card")).to_have_count(1)
        expect(page.locator("#badge")).to_be_visible(timeout=SECONDS)
        page.locator("#brackets .card button.primary").click()
        expect(page.locator("#brackets .chip.good")).to_have_text("Done", timeout=4 * SECONDS)
        looks_like_a_picture(page)
    finally:
        over.set()
        watching.join()
    assert 0.5 < max(taken) < LARGE_GB

    (picture,) = server.listing()["pictures"]
    result = picture["result"]
    assert (result["width"], result["height"], len(result["frames"])) == (*LARGE, FRAMES)
    stops = []
    for x, y in np.random.default_rng(1).random((40, 2)):
        true = srgb_decode(codes[int(y * LARGE[1]), int(x * LARGE[0])] / 255)
        _, content = server.ask(f"/api/results/{result['id']}/probe?x={x}&y={y}")
        if true.min() > 0.01 and true.max() < 0.99:
            stops.append(np.log2(np.array(json.loads(content)["light"]) / true))
    assert len(stops) > 10
    assert np.ptp(stops) < 0.1


def previewed(page: Any, x: float, y: float, server: Any) -> None:
    """The stroke shows the photo that it takes, at the result's brightness."""
    page.mouse.move(5, 5)
    expect(page.locator("#stage.painting")).to_be_visible()
    for _ in range(300):
        if "matched-2" in server.listing()["pictures"][0]["result"].get("frame_layers", {}):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(2500)  # its tiles are fetched
    shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    marks = page.locator("#marks")
    seen = shot[round(y), round(x)].astype(int)
    marks.evaluate("one => one.style.visibility = 'hidden'")
    page.get_by_role("button", name="Sources").click()
    page.locator("#toolbar").get_by_label("Photo", exact=True).select_option("2")
    page.wait_for_timeout(1500)
    shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_allclose(seen, shot[round(y), round(x)], atol=2)
    marks.evaluate("one => one.style.visibility = ''")
    page.keyboard.press("h")


def test_a_stroke_goes_into_the_merge_and_the_recipe(
    page: Any, bracket: list[Path], server: Any, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1800, "height": 900})  # the toolbar stays one row
    drop(page, bracket)
    expect(page.locator("#badge")).to_be_visible(timeout=SECONDS)
    page.keyboard.press("b")
    chosen = page.get_by_role("group", name="Photo", exact=True).locator("[aria-pressed=true]")
    reference = next(one for one in server.listing()["pictures"][0]["result"]["frames"] if one["reference"])
    assert reference["name"] != bracket[0].name
    expect(chosen).to_contain_text(reference["name"])
    page.get_by_role("button", name=re.compile("^3 2.jpg")).click()
    expect(chosen).to_contain_text("2.jpg")
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10, steps=5)
    page.mouse.up()
    expect(page.get_by_text("1 stroke, kept")).to_be_visible()
    previewed(page, x + 30, y + 5, server)
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Paint on the picture")).to_be_visible()
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_text("1 stroke, kept")).to_be_visible()
    page.get_by_role("button", name="Merge with these strokes").click()
    expect(page.locator("#brackets .chip.good")).to_have_text("Done", timeout=SECONDS)

    page.get_by_role("tab", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save recipe").click()
    recipe = tmp_path / "0.json"
    download.value.save_as(recipe)
    (stroke,) = json.loads(recipe.read_text())["options"]["retouch"]
    assert (stroke["frame"], stroke["trust"]) == (3, "only")
    assert page.locator("#command code").inner_text().endswith("--like 0.json")
    words = ["merge", *map(str, bracket), "-o", "like.exr", "--like", str(recipe)]
    subprocess.run([sys.executable, "-m", "openhdr", *words], cwd=tmp_path, check=True, capture_output=True)
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Save 0.exr")).click()
    download.value.save_as(tmp_path / "page.exr")
    np.testing.assert_array_equal(
        io.read(tmp_path / "page.exr").pixels, io.read(tmp_path / "like.exr").pixels
    )
