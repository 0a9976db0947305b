"""One method on one scene: run, timed, scored and pictured, in this process or, sent as plain values, in another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from openhdr.bench.case import BenchScene, Case, SceneEntry
from openhdr.bench.load_case import CaseSource
from openhdr.bench.measure import measure
from openhdr.bench.methods.photos import reference_light
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.report.pictures import (
    SMALL_PICTURES,
    PictureOptions,
    encode_light,
    encode_map,
    options_for,
)
from openhdr.bench.scoring import error_map, score, visibility_map
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.metrics import Column

FULL_ERROR = 0.1  # of the mu-law range: the brightest colour of an error map
TRUTH, PHOTO = "truth", "reference photo"


@dataclass(frozen=True)
class Trial:
    """What is done with a scene.

    setting: the method; None = the truth is pictured, and with `photo` the reference photo, too. scored: whether the
    method is measured, or only pictured. pictures: how many the whole report shows, 0 = this one is not shown.
    compressed: whether they are small rather than exact. timed: whether times count, so that a method's first call in a
    process is made once more.
    """

    scene: str
    setting: Setting | None
    photo: bool = False
    scored: bool = True
    pictures: int = 0
    compressed: bool = False
    timed: bool = True

    @property
    def device(self) -> str:
        """Where its network runs: `cpu`, `cuda`, ..."""
        return str(self.setting.options.get("device", "cpu")) if self.setting else "cpu"


Outcome = dict[str, Any]
"""What came of a trial, as plain values: "scene", its facts; "run", fields of `results.Run`; "pictures", with data
URLs; "lossless", whether they are exact. Or "error": why there is nothing.
"""

Make = Callable[[list[Trial]], AbstractContextManager[Iterator[tuple[Trial, Outcome]]]]
"""Carries trials out, in any order."""


def in_this_process(case: Case) -> Make:
    """One after another."""
    bench = Bench(case)
    return lambda trials: nullcontext((trial, bench.outcome(trial)) for trial in trials)


def outcome_of(source: dict[str, Any], columns: list[dict[str, str]], trial: dict[str, Any]) -> Outcome:
    """Carry out a trial that another process wants: fields of a CaseSource, of the case's Columns, of a Trial."""
    setting = trial["setting"] and Setting(**trial["setting"])
    return Bench.of(json.dumps([source, columns])).outcome(Trial(**{**trial, "setting": setting}))


class Bench:
    """A case and what is kept between trials: the last scene, and which methods have run."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.entries = {entry.name: entry for entry in case.scenes}
        self.warm: set[str] = set()
        self.last: tuple[SceneEntry, BenchScene] | None = None

    @staticmethod
    @lru_cache(maxsize=1)
    def of(text: str) -> Bench:
        """The same for the same case: the fields of a CaseSource and of the Columns, as JSON."""
        source, columns = json.loads(text)
        return Bench(replace(CaseSource(**source).load(), columns=tuple(Column(**one) for one in columns)))

    def outcome(self, trial: Trial) -> Outcome:
        entry = self.entries[trial.scene]
        try:
            if self.last is None or self.last[0] is not entry:
                self.last = (entry, entry.load())
        except OpenHDRError as error:
            return {"error": str(error)}
        scene = self.last[1]
        height, width = scene.truth.shape[:2]
        options = SMALL_PICTURES if trial.compressed else options_for(trial.pictures, height * width)
        facts = {"name": entry.name, "group": entry.group, "width": width, "height": height}
        found: Outcome = {
            "scene": {**facts, "ev": list(scene.ev), "reference": scene.reference + 1, "top": scene.top},
            "run": None,
            "pictures": [],
            "lossless": options.lossless,
        }
        if trial.setting is None:
            if trial.photo:
                found["pictures"].append(_picture(PHOTO, reference_light(scene.given), scene, None, options))
            found["pictures"].append(_picture(TRUTH, scene.truth, scene, None, options))
            return found
        if trial.scored:
            found["run"], light = self._scored(trial.setting, scene, trial.timed)
        else:
            light = _light(trial.setting, scene)
        if light is not None and trial.pictures:
            found["pictures"].append(_picture(trial.setting.name, light, scene, self.case, options))
        return found

    def _scored(
        self, setting: Setting, scene: BenchScene, timed: bool
    ) -> tuple[dict[str, Any], np.ndarray | None]:
        """Fields of the run, and the light; None where it cannot be made."""
        if timed and setting.name not in self.warm:
            _light(setting, scene)
            self.warm.add(setting.name)
        try:
            done = measure(lambda: reconstruct(setting, scene.given))
            if done.value.encoding != "linear":
                what = "makes an image for display; only scene light can be scored"
                raise RequestError(f"method '{setting.name}' {what}")
            scores = score(done.value.pixels, scene, self.case)
        except OpenHDRError as error:
            return {"error": str(error)}, None
        times = {"time_s": done.time_s, "cpu_s": done.cpu_s, "peak_memory_mb": done.peak_mb}
        return {"scores": scores, **times}, done.value.pixels


def _light(setting: Setting, scene: BenchScene) -> np.ndarray | None:
    """A result that does not count; None where it cannot be made, which is recorded by the one that does."""
    try:
        return reconstruct(setting, scene.given).pixels
    except OpenHDRError:
        return None


def _picture(
    name: str, light: np.ndarray, scene: BenchScene, case: Case | None, options: PictureOptions
) -> dict[str, Any]:
    """An image of the page; with a case, the maps of where it is wrong too."""
    facts: dict[str, Any] = {"name": name, "error": None, "visible": None}
    if case is not None:
        facts["error"] = encode_map(error_map(light, scene), FULL_ERROR, options)
        visible = visibility_map(light, scene, case)
        if visible is not None:
            facts["visible"] = encode_map(visible, 1.0, options)
    facts["light"] = encode_light(light, scene.top, options)
    return facts
