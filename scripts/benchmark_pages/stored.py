"""The committed results of a bench case, beside what the tables of openhdr hold today."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openhdr.bench.methods.settings import Setting, weights_sha256
from openhdr.bench.robustness import LEFT_OUT
from openhdr.expansion import DEFAULT as DEFAULT_INVERSE_TONE_MAPPER
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.models import MODELS, WEIGHTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "results"
PHOTO = "photo"


@dataclass(frozen=True)
class Stored:
    """One results.json. facts: all of it. task: `merge` or `expand`."""

    facts: dict[str, Any]
    task: str

    @property
    def methods(self) -> dict[str, dict[str, Any]]:
        return {method["name"]: method for method in self.facts["methods"]}

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        return {column["key"]: column for column in self.facts["metrics"]}

    @property
    def default(self) -> str:
        """The method that is used when none is named; as long as that is not measured, the first that is."""
        chosen = DEFAULT_MERGER if self.task == "merge" else DEFAULT_INVERSE_TONE_MAPPER
        whole = [name for name in self.methods if self._is_whole(name) and not self.is_variant(name)]
        return next((name for name in whole if self.methods[name]["method"] == chosen), whole[0])

    def _is_whole(self, name: str) -> bool:
        return len(self.runs(name)) == len(self.facts["scenes"])

    @property
    def commits(self) -> str:
        """The commits that the runs were made with, in short."""
        return ", ".join(
            dict.fromkeys(str(run["commit"])[:7] for run in self.facts["runs"] if "commit" in run)
        )

    @property
    def processors(self) -> dict[str, list[str]]:
        """The methods that were measured on each processor, the most used first."""
        found: dict[str, list[str]] = {}
        for method, processor in dict.fromkeys(
            (run["method"], run["processor"]) for run in self.facts["runs"]
        ):
            found.setdefault(processor, []).append(method)
        return dict(sorted(found.items(), key=lambda one: -len(one[1])))

    def runs(self, method: str, keep: Callable[[str], bool] = lambda group: True) -> list[dict[str, Any]]:
        """Runs of a method that did not fail, on the scenes whose group is kept."""
        groups = {scene["name"]: scene["group"] for scene in self.facts["scenes"]}
        found = (run for run in self.facts["runs"] if run["method"] == method and "error" not in run)
        return [run for run in found if keep(groups[run["scene"]])]

    def mean(self, method: str, key: str, group: str | None = None) -> float | None:
        """The mean score; None where the method was not measured on every scene of the group."""
        wanted = [scene for scene in self.facts["scenes"] if group in (None, scene["group"])]
        values = [float(run["scores"][key]) for run in self.runs(method, lambda g: group in (None, g))]
        return math.fsum(values) / len(values) if values and len(values) == len(wanted) else None

    def seconds(self, method: str) -> float:
        """Median processor time of a scene."""
        return statistics.median(run["cpu_s"] for run in self.runs(method))

    def megabytes(self, method: str) -> float:
        """Median of the memory that a scene needed above what was in use."""
        return statistics.median(run["peak_memory_mb"] or 0.0 for run in self.runs(method))

    def won(self, method: str, other: str, key: str) -> int:
        """On how many scenes a method scores above another."""
        theirs = {run["scene"]: float(run["scores"][key]) for run in self.runs(other)}
        mine = {run["scene"]: float(run["scores"][key]) for run in self.runs(method)}
        sign = 1 if self.columns[key]["higher_is_better"] else -1
        return sum(sign * value > sign * theirs[scene] for scene, value in mine.items() if scene in theirs)

    def best(self, key: str, group: str | None = None, among: Iterable[str] | None = None) -> str:
        """The method with the best mean."""
        sign = 1 if self.columns[key]["higher_is_better"] else -1
        means = {name: self.mean(name, key, group) for name in (among or self.methods)}
        return max((name for name in means if means[name] is not None), key=lambda name: sign * means[name])

    def networks(self) -> list[str]:
        """Methods with learned parameters."""
        return [name for name, method in self.methods.items() if method["params"] is not None]

    def is_variant(self, name: str) -> bool:
        """Whether a method is another with a part of the pipeline changed."""
        return not set(self.methods[name]["options"]) <= {"weights"}

    def pending(self) -> dict[str, list[str]]:
        """Rows of the tables that the results do not hold, or hold of earlier weights: {what: names}."""
        weights = [row for row in WEIGHTS.values() if MODELS[row.network].task == self.task]
        trained = {row.network for row in weights}
        bare = [n for n, row in MODELS.items() if row.task == self.task and row.recipe and n not in trained]
        table = (
            INVERSE_TONE_MAPPERS
            if self.task == "expand"
            else {n: r for n, r in MERGERS.items() if r.output == "radiance"}
        )
        ran = {method["method"] for method in self.methods.values()}
        return {
            "No weights yet": bare,
            "Not measured yet": [
                *(name for name in table if name not in ran and not self._skips(name)),
                *(row.name for row in weights if row.name not in self.methods),
            ],
            "Measured in part, and left out": [name for name in self.methods if not self._is_whole(name)],
            "Measured with earlier weights": [name for name in self.methods if self._is_old(name)],
        }

    def _skips(self, method: str) -> bool:
        """Whether the case leaves a method out on purpose."""
        return self.facts["case"]["name"] == "robustness" and method in LEFT_OUT

    def _is_old(self, name: str) -> bool:
        method = self.methods[name]
        now = Setting(name, "", method["task"], method["method"], method["options"])
        return method["weights_sha256"] != weights_sha256(now)


def read(case: str, task: str) -> Stored | None:
    """The stored results of a case; None where there are none."""
    path = FOLDER / case / "results.json"
    return Stored(json.loads(path.read_text(encoding="utf-8")), task) if path.is_file() else None
