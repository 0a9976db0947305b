"""Run a case: every method on every scene, scored, timed and kept as images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import provenance
from openhdr.bench.case import BenchScene, Case, SceneEntry, Setting
from openhdr.bench.measure import measure
from openhdr.bench.methods import reconstruct, reference_light
from openhdr.bench.page import PictureStore, write_page
from openhdr.bench.pictures import SMALL_PICTURES, PictureOptions, encode_light, encode_map, options_for
from openhdr.bench.results import Results, Run
from openhdr.bench.scoring import error_map, protocols, score, visibility_map
from openhdr.bench.settings import size_of, weights_sha256
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.core.progress import Advance, task

FULL_ERROR = 0.1  # of the mu-law range: the brightest colour of an error map
FULL_ERROR_TEXT = f"{100 * FULL_ERROR:g} % of the mu-law range"
TRUTH, PHOTO = "truth", "reference photo"
TIMING = "one call on photos already read, after one that does not count; memory above that in use before"


@dataclass
class Album:
    """The images of a report, scene by scene. scenes: what `Comparison.show` in compare.js takes."""

    options: PictureOptions
    store: PictureStore = field(default_factory=PictureStore)
    scenes: list[dict[str, Any]] = field(default_factory=list)

    def write(self, results: Results, path: Path) -> None:
        """Write the report, one HTML page (assets/report.js); it appears whole or not at all."""
        facts = {"results": results.facts(), "scenes": self.scenes, "lossless": self.options.lossless}
        write_page(path, "report", f"openhdr bench: {results.about['case']['title']}", facts, self.store)


@dataclass(frozen=True)
class Extent:
    """What of a case is run, and what of it is shown.

    done: (method, scene) pairs whose scores are known already. pictured: scenes that the report shows; None =
    all. compressed: whether images are small rather than exact. keep: given the results so far after every
    run, so that nothing is lost when the work is stopped. timed: whether times count, so that a method's first call is
    made once more.
    """

    done: frozenset[tuple[str, str]] = frozenset()
    pictured: tuple[str, ...] | None = None
    compressed: bool = False
    keep: Callable[[Results], None] | None = None
    timed: bool = True

    def shows(self, entry: SceneEntry) -> bool:
        return self.pictured is None or entry.name in self.pictured

    def left(self, entry: SceneEntry, case: Case) -> list[Setting]:
        """The settings that have something to do for a scene."""
        return [s for s in case.settings if self.shows(entry) or (s.name, entry.name) not in self.done]


def run(case: Case, extent: Extent = Extent()) -> tuple[Results, Album]:
    """Every method on every scene. A method that cannot do a scene is recorded as failed; the others go on.

    Time and memory are those of one call on photos already read, after the method's first call, which does
    not count. Raises OpenHDRError when a scene cannot be read.
    """
    bench = _Bench(case, extent)
    with task("benchmark", sum(len(extent.left(entry, case)) for entry in case.scenes)) as advance:
        for entry in case.scenes:
            if extent.left(entry, case):
                bench.run_scene(entry, advance)
    return bench.results(), bench.album


class _Bench:
    """A case while it runs."""

    def __init__(self, case: Case, extent: Extent) -> None:
        self.case, self.extent = case, extent
        self.about = about(case)
        self.album = Album(PictureOptions())
        self.runs: list[Run] = []
        self.scenes: list[dict[str, Any]] = []
        self.warm: set[str] = set()

    def results(self) -> Results:
        methods = [method_facts(setting) for setting in self.case.settings]
        return Results(self.about, protocols(self.case), methods, self.scenes, self.runs)

    def run_scene(self, entry: SceneEntry, advance: Advance) -> None:
        scene = entry.load()
        height, width = scene.truth.shape[:2]
        facts = {"name": entry.name, "group": entry.group, "width": width, "height": height}
        self.scenes.append({**facts, "ev": list(scene.ev), "reference": scene.reference + 1})
        if not self.album.scenes:
            shown = sum(map(self.extent.shows, self.case.scenes)) * (len(self.case.settings) + 1)
            pixels = scene.truth.shape[0] * scene.truth.shape[1]
            self.album.options = SMALL_PICTURES if self.extent.compressed else options_for(shown, pixels)
        pictures = []
        for setting in self.extent.left(entry, self.case):
            light = self._light(setting, entry, scene)
            if light is not None and self.extent.shows(entry):
                pictures.append(_picture(setting.name, light, scene, self.case, self.album))
            advance()
        if self.extent.shows(entry):  # methods first, then the photo where it is no method, the truth last
            if all(setting.task != "photo" for setting in self.case.settings):
                pictures.append(_picture(PHOTO, reference_light(scene.given), scene, None, self.album))
            pictures.append(_picture(TRUTH, scene.truth, scene, None, self.album))
            self.album.scenes.append(
                {"name": entry.name, "top": scene.top, "full_error": FULL_ERROR_TEXT, "pictures": pictures}
            )

    def _light(self, setting: Setting, entry: SceneEntry, scene: BenchScene) -> np.ndarray | None:
        """The result, scored and recorded unless that was done before; None where it cannot be made."""
        if (setting.name, entry.name) in self.extent.done:
            return _again(setting, scene)
        if self.extent.timed and setting.name not in self.warm:
            _again(setting, scene)
            self.warm.add(setting.name)
        light = None
        try:
            done = measure(lambda: reconstruct(setting, scene.given))
            if done.value.encoding != "linear":
                what = "makes an image for display; only scene light can be scored"
                raise RequestError(f"method '{setting.name}' {what}")
            scores, commit = score(done.value.pixels, scene, self.case), self.about["commit"]
            found = Run(setting.name, entry.name, scores, done.time_s, done.cpu_s, done.peak_mb, commit)
            light = done.value.pixels
        except OpenHDRError as error:
            found = Run(setting.name, entry.name, error=str(error))
        self.runs.append(found)
        if self.extent.keep:
            self.extent.keep(self.results())
        return light


def _again(setting: Setting, scene: BenchScene) -> np.ndarray | None:
    """A call that does not count; why it fails is recorded by the one that does."""
    try:
        return reconstruct(setting, scene.given).pixels
    except OpenHDRError:
        return None


def _picture(
    name: str, light: np.ndarray, scene: BenchScene, case: Case | None, album: Album
) -> dict[str, Any]:
    """An image of the page; with a case, the maps of where it is wrong too."""
    facts: dict[str, Any] = {"name": name, "error": None, "visible": None}
    if case is not None:
        facts["error"] = album.store.add(encode_map(error_map(light, scene), FULL_ERROR, album.options))
        visible = visibility_map(light, scene, case)
        if visible is not None:
            facts["visible"] = album.store.add(encode_map(visible, 1.0, album.options))
    facts["light"] = album.store.add_light(encode_light(light, scene.top, album.options))
    return facts


def method_facts(setting: Setting) -> dict[str, Any]:
    """A setting in full, and how large what was learned for it is."""
    params, gmacs = size_of(setting)
    return {
        "name": setting.name,
        "summary": setting.summary,
        "task": setting.task,
        "method": setting.method,
        "options": dict(setting.options),
        "weights_sha256": weights_sha256(setting),
        "params": params,
        "gmacs": gmacs,
    }


def about(case: Case) -> Mapping[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "openhdr": provenance.software()["openhdr"],
        "commit": provenance.commit(),
        "date": now.isoformat(),
        "hardware": provenance.hardware(),
        "software": provenance.software(),
        "case": {
            "name": case.name,
            "title": case.title,
            "description": case.description,
            "protocol": case.protocol,
            "ppd": case.ppd,
            "notes": list(case.notes),
        },
        "timing": TIMING,
    }
