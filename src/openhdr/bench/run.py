"""Run a case: every method on every scene, scored, timed and kept as images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openhdr import provenance
from openhdr.bench.case import Case, SceneEntry
from openhdr.bench.methods.settings import Setting, size_of, weights_sha256
from openhdr.bench.report.page import PictureStore, write_page
from openhdr.bench.results import Results, Run
from openhdr.bench.scoring import protocols
from openhdr.bench.trial import FULL_ERROR, Make, Outcome, Trial, in_this_process
from openhdr.core.progress import task

FULL_ERROR_TEXT = f"{100 * FULL_ERROR:g} % of the mu-law range"
TIMING = "one call on photos already read, after one that does not count; memory above that in use before"


@dataclass
class Album:
    """The images of a report, scene by scene. scenes: what `Comparison.show` in compare.js takes. lossless: whether
    images are exact.
    """

    lossless: bool = True
    store: PictureStore = field(default_factory=PictureStore)
    scenes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, top: float, pictures: list[dict[str, Any]]) -> None:
        """The images of a scene, with data URLs, as trials make them."""
        kept = []
        for one in pictures:
            maps = {key: self.store.add(one[key]) if one[key] else None for key in ("error", "visible")}
            kept.append({"name": one["name"], **maps, "light": self.store.add_light(one["light"])})
        self.scenes.append({"name": name, "top": top, "full_error": FULL_ERROR_TEXT, "pictures": kept})

    def write(self, results: Results, path: Path) -> None:
        """Write the report, one HTML page (report/assets/report.js); it appears whole or not at all."""
        facts = {"results": results.facts(), "scenes": self.scenes, "lossless": self.lossless}
        write_page(path, "report", f"openhdr bench: {results.about['case']['title']}", facts, self.store)


@dataclass(frozen=True)
class Extent:
    """What of a case is run, and what of it is shown.

    done: (method, scene) pairs whose scores are known already. pictured: scenes that the report shows; None = all.
    compressed: whether images are small rather than exact. keep: given the results so far after every run, so that
    nothing is lost when the work is stopped. timed: whether times count, so that a method's first call is made once
    more. at_a_time: runs that share the machine.
    """

    done: frozenset[tuple[str, str]] = frozenset()
    pictured: tuple[str, ...] | None = None
    compressed: bool = False
    keep: Callable[[Results], None] | None = None
    timed: bool = True
    at_a_time: int = 1

    def trials(self, entry: SceneEntry, case: Case) -> list[Trial]:
        """What is left to do with a scene."""
        named = {one.name for one in case.scenes}
        count = len(named if self.pictured is None else named.intersection(self.pictured))
        shown = (
            count * (len(case.settings) + 1) if self.pictured is None or entry.name in self.pictured else 0
        )
        left = [
            Trial(entry.name, one, False, scored, shown, self.compressed, self.timed)
            for one in case.settings
            if (scored := (one.name, entry.name) not in self.done) or shown
        ]
        photo = all(one.task != "photo" for one in case.settings)
        return [*left, *([Trial(entry.name, None, photo, False, shown, self.compressed)] if shown else [])]


def run(case: Case, extent: Extent = Extent(), make: Make | None = None) -> tuple[Results, Album]:
    """Every method on every scene. A method that cannot do a scene is recorded as failed; the others go on.

    Time and memory are those of one call on photos already read, after the method's first call, which does not count.
    make: who carries the trials out; None = this process.
    """
    bench = _Record(case, extent)
    trials = [trial for entry in case.scenes for trial in extent.trials(entry, case)]
    with task("benchmark", len(trials)) as advance, (make or in_this_process(case))(trials) as outcomes:
        for trial, outcome in outcomes:
            bench.take(trial, outcome)
            advance()
    return bench.results(), bench.album()


class _Record:
    """What a case has come to so far."""

    def __init__(self, case: Case, extent: Extent) -> None:
        self.case, self.extent = case, extent
        self.about = about(case, extent.at_a_time)
        self.runs: dict[tuple[str, str], Run] = {}
        self.scenes: dict[str, dict[str, Any]] = {}
        self.pictures: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.lossless = True

    def take(self, trial: Trial, outcome: Outcome) -> None:
        method = trial.setting.name if trial.setting else ""
        if "error" in outcome:
            outcome = {"run": {"error": outcome["error"]}, "pictures": []}
        else:
            self.scenes[trial.scene] = outcome["scene"]
            self.lossless &= outcome["lossless"]
        self.pictures[trial.scene, method] = outcome["pictures"]
        if trial.setting and trial.scored:
            made_by = {"commit": self.about["commit"], "processor": self.about["hardware"]["processor"]}
            self.runs[trial.scene, method] = Run(method, trial.scene, **outcome["run"], **made_by)
            if self.extent.keep:
                self.extent.keep(self.results())

    def results(self) -> Results:
        names = [setting.name for setting in self.case.settings]
        order = [(entry.name, name) for entry in self.case.scenes for name in names]
        scenes = [self.scenes[entry.name] for entry in self.case.scenes if entry.name in self.scenes]
        facts = [{key: value for key, value in scene.items() if key != "top"} for scene in scenes]
        methods = [method_facts(setting) for setting in self.case.settings]
        runs = [self.runs[key] for key in order if key in self.runs]
        return Results(self.about, protocols(self.case), methods, facts, runs)

    def album(self) -> Album:
        """Methods first, then the photo where it is no method, the truth last."""
        album = Album(self.lossless)
        names = [*(setting.name for setting in self.case.settings), ""]
        for entry in self.case.scenes:
            found = [one for name in names for one in self.pictures.get((entry.name, name), ())]
            if found:
                album.add(entry.name, self.scenes[entry.name]["top"], found)
        return album


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


def about(case: Case, at_a_time: int = 1) -> Mapping[str, Any]:
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
        "timing": TIMING + (f"; {at_a_time} at a time, each on one core" if at_a_time > 1 else ""),
    }
