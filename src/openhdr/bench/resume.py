"""Going on with a benchmark: what an earlier results.json holds is not computed again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

from openhdr.bench.case import Case
from openhdr.bench.results import FORMAT, Results, Run, rounded
from openhdr.bench.run import method_facts
from openhdr.bench.scoring import protocols
from openhdr.core.errors import FileError
from openhdr.data.files import read_json

DECIDES = ("name", "task", "method", "options", "weights_sha256")  # what a result depends on
_ANOTHER = "choose another folder, or leave `resume` out to begin anew"


def earlier_results(path: Path, case: Case, again: Collection[str] = ()) -> Results | None:
    """The runs of a results file that still count, or None where there is no file.

    A run counts when its method is set as in the case, with the same weights, and did not fail. again:
    methods whose runs are dropped. Raises FileError for a file of another case or with other metrics.
    """
    if not path.is_file():
        return None
    facts = read_json(path)
    _check(path, facts, case)
    now = {setting.name: rounded(method_facts(setting)) for setting in case.settings}
    names = {entry.name for entry in case.scenes}
    methods = [
        known
        for known in facts["methods"]
        if known["name"] in now.keys() - set(again)
        and all(known.get(key) == now[known["name"]][key] for key in DECIDES)
    ]
    counting = {method["name"] for method in methods}
    runs = []
    for run in facts["runs"]:
        if run["method"] in counting and "error" not in run:
            kept = {field.name: run[field.name] for field in fields(Run) if field.name in run}
            runs.append(
                Run(**{**kept, "scores": {key: float(value) for key, value in run["scores"].items()}})
            )
    scenes = [scene for scene in facts["scenes"] if scene["name"] in names]
    return Results({}, facts["metrics"], methods, scenes, [run for run in runs if run.scene in names])


def joined(case: Case, earlier: Results | None, new: Results) -> Results:
    """Both together, in the order of the case; `about` and the methods' facts are the new ones'."""
    if earlier is None:
        return new
    scenes = [scene.name for scene in case.scenes]
    settings = [setting.name for setting in case.settings]
    runs = [*earlier.runs, *new.runs]
    ran = {run.method for run in runs}
    by_name = {scene["name"]: scene for scene in (*earlier.scenes, *new.scenes)}
    return Results(
        new.about,
        new.columns,
        [method_facts(setting) for setting in case.settings if setting.name in ran],
        [by_name[name] for name in scenes if name in by_name],
        sorted(runs, key=lambda run: (scenes.index(run.scene), settings.index(run.method))),
    )


def _check(path: Path, facts: Any, case: Case) -> None:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise FileError(path, f"is no result of a benchmark ({FORMAT})", _ANOTHER)
    if facts["case"]["name"] != case.name:
        raise FileError(path, f"is of the case '{facts['case']['name']}', not '{case.name}'", _ANOTHER)
    found, wanted = facts["metrics"], rounded(protocols(case))
    if found != wanted:
        keys = [[column["key"] for column in columns] for columns in (found, wanted)]
        what = (
            f"has the metrics {', '.join(keys[0])}"
            if keys[0] != keys[1]
            else "has metrics by other protocols"
        )
        raise FileError(path, what, _ANOTHER)
