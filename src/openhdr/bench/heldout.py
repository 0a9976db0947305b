"""Brackets from a tripod without truth: photos that were left out of a merge are predicted from it.

    held out   the best exposed photo and those three stops from it are merged; every other photo is predicted
    whole      all photos are merged and shown again, each at its exposure

Scores and what they can see: photo_scores.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openhdr import provenance
from openhdr.bench.case import Photos, Setting
from openhdr.bench.measure import measure
from openhdr.bench.methods import reconstruct
from openhdr.bench.photo_scores import LEAST_USABLE, Photo, one_curve, per_channel, shared, usable_photos
from openhdr.bench.photo_sets import PhotoSet, Size
from openhdr.bench.results import mean, plain
from openhdr.bench.settings import parse_setting
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.core.progress import task
from openhdr.merging import DEFAULT as DEFAULT_MERGER

FORMAT = "openhdr-heldout-1"
STEP_EV = 3.0  # between the photos that are merged
METHODS = (
    DEFAULT_MERGER,
    "mle",
    "mle:align=none,deghost=off",
    "mle:align=none,deghost=off,response=calibrate",
    "opencv:align=none",
)
SCORES: dict[str, Callable[[np.ndarray, Sequence[Photo]], float]] = {
    "per_channel": per_channel,
    "shared": shared,
    "one_curve": one_curve,
}


@dataclass(frozen=True)
class Plan:
    """Which photos of a set are merged and which predicted: indices, shortest first."""

    merged: tuple[int, ...]
    held_out: tuple[int, ...]


def plan(photos: Photos) -> Plan:
    """The photo with most usable pixels and, on either side, the one nearest to three stops away are merged.

    All other usable photos are held out. Raises RequestError where that leaves fewer than two to merge or none to
    predict.
    """
    ev = np.asarray(photos.ev)
    shares = [float(one.usable.mean()) for one in _as_photos(photos)]
    usable = [k for k, share in enumerate(shares) if share >= LEAST_USABLE]
    best = int(np.argmax(shares))
    merged = {best}
    for side in (-1, 1):
        others = [k for k in usable if side * (ev[k] - ev[best]) > STEP_EV / 2]
        if others:
            merged.add(min(others, key=lambda k: abs(ev[k] - ev[best] - side * STEP_EV)))
    held_out = tuple(k for k in usable if k not in merged)
    if len(merged) < 2 or not held_out:
        raise RequestError(
            f"{len(usable)} of {len(ev)} photos are neither black nor clipped nearly everywhere; two about {STEP_EV:g} "
            "stops apart are needed to merge, and one more to predict"
        )
    return Plan(tuple(sorted(merged)), held_out)


def run_set(photo_set: PhotoSet, settings: Sequence[Setting], size: Size | None) -> dict[str, Any]:
    """The facts of one set: its photos, the plan, and the scores of each method."""
    photos, names = photo_set.load(size)
    chosen = plan(photos)
    frame = photos.frames[0]
    facts: dict[str, Any] = {
        "photos": names,
        "ev": photos.ev,
        "width": frame.width,
        "height": frame.height,
        "merged": [names[k] for k in chosen.merged],
        "held_out": [names[k] for k in chosen.held_out],
        "methods": {},
    }
    with task(photo_set.name, len(settings)) as advance:
        for setting in settings:
            facts["methods"][setting.name] = _scores(setting, photos, chosen)
            advance()
    return facts


def _scores(setting: Setting, photos: Photos, chosen: Plan) -> dict[str, Any]:
    """The scores of one method by both protocols, or why it failed."""
    all_photos = _as_photos(photos)
    some = Photos(tuple(photos.frames[k] for k in chosen.merged), tuple(photos.ev[k] for k in chosen.merged))
    try:
        part = measure(lambda: reconstruct(setting, some))
        whole = measure(lambda: reconstruct(setting, photos))
    except OpenHDRError as error:
        return {"error": str(error)}
    return {
        **_scored(part.value.pixels, [all_photos[k] for k in chosen.held_out]),
        "time_s": part.time_s,
        "whole": {
            **_scored(whole.value.pixels, usable_photos(all_photos)),
            "time_s": whole.time_s,
            "peak_memory_mb": whole.peak_mb,
        },
    }


def _scored(light: np.ndarray, photos: Sequence[Photo]) -> dict[str, float]:
    return {name: score(light, photos) for name, score in SCORES.items()}


def _as_photos(photos: Photos) -> list[Photo]:
    """Codes as 8 bits, which the scores count in."""
    deep = photos.frames[0].full_scale / 255
    return [
        Photo(np.rint(image.pixels / np.float32(deep)).astype(np.uint8) if deep > 1 else image.pixels, ev)
        for image, ev in zip(photos.frames, photos.ev, strict=True)
    ]


def default_settings() -> list[Setting]:
    """The default method, what shows where it is lost, and OpenCV."""
    return [parse_setting(text) for text in METHODS]


def heldout(sets: Sequence[PhotoSet], settings: Sequence[Setting], size: Size | None) -> dict[str, Any]:
    """What results.json holds. A set or method that fails is recorded with its error; the others go on."""
    found: dict[str, Any] = {}
    with task("held out", len(sets)) as advance:
        for photo_set in sets:
            try:
                found[photo_set.name] = run_set(photo_set, settings, size)
            except OpenHDRError as error:
                found[photo_set.name] = {"error": str(error), "methods": {}}
            advance()
    return plain(
        {
            "format": FORMAT,
            "openhdr": provenance.software()["openhdr"],
            "commit": provenance.commit(),
            "hardware": provenance.hardware(),
            "software": provenance.software(),
            "size": None if size is None else [size.width, size.height],
            "sets": found,
            "means": {setting.name: _means(setting.name, found.values()) for setting in settings},
        }
    )


def _means(method: str, sets: Any) -> dict[str, Any]:
    """Means over the sets that the method could do."""
    done = [one["methods"][method] for one in sets if method in one["methods"]]
    done = [one for one in done if "error" not in one]
    return {
        **{name: mean([one[name] for one in done]) for name in SCORES},
        "whole": {name: mean([one["whole"][name] for one in done]) for name in SCORES},
        "sets": len(done),
    }
