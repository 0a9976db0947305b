"""Brackets from a tripod without truth: photos that were left out of a merge are predicted from it.

    held out   the best exposed photo and those three stops from it are merged; every other photo is predicted
    whole      all photos are merged and shown again, each at its exposure

Scores and what they can see: scores.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import __version__, provenance
from openhdr.bench.measure import measure
from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.report.pictures import SMALL_PICTURES, PictureOptions, options_for
from openhdr.bench.results import mean, rounded
from openhdr.bench.without_truth.brackets import PhotoSet, Showing, Size
from openhdr.bench.without_truth.page import (
    Answer,
    Make,
    PhotoPage,
    ShownPicture,
    ShownSet,
    Tell,
    View,
    answer_of,
)
from openhdr.bench.without_truth.scores import (
    LEAST_USABLE,
    Photo,
    one_curve,
    per_channel,
    prediction,
    shared,
    usable_photos,
)
from openhdr.core.errors import OpenHDRError, RequestError

FORMAT = "openhdr-heldout-1"
STEP_EV = 3.0  # between the photos that are merged
SHOWN = 3  # held-out photos of a bracket in the page: the shortest, the longest, one between
SCORES: dict[str, Callable[[np.ndarray, Sequence[Photo]], float]] = {
    "per_channel": per_channel,
    "shared": shared,
    "one_curve": one_curve,
}
_HEADS = ("per channel", "shared", "one curve")
COLUMNS = tuple(
    {"key": prefix + name, "head": head, "group": group}
    for prefix, group in (("", "held out"), ("whole.", "whole bracket"))
    for name, head in zip(SCORES, _HEADS, strict=True)
)
LEAD = (
    "Photos from a tripod, scored without a truth. Of every bracket the best exposed photo and those about three stops "
    "from it are merged; each photo that was left out is predicted from that by the best rising curve. Then "
    "all photos are merged, and each is shown again. Per channel: a curve for each channel of a photo; blind to the "
    "colour of the light. Shared: one for its three channels. One curve: one for all photos and channels, from light "
    "times 2^EV; it sees a wrong scale between photos. Only pixels count that are neither near black nor near white."
)


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


def heldout(
    brackets: Sequence[PhotoSet],
    settings: Sequence[Setting],
    showing: Showing,
    make: Make,
    keep: Callable[[dict[str, Any]], None],
) -> tuple[dict[str, Any], PhotoPage]:
    """What results.json holds, and the page. A bracket or method that fails is recorded; the others go on.

    make: who works on the brackets. keep: given the results so far after every bracket, so that nothing is lost when
    the work is stopped.
    """
    shown = len(brackets) if showing.pictured is None else len(showing.pictured)
    pixels = showing.size.width * showing.size.height if showing.size else 12e6
    options = options_for(shown * SHOWN * (len(settings) + 1), int(pixels))
    page = PhotoPage("Held-out photos", LEAD, COLUMNS)
    measured_with = {
        "openhdr": __version__,
        "commit": provenance.commit(),
        "hardware": provenance.hardware(),
        "software": provenance.software(),
    }
    size = [showing.size.width, showing.size.height] if showing.size else None
    given = {
        one.name: {
            "photos": one.files,
            "settings": [asdict(setting) for setting in settings],
            "size": size,
            "pictured": showing.pictured is None or one.name in showing.pictured,
            "pictures": asdict(SMALL_PICTURES if showing.compressed else options),
        }
        for one in brackets
    }
    with make("openhdr.bench.without_truth.heldout:score_bracket", given) as answers:
        for found in page.fill(list(given), answers):
            means = {setting.name: _means(setting.name, found.values()) for setting in settings}
            facts = rounded({"format": FORMAT, **measured_with, "size": size, "sets": found, "means": means})
            keep(facts)
    page.means = {name: _flat(means) for name, means in facts["means"].items()}
    return facts, page


def score_bracket(
    photos: list[str],
    settings: list[dict[str, Any]],
    size: list[int] | None,
    pictured: bool,
    pictures: dict[str, Any],
    *,
    lost: Mapping[str, str],
    tell: Tell,
) -> Answer:
    """One bracket: its photos, the plan, the scores of each method. All is given as plain values, see `page`."""
    options, bracket = PictureOptions(**pictures), PhotoSet("", tuple(map(Path, photos)))
    given, names = bracket.load(Size(*size) if size else None)
    chosen = plan(given)
    shown = chosen.held_out if pictured else ()
    shown = tuple(
        dict.fromkeys(shown[round(k)] for k in np.linspace(len(shown) - 1, 0, SHOWN)) if shown else ()
    )
    codes = _as_photos(given)
    views: dict[int, list[ShownPicture]] = {k: [] for k in shown}
    methods = {}
    for setting in (Setting(**one) for one in settings):
        if setting.name in lost:
            methods[setting.name] = {"error": lost[setting.name]}
            continue
        tell({"step": setting.name})
        methods[setting.name], predictions = _scores(setting, given, chosen, shown)
        for k, predicted in predictions.items():
            photo = codes[k]
            apart = np.abs(predicted.astype(np.float32) - photo.codes).mean(axis=2) * photo.usable
            views[k].append(ShownPicture.of_codes(setting.name, predicted, options, apart))
    tell({"step": None})
    merged, held_out = ([names[k] for k in some] for some in (chosen.merged, chosen.held_out))
    for k, some in views.items():
        some.append(ShownPicture.of_codes(f"photo {names[k]}", codes[k].codes, options))
    facts = {
        "photos": names,
        "ev": given.ev,
        "width": given.frames[0].width,
        "height": given.frames[0].height,
        "merged": merged,
        "held_out": held_out,
        "methods": methods,
    }
    page = ShownSet(
        f"Merged: {', '.join(merged)}. Held out: {', '.join(held_out)}.",
        rounded({name: _flat(values) for name, values in methods.items()}),
        [View(names[k], some) for k, some in views.items()],
        judged=sum("error" not in values for values in methods.values()),
    )
    return answer_of(rounded(facts), page)


def _scores(
    setting: Setting, photos: Photos, chosen: Plan, shown: Sequence[int]
) -> tuple[dict[str, Any], dict[int, np.ndarray]]:
    """The scores of one method by both protocols, or why it failed; its predictions of some photos."""
    codes = _as_photos(photos)
    some = Photos(tuple(photos.frames[k] for k in chosen.merged), tuple(photos.ev[k] for k in chosen.merged))
    try:
        part = measure(lambda: _light(setting, some))
        whole = measure(lambda: _light(setting, photos))
    except OpenHDRError as error:
        return {"error": str(error)}, {}
    scores = {
        **_scored(part.value, [codes[k] for k in chosen.held_out]),
        "time_s": part.time_s,
        "cpu_s": part.cpu_s,
        "whole": {
            **_scored(whole.value, usable_photos(codes)),
            "time_s": whole.time_s,
            "cpu_s": whole.cpu_s,
            "peak_memory_mb": whole.peak_mb,
        },
    }
    return scores, {k: prediction(part.value, codes[k]) for k in shown}


def _light(setting: Setting, photos: Photos) -> np.ndarray:
    """(H, W, 3) float32; an image for display is taken as it is, because any rising curve is fitted to it."""
    made = reconstruct(setting, photos)
    return made.pixels.astype(np.float32)


def _scored(light: np.ndarray, photos: Sequence[Photo]) -> dict[str, float]:
    return {name: score(light, photos) for name, score in SCORES.items()}


def _as_photos(photos: Photos) -> list[Photo]:
    """Codes as 8 bits, which the scores count in."""
    deep = np.float32(photos.frames[0].full_scale / 255)
    return [
        Photo(np.rint(image.pixels / deep).astype(np.uint8) if deep > 1 else image.pixels, ev)
        for image, ev in zip(photos.frames, photos.ev, strict=True)
    ]


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Scores by the keys of COLUMNS, or the error."""
    whole = {f"whole.{name}": values["whole"][name] for name in SCORES} if "whole" in values else {}
    return {name: value for name, value in values.items() if name in (*SCORES, "error")} | whole


def _means(method: str, brackets: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Means over the brackets that the method could do."""
    tried = [one["methods"][method] for one in brackets if method in one["methods"]]
    done = [one for one in tried if "error" not in one]
    return {
        **{name: mean([one[name] for one in done]) for name in SCORES},
        "whole": {name: mean([one["whole"][name] for one in done]) for name in SCORES},
        "sets": len(done),
    }
