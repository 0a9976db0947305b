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
from openhdr.bench.photos import Photos, PhotoSet, Showing
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
            views[TONE_MAPPED].append(page.codes(setting.name, _shown(done.value, showing.operator)))
            if done.value.encoding == "linear":
                views[LIGHT].append(page.light(setting.name, done.value.pixels, top))
        advance()
    pictures = _of_photos(photos, names, page)
    views[TONE_MAPPED] += pictures
    views[LIGHT] += [
        exposed_codes(picture, ev - photos.ev[photos.anchor])
        for picture, ev in zip(pictures, photos.ev, strict=True)
    ]
    tops = {TONE_MAPPED: 1.0, LIGHT: top}
    said = " ".join(f"{name}: {facts['error']}." for name, facts in methods.items() if "error" in facts)
    page.sets.append(
        {
            "name": bracket.name,
            "text": f"{len(names)} photos, {max(photos.ev) - min(photos.ev):.1f} stops. {said}",
            "values": {},
            "views": [page.view(name, some, tops[name]) for name, some in views.items()],
        }
    )
    return {"photos": names, "ev": photos.ev, "methods": methods}


def _shown(made: Image, operator: str | None) -> np.ndarray:
    """(H, W, 3) uint8: light tone-mapped, a picture for display as it is."""
    display = tonemap(made, operator) if made.encoding == "linear" else made
    return _eight_bits(display)


def _of_photos(photos: Photos, names: Sequence[str], page: PhotoPage) -> list[dict[str, Any]]:
    """The photos as pictures of the page, shortest first, named by file and exposure."""
    stops = [ev - photos.ev[photos.anchor] for ev in photos.ev]
    return [
        page.codes(f"{name} ({ev:+.1f} EV)", _eight_bits(frame))
        for name, ev, frame in zip(names, stops, photos.frames, strict=True)
    ]


def _eight_bits(image: Image) -> np.ndarray:
    return np.rint(image.pixels * np.float32(255 / image.full_scale)).astype(np.uint8)
