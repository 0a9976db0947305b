"""What a benchmark found, as plain facts for results.json and the report."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openhdr.core.config import plain
from openhdr.core.files import whole_file

FORMAT = "openhdr-bench-1"
ALL = "all"  # the group of every scene


@dataclass(frozen=True)
class Run:
    """One method on one scene. error: why it failed, then there is nothing else.

    time_s: wall clock. cpu_s: processor time of all threads. commit, processor: what ran, see `openhdr.provenance`.
    """

    method: str
    scene: str
    scores: Mapping[str, float] = field(default_factory=dict)
    time_s: float | None = None
    cpu_s: float | None = None
    peak_memory_mb: float | None = None
    commit: str | None = None
    processor: str | None = None
    error: str = ""


@dataclass(frozen=True)
class Results:
    """about: case, versions, hardware, settings. columns, methods, scenes: facts of each, see `run.py`."""

    about: Mapping[str, Any]
    columns: Sequence[Mapping[str, Any]]
    methods: Sequence[Mapping[str, Any]]
    scenes: Sequence[Mapping[str, Any]]
    runs: Sequence[Run]

    @property
    def groups(self) -> tuple[str, ...]:
        """`all` and every group of scenes, when there are several."""
        found = tuple(dict.fromkeys(scene["group"] for scene in self.scenes))
        return (ALL, *found) if len(found) > 1 else (ALL,)

    @property
    def failures(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.error)

    def means(self, group: str) -> list[dict[str, Any]]:
        """For each method the mean of every column, time and memory over the scenes that it could do."""
        names = {scene["name"] for scene in self.scenes if group in (ALL, scene["group"])}
        return [self._mean_of(method["name"], names) for method in self.methods]

    def _mean_of(self, method: str, scenes: Iterable[str]) -> dict[str, Any]:
        runs = [run for run in self.runs if run.method == method and run.scene in scenes and not run.error]
        return {
            "method": method,
            "scenes": len(runs),
            "scores": {c["key"]: mean([run.scores[c["key"]] for run in runs]) for c in self.columns},
            "time_s": mean([run.time_s for run in runs]),
            "cpu_s": mean([run.cpu_s for run in runs]),
            "peak_memory_mb": mean([run.peak_memory_mb for run in runs]),
        }

    def facts(self) -> dict[str, Any]:
        """Everything as JSON holds it; infinite scores become the strings "inf" and "-inf"."""
        return rounded(
            {
                "format": FORMAT,
                **self.about,
                "metrics": self.columns,
                "methods": self.methods,
                "scenes": self.scenes,
                "runs": [
                    {"method": run.method, "scene": run.scene, "error": run.error}
                    if run.error
                    else {name: value for name, value in vars(run).items() if name != "error"}
                    for run in self.runs
                ],
                "means": {group: self.means(group) for group in self.groups},
            }
        )

    def save(self, path: Path) -> None:
        with whole_file(path) as temporary:
            temporary.write_text(_text(self.facts()), encoding="utf-8")


def _text(facts: Mapping[str, Any]) -> str:
    """JSON with a line for each run, scene, method and mean: short files, and differences that can be read."""
    parts = []
    for key, value in facts.items():
        rows = value if isinstance(value, list) else None
        if key == "means":
            groups = (f"  {json.dumps(name)}: {_lines(means, 2)}" for name, means in value.items())
            text = "{\n" + ",\n".join(groups) + "\n }"
        else:
            text = _lines(rows, 1) if rows is not None else json.dumps(value, allow_nan=False)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(rows: Sequence[Any], indent: int) -> str:
    if not rows:
        return "[]"
    space = " " * indent
    return "[\n" + ",\n".join(f"{space} {json.dumps(row, allow_nan=False)}" for row in rows) + f"\n{space}]"


def mean(values: Sequence[float | str | None]) -> float | None:
    """The mean; None for no values, or when one is unknown. Infinities may be strings, as `rounded` gives them."""
    known = [float(value) for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def rounded(value: Any) -> Any:
    """`value` as JSON holds it, floats to 7 digits, infinities as strings."""
    return plain(value, lambda number: float(f"{number:.7g}") if math.isfinite(number) else str(number))
