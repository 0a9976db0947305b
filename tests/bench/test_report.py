"""The report and the demo's page in a real browser: nothing asked from a network, nothing wrong, things work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from openhdr.bench.methods.photos import reference_light
from openhdr.bench.report.demo_page import write_demo_page
from openhdr.bench.run import run
from openhdr.core.image import Image
from openhdr.pipeline.delivery import write

sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, find_chromium

needs_browser = pytest.mark.skipif(
    find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium"
)


@pytest.fixture(scope="module")
def report(case, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    results, album = run(case)
    album.write(results, path)
    return path


@pytest.fixture(scope="module")
def chromium():
    with Browser() as opened:
        yield opened


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    chromium.problems.clear()
    chromium.requests.clear()
    return chromium


def check_calm(browser: Browser, path: Path) -> None:
    assert browser.problems == []
    asked = {url for url in browser.requests if not url.startswith("data:")}
    assert asked == {path.resolve().as_uri()}


def widest(browser: Browser) -> int:
    return browser.run("document.documentElement.scrollWidth")


def pixel(browser: Browser, x: float, y: float) -> list[int]:
    """The colour shown at a place of the comparison, as shares of its width and height."""
    return browser.run(
        "(() => { const shown = document.querySelector('.stage canvas');"
        "const copy = make('canvas', { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });"
        f"copy.drawImage(shown, {x} * shown.width | 0, {y} * shown.height | 0, 1, 1, 0, 0, 1, 1);"
        "return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3) })()"
    )


def column(browser: Browser) -> list[str]:
    return browser.run(
        "[...document.querySelectorAll('#means tbody th')].map(th => th.firstChild.textContent)"
    )


@needs_browser
@pytest.mark.parametrize(
    ("width", "phone", "dark"), [(1280, False, False), (1280, False, True), (360, True, False)]
)
def test_report_renders(browser, report, width, phone, dark):
    browser.requests.clear()
    browser.size(width, 800, phone, dark)
    browser.open(report)
    check_calm(browser, report)
    assert widest(browser) <= width  # only tables scroll sideways
    assert browser.run("document.querySelector('h1').textContent") == "Two ramps <of light> & </script>"
    assert browser.run("document.querySelectorAll('#plots circle').length") == 2
    assert "6 runs failed" in browser.run("document.getElementById('findings').textContent")
    assert browser.run("document.querySelectorAll('.maps canvas').length") == 4
    back = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) < 200) == dark


@needs_browser
def test_table_sorts(browser, report):
    browser.size(1280, 900)
    browser.open(report)
    assert column(browser) == ["merged", "photo", "broken"]  # best first, no score last
    press = "document.querySelectorAll('#means thead button')[0].click()"
    browser.run(press)
    assert column(browser) == ["photo", "merged", "broken"]
    assert browser.run("document.querySelectorAll('#means thead th[aria-sort=ascending]').length") == 1
    assert browser.run("document.querySelectorAll('#means td.best').length") == 3
    browser.run(
        "[...document.querySelectorAll('#score-bar button')].find(b => /still/.test(b.textContent)).click()"
    )
    assert browser.run("document.querySelectorAll('#scenes tbody tr').length") == 1
    check_calm(browser, report)


@needs_browser
def test_comparison_shows_light(browser, report, scene):
    """What the canvas shows is the truth's light under the exposure asked for."""
    browser.size(1280, 900)
    browser.open(report)
    browser.run("showScene(0, { a: 2, b: 2, ev: -1, split: 0.25 })")
    where = scene.truth[24, 48]
    expected = 255 * (1.055 * (min(1, where[1] / 2)) ** (1 / 2.4) - 0.055)
    assert pixel(browser, 48.5 / 64, 24.5 / 48)[1] == pytest.approx(expected, abs=6)
    browser.run("document.querySelector('.stage canvas').focus()")
    before = pixel(browser, 0.3, 0.5)[1]
    browser.key("ArrowUp")
    browser.key("ArrowUp")
    assert browser.run("comparison.state.ev") == -0.5
    assert pixel(browser, 0.3, 0.5)[1] > before


@needs_browser
def test_split_and_flip(browser, report):
    browser.size(1280, 900)
    browser.open(report)
    browser.run("showScene(0, { a: 1, b: 2, ev: -2, split: 0.99 })")  # photo and truth, where the photo clips
    photo = pixel(browser, 0.95, 0.3)
    browser.run("document.querySelector('.stage').scrollIntoView({ behavior: 'instant' })")
    box = browser.run(
        "(r => [r.x, r.y, r.width, r.height])(document.querySelector('.stage canvas').getBoundingClientRect())"
    )
    spot = {"x": box[0] + 0.5 * box[2], "y": box[1] + 0.5 * box[3], "button": "left", "clickCount": 1}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", **spot)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", **spot)
    assert browser.run("comparison.state.split") == pytest.approx(0.5, abs=0.01)
    truth = pixel(browser, 0.95, 0.3)
    assert truth != photo
    browser.key("f")
    assert pixel(browser, 0.95, 0.3) == photo  # flipped: the whole picture is A
    browser.key("f")
    assert pixel(browser, 0.95, 0.3) == truth
    browser.key("z")
    assert browser.run("comparison.state.zoom") == 2
    check_calm(browser, report)


@needs_browser
def test_scores_lead_to_pictures(browser, report):
    browser.size(1280, 900)
    browser.open(report)
    browser.run("document.querySelector('#scenes tbody tr:nth-child(2) td:nth-child(3) button').click()")
    browser.wait("comparison.scene.name === 'wide'")
    names = browser.run("[comparison.selectA, comparison.selectB].map(s => s.value)")
    assert names[0].startswith("photo") and names[1] == "truth"


@needs_browser
def test_every_control_has_a_name(browser, report):
    browser.size(1280, 900)
    browser.open(report)
    nameless = browser.run(
        "[...document.querySelectorAll('button, select, input, canvas[tabindex]')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label')"
        " || e.closest('label')?.textContent.trim())).length"
    )
    assert nameless == 0


@needs_browser
def test_demo_page(browser, scene, tmp_path):
    words = {"lead": "lead", "try": "try <b>", "score": "score", "protocol": "protocol"}
    path = tmp_path / "demo.html"
    photo = path.with_suffix(".jpg")
    write(photo, Image(scene.truth))
    write_demo_page(path, reference_light(scene.given), scene, words, photo.read_bytes())
    for width, phone in ((1280, False), (360, True)):
        browser.requests.clear()
        browser.size(width, 800, phone)
        browser.open(path)
        check_calm(browser, path)
        assert widest(browser) <= width
    assert browser.run("document.getElementById('try').textContent") == "try <b>"
    assert browser.run("document.getElementById('photo').decode().then(() => true)")
    assert "screen" in browser.run("document.getElementById('screen').textContent")


def test_report_is_one_file(report):
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]
    text = report.read_text()
    assert "default-src 'none'" in text and "<script src" not in text and '<link rel="stylesheet' not in text


@needs_browser
@pytest.mark.parametrize("pictured", [("wide",), ()])
def test_report_with_pictures_of_some_scenes(browser, case, tmp_path, pictured):
    from openhdr.bench.run import Extent

    path = tmp_path / "some.html"
    results, album = run(case, Extent(pictured=pictured))
    album.write(results, path)
    browser.size(1280, 900)
    browser.open(path)
    check_calm(browser, path)
    assert browser.run("document.querySelectorAll('#scenes tbody tr').length") == 2
    assert browser.run("document.querySelectorAll('#scenes tbody button').length") == 2 * len(pictured)
    assert browser.run("document.getElementById('pictures').hidden") == (not pictured)
