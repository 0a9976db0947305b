"""What the page shows is the light: pixels on the screen against values computed here."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

expect = pytest.importorskip("playwright.sync_api", reason="needs playwright").expect
pytestmark = pytest.mark.slow
SECONDS = 90_000

DRAWN_BY_WEBGPU = """async () => {
  const { WebgpuRenderer } = await import('/assets/webgpu.js');
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const device = await adapter.requestDevice();
  const renderer = new WebgpuRenderer(document.createElement('canvas'), device, null);
  const half = new Uint16Array([0x4400, 0x3800, 0x2400, 0x3c00]); // 4, 0.5, 0.0156, 1
  const light = renderer.upload(1, 1, half.buffer);
  const codes = renderer.upload(1, 1, new Uint8Array([255, 128, 0, 255]).buffer);
  const target = device.createTexture({ size: [64, 4], format: 'rgba16float', usage: 17 });
  const quad = (texture, x) => [{ texture, x, y: 0, width: 16, height: 4, sharp: true }];
  renderer.draw([
    { scissor: null, kind: 'light', look: 'plain', gain: 2, quads: quad(light, 0) },
    { scissor: null, kind: 'codes', look: 'plain', gain: 0, quads: quad(codes, 16) },
    { scissor: null, kind: 'codes', look: 'plain', gain: 4, quads: quad(codes, 32) },
  ], target);
  const buffer = device.createBuffer({ size: 512 * 4, usage: 9 });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture: target }, { buffer, bytesPerRow: 512 }, [64, 4]);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(1);
  return [...new Uint16Array(buffer.getMappedRange())].slice(0, 256);
}"""


def encoded(light: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, continued over 1."""
    light = np.asarray(light, np.float64)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


@pytest.fixture
def merged(page: Any, bracket: list[Path]) -> Any:
    """The page with a bracket merged by the quickest method."""
    page.set_input_files("#files", [str(one) for one in bracket])
    expect(page.locator("#badge")).to_be_visible(timeout=SECONDS)
    page.locator(".field select").first.select_option("mle")
    page.locator("#brackets .card button.primary").click()
    expect(page.locator("#brackets .chip.good")).to_have_text("Done", timeout=SECONDS)
    return page


def canvas(page: Any) -> np.ndarray:
    """(H, W, 3) RGB."""
    page.wait_for_timeout(500)
    shot = page.locator("#canvas").screenshot()
    return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def middle(page: Any) -> np.ndarray:
    """(3,) codes of the picture's pixel right below the middle, which is large on the canvas."""
    pixels = canvas(page)
    return pixels[pixels.shape[0] // 2 + 8, pixels.shape[1] // 2 + 8].astype(float)


def test_a_pixel_shows_its_light_at_every_exposure(merged: Any, server: Any) -> None:
    page = merged
    page.locator("#stage").focus()
    page.keyboard.press("r")
    for _ in range(9):
        page.keyboard.press("+")
    result = server.listing()["pictures"][0]["result"]
    status, content = server.ask(f"/api/results/{result['id']}/probe?x=0.5001&y=0.5001")
    light = np.array(json.loads(content)["light"])
    assert status == 200
    np.testing.assert_allclose(middle(page), 255 * np.clip(encoded(light), 0, 1), atol=1.5)
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(page.locator("#exposure-value")).to_have_text("−1.0 EV")
    np.testing.assert_allclose(middle(page), 255 * np.clip(encoded(light / 2), 0, 1), atol=1.5)


def test_sources_tones_masks_and_false_colour_are_shown(merged: Any, bracket: list[Path]) -> None:
    page = merged
    page.get_by_role("button", name="Sources").click()
    page.get_by_role("button", name="Matched").click()
    pixels = canvas(page)
    shown = cv2.resize(cv2.imread(str(bracket[0]))[..., ::-1], None, fx=0.5, fy=0.5).astype(float).mean()
    inside = pixels[pixels.max(axis=2) > 20]
    assert inside.mean() == pytest.approx(shown, rel=0.25)  # as shot: dark
    page.get_by_role("button", name="Tones").click()
    page.wait_for_timeout(2500)
    tones = canvas(page)
    assert tones.mean() > pixels.mean()
    page.keyboard.press("h")
    before = canvas(page)
    page.get_by_label("Ghost mask").select_option("0")
    page.keyboard.press("f")
    stops = canvas(page)
    assert stops.std(axis=2).mean() > 3 * before.std(axis=2).mean()  # colourful
    expect(page.locator("#legend")).to_be_visible()


def test_the_split_shows_a_source_on_its_left(merged: Any) -> None:
    page = merged
    before = canvas(page)
    page.locator("#stage").focus()
    page.keyboard.press("s")
    page.wait_for_timeout(1500)
    after = canvas(page)
    half = before.shape[1] // 2
    assert np.abs(after[:, half + 30 :].astype(float) - before[:, half + 30 :]).mean() < 0.5
    assert np.abs(after[:, : half - 30].astype(float) - before[:, : half - 30]).mean() > 0.5
    page.locator("#divider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#divider")).to_have_attribute("aria-valuenow", "52")


def test_the_hdr_photo_is_one_and_moves_with_the_picture(merged: Any, server: Any) -> None:
    page = merged
    page.get_by_role("button", name="HDR photo").click()
    photo = page.locator("#photo")
    expect(photo).to_be_visible(timeout=SECONDS)
    assert page.evaluate("getComputedStyle(document.getElementById('photo')).dynamicRangeLimit") == "no-limit"
    result = server.listing()["pictures"][0]["result"]
    _, data = server.ask(f"/api/results/{result['id']}/photo")
    assert b"urn:iso:std:iso:ts:21496:-1" in data and b"hdrgm" in data
    width = photo.bounding_box()["width"]
    page.locator("#stage").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(1000)
    assert photo.bounding_box()["width"] == pytest.approx(1.5 * width, rel=0.01)


def test_a_second_tab_and_a_new_one_see_the_same(merged: Any, server: Any) -> None:
    page = merged
    other = page.context.new_page()
    other.goto(server.base)  # without the key: this browser has it
    expect(other.locator("#brackets .chip.good")).to_have_text("Done")
    page.close()
    other.get_by_role("button", name=re.compile("^Remove 0")).click()
    expect(other.locator("#brackets .card")).to_have_count(0)


def test_tones_follow_their_sliders(merged: Any, server: Any) -> None:
    page = merged
    page.get_by_role("tab", name="Tone").click()
    page.get_by_role("button", name="Black and white").click()
    for _ in range(100):
        tone = server.listing()["pictures"][0]["result"]["tone"]
        if tone and tone["of"]["options"].get("saturation") == 0:
            break
        time.sleep(0.1)
    page.wait_for_timeout(1000)
    pixels = canvas(page)
    assert np.ptp(pixels.astype(int), axis=2).max() <= 12
    assert "--operator local-laplacian" not in page.locator("#command code").inner_text()
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("group", name="Picture formats").get_by_role("button", name="PNG").click()
    expect(page.locator("#command code")).to_contain_text("local-laplacian:saturation=0,contrast=1.15")


def test_everything_has_a_name_and_a_phone_has_room(merged: Any) -> None:
    """Every control is named for a screen reader; nothing is wider than a phone."""
    page = merged
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, [role=slider]')].filter((one) =>
        one.checkVisibility() && !(one.textContent.trim() || one.ariaLabel || one.labels?.length || one.title)
        ).map((one) => one.outerHTML)"""
    )
    assert nameless == []
    for width in (1400, 1100, 1000, 800):
        page.set_viewport_size({"width": width, "height": 780})
        histogram, brightness = (page.locator(one).bounding_box() for one in ("#histogram", "#exposure-auto"))
        beside = brightness["x"] + brightness["width"] <= histogram["x"]
        assert beside or brightness["y"] + brightness["height"] <= histogram["y"]
    page.set_viewport_size({"width": 390, "height": 780})
    for pane in ("Photos", "View", "Adjust"):
        page.get_by_role("navigation").get_by_role("button", name=pane).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator(f"#{pane.lower()}").is_visible()


def test_webgpu_draws_light_over_white(chromium: Any, server: Any) -> None:
    """The shader, off the screen: its values against the curve."""
    arguments = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"]
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=arguments
    )
    try:
        page = browser.new_page()
        page.goto(server.address)
        drawn = page.evaluate(DRAWN_BY_WEBGPU)
    finally:
        browser.close()
    if drawn is None:
        pytest.skip("this Chromium has no WebGPU adapter")
    pixels = np.array(drawn, np.uint16).view(np.float16).reshape(64, 4).astype(float)
    np.testing.assert_allclose(pixels[8, :3], encoded(np.array([8, 1, 0.03125])), rtol=3e-3)
    np.testing.assert_allclose(pixels[24, :3], [1, 128 / 255, 0], atol=2e-3)
    linear = ((128 / 255 + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(pixels[40, :2], encoded(np.array([4, 4 * linear])), rtol=3e-3)
