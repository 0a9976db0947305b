"""Brackets of one's own, side by side: no score, because nothing says what is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from openhdr import __version__
from openhdr.bench.case import Setting
from openhdr.bench.measure import measure
from openhdr.bench.methods import reconstruct
from openhdr.bench.photo_page import PhotoPage, exposed_codes
from openhdr.bench.photos import PhotoSet, Showing
from openhdr.bench.pictures import SMALL_PICTURES, PictureOptions
from openhdr.bench.results import rounded
from openhdr.core.errors import OpenHDRError
from openhdr.core.image import Image
from openhdr.core.progress import Advance, task
from openhdr.pipeline.hdr_to_display import tonemap

FORMAT = "openhdr-look-1"
LEAD = (
    "What each method makes of the same photos: tone-mapped, and as light under an exposure that you choose. The "
    "photos stand beside them."
)
TONE_MAPPED, LIGHT = "tone-mapped", "light, at the exposure chosen"


def look(
    brackets: Sequence[PhotoSet],
    settings: Sequence[Setting],
    showing: Showing,
    keep: Callable[[dict[str, Any]], None] = lambda facts: None,
) -> tuple[dict[str, Any], PhotoPage]:
    """What results.json holds (times, errors), and the page. What fails is recorded; the others go on.

    keep: given the results so far after every bracket.
    """
    page = PhotoPage(
        "Side by side", LEAD, SMALL_PICTURES if showing.compressed else PictureOptions(lossless=False)
    )
    found: dict[str, Any] = {}
    with task("merging", len(brackets) * len(settings)) as advance:
        for bracket in brackets:
            found[bracket.name] = _run(bracket, settings, showing, page, advance)
            facts = rounded({"format": FORMAT, "openhdr": __version__, "sets": found})
            keep(facts)
    return facts, page


def _run(
    bracket: PhotoSet, settings: Sequence[Setting], showing: Showing, page: PhotoPage, advance: Advance
) -> dict[str, Any]:
    try:
        photos, names = bracket.load(showing.size, estimate=True)
    except OpenHDRError as error:
        page.sets.append({"name": bracket.name, "text": str(error), "values": {}, "views": []})
        return {"error": str(error), "methods": {}}
    methods: dict[str, Any] = {}
    views: dict[str, list[dict[str, Any]]] = {TONE_MAPPED: [], LIGHT: []}
    top = float(2.0 ** (photos.ev[photos.anchor] - min(photos.ev)))
    for setting in settings:
        try:
            done = measure(partial(reconstruct, setting, photos))
        except OpenHDRError as error:
            methods[setting.name] = {"error": str(error)}
        else:
            methods[setting.name] = {
                "time_s": done.time_s,
                "cpu_s": done.cpu_s,
                "peak_memory_mb": done.peak_mb,
            }
            display = done.value
            if display.encoding == "linear":
                display = tonemap(display, showing.operator)
                views[LIGHT].append(page.light(setting.name, done.value.pixels, top))
            views[TONE_MAPPED].append(page.codes(setting.name, _eight_bits(display)))
        advance()
    for name, ev, frame in zip(names, photos.ev, photos.frames, strict=True):  # shortest first
        stops = ev - photos.ev[photos.anchor]
        picture = page.codes(f"{name} ({stops:+.1f} EV)", _eight_bits(frame))
        views[TONE_MAPPED].append(picture)
        views[LIGHT].append(exposed_codes(picture, stops))
    tops = {TONE_MAPPED: 1.0, LIGHT: top}
    said = " ".join(f"{name}: {facts['error']}." for name, facts in methods.items() if "error" in facts)
    page.sets.append(
        {
            "name": bracket.name,
            "text": f"{len(names)} photos, {max(photos.ev) - min(photos.ev):.1f} stops. {said}",
            "values": {},
            "judged": len(views[TONE_MAPPED]) - len(names),
            "views": [page.view(name, some, tops[name]) for name, some in views.items()],
        }
    )
    return {"photos": names, "ev": photos.ev, "methods": methods}


def _eight_bits(image: Image) -> np.ndarray:
    return np.rint(image.pixels * np.float32(255 / image.full_scale)).astype(np.uint8)
