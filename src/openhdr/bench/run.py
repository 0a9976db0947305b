"""Run a case: every method on every scene, scored, timed and kept as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from openhdr.bench import machine
from openhdr.bench.case import BenchScene, Case, SceneEntry, Setting
from openhdr.bench.measure import measure
from openhdr.bench.methods import reconstruct, reference_light
from openhdr.bench.page import PictureStore
from openhdr.bench.pictures import PictureOptions, encode_light, encode_map, options_for
from openhdr.bench.results import Results, Run
from openhdr.bench.scoring import error_map, protocols, score, visibility_map
from openhdr.core.errors import OpenHDRError
from openhdr.core.progress import task
from openhdr.models import MODELS

FULL_ERROR = 0.1  # of the mu-law range: the brightest colour of an error map
TRUTH, PHOTO = "truth", "reference photo"
TIMING = "one call on photos already read, after one that does not count; memory above that in use before"


@dataclass
class Album:
    """The pictures of a report, scene by scene. scenes: what `Comparison.show` in compare.js takes."""

    options: PictureOptions
    store: PictureStore = field(default_factory=PictureStore)
    scenes: list[dict[str, Any]] = field(default_factory=list)


def run(case: Case) -> tuple[Results, Album]:
    """Every method on every scene. A method that cannot do a scene is recorded as failed; the others go on.

    Time and memory are those of one call on photos already read, after one call on the first scene that
    does not count. Raises OpenHDRError when a scene cannot be read.
    """
    about = _about(case)
    runs: list[Run] = []
    scenes: list[dict[str, Any]] = []
    album: Album | None = None
    with task("benchmark", len(case.scenes) * len(case.settings)) as advance:
        for entry in case.scenes:
            scene = entry.load()
            album = album or _new_album(case, scene)
            scenes.append(_scene_facts(entry, scene))
            pictures = [_picture(TRUTH, scene.truth, scene, None, album)]
            for setting in case.settings:
                if entry is case.scenes[0]:
                    _warm_up(setting, scene)
                done, picture = _one(setting, entry, scene, case, album)
                runs.append(done)
                pictures += [picture] if picture else []
                advance()
            if all(setting.task != "photo" for setting in case.settings):
                pictures.append(_picture(PHOTO, reference_light(scene), scene, None, album))
            album.scenes.append(_shown(entry, scene, pictures))
    methods = [_method_facts(setting) for setting in case.settings]
    return Results(about, protocols(case), methods, scenes, runs), album


def _one(
    setting: Setting, entry: SceneEntry, scene: BenchScene, case: Case, album: Album
) -> tuple[Run, dict[str, Any] | None]:
    try:
        done = measure(lambda: reconstruct(setting, scene))
        scores = score(done.value, scene, case)
    except OpenHDRError as error:
        return Run(setting.name, entry.name, error=str(error)), None
    picture = _picture(setting.name, done.value, scene, case, album)
    return Run(setting.name, entry.name, scores, done.time_s, done.peak_mb), picture


def _warm_up(setting: Setting, scene: BenchScene) -> None:
    try:
        reconstruct(setting, scene)
    except OpenHDRError:  # recorded by the call that counts
        return


def _new_album(case: Case, first: BenchScene) -> Album:
    count = len(case.scenes) * (len(case.settings) + 1)
    return Album(options_for(count, first.truth.shape[0] * first.truth.shape[1]))


def _picture(
    name: str, light: np.ndarray, scene: BenchScene, case: Case | None, album: Album
) -> dict[str, Any]:
    """A picture of the page; with a case, the maps of where it is wrong too."""
    facts: dict[str, Any] = {"name": name, "error": None, "visible": None}
    if case is not None:
        facts["error"] = album.store.add(encode_map(error_map(light, scene), FULL_ERROR, album.options))
        visible = visibility_map(light, scene, case)
        if visible is not None:
            facts["visible"] = album.store.add(encode_map(visible, 1.0, album.options))
    facts["light"] = album.store.add_light(encode_light(light, scene.top, album.options))
    return facts


def _shown(entry: SceneEntry, scene: BenchScene, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Methods first, then the photo where it is no method, the truth last."""
    ordered = [*pictures[1:], pictures[0]]
    return {"name": entry.name, "top": scene.top, "full_error": FULL_ERROR, "pictures": ordered}


def _scene_facts(entry: SceneEntry, scene: BenchScene) -> dict[str, Any]:
    height, width = scene.truth.shape[:2]
    return {
        "name": entry.name,
        "group": entry.group,
        "width": width,
        "height": height,
        "ev": list(scene.ev),
        "reference": scene.reference + 1,
    }


def _method_facts(setting: Setting) -> dict[str, Any]:
    """A setting in full; a network's parameters and 1e9 multiply-adds (challenge's rule, 1060x1900)."""
    row = next((row for row in MODELS.values() if row.name == setting.method), None)
    return {
        "name": setting.name,
        "summary": setting.summary,
        "task": setting.task,
        "method": setting.method,
        "align": setting.align,
        "deghost": setting.deghost,
        "weights": setting.weights,
        "params": row.params if row else None,
        "gmacs": row.gmacs if row else None,
    }


def _about(case: Case) -> Mapping[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "openhdr": machine.software()["openhdr"],
        "commit": machine.commit(),
        "date": now.isoformat(),
        "hardware": machine.hardware(),
        "software": machine.software(),
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
