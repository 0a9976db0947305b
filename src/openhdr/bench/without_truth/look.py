"""Brackets of one's own, side by side: no score, because nothing says what is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import __version__
from openhdr.bench.measure import measure
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.report.pictures import SMALL_PICTURES, PictureOptions
from openhdr.bench.results import rounded
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
from openhdr.core.errors import OpenHDRError
from openhdr.core.image import Image
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
    make: Make,
    keep: Callable[[dict[str, Any]], None],
) -> tuple[dict[str, Any], PhotoPage]:
    """What results.json holds (times, errors), and the page. What fails is recorded; the others go on.

    make: who works on the brackets. keep: given the results so far after every bracket.
    """
    page = PhotoPage("Side by side", LEAD)
    given = {
        one.name: {
            "photos": one.files,
            "settings": [asdict(setting) for setting in settings],
            "size": [showing.size.width, showing.size.height] if showing.size else None,
            "operator": showing.operator,
            "pictures": asdict(SMALL_PICTURES if showing.compressed else PictureOptions(lossless=False)),
        }
        for one in brackets
    }
    with make("openhdr.bench.without_truth.look:compare_on_bracket", given) as answers:
        for found in page.fill(list(given), answers):
            facts = rounded({"format": FORMAT, "openhdr": __version__, "sets": found})
            keep(facts)
    return facts, page


def compare_on_bracket(
    photos: list[str],
    settings: list[dict[str, Any]],
    size: list[int] | None,
    operator: str | None,
    pictures: dict[str, Any],
    *,
    lost: Mapping[str, str],
    tell: Tell,
) -> Answer:
    """One bracket by every method. All is given as plain values, see `page`."""
    options, bracket = PictureOptions(**pictures), PhotoSet("", tuple(map(Path, photos)))
    given, names = bracket.load(Size(*size) if size else None, estimate=True)
    methods: dict[str, Any] = {}
    views: dict[str, list[ShownPicture]] = {TONE_MAPPED: [], LIGHT: []}
    top = float(2.0 ** (given.ev[given.anchor] - min(given.ev)))
    for setting in (Setting(**one) for one in settings):
        if setting.name in lost:
            methods[setting.name] = {"error": lost[setting.name]}
            continue
        tell({"step": setting.name})
        try:
            done = measure(partial(reconstruct, setting, given))
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
                display = tonemap(display, operator)
                views[LIGHT].append(ShownPicture.of_light(setting.name, done.value.pixels, top, options))
            views[TONE_MAPPED].append(ShownPicture.of_codes(setting.name, _eight_bits(display), options))
    tell({"step": None})
    for name, ev, frame in zip(names, given.ev, given.frames, strict=True):  # shortest first
        stops = ev - given.ev[given.anchor]
        picture = ShownPicture.of_codes(f"{name} ({stops:+.1f} EV)", _eight_bits(frame), options)
        views[TONE_MAPPED].append(picture)
        views[LIGHT].append(picture.exposed(stops))
    tops = {TONE_MAPPED: 1.0, LIGHT: top}
    said = " ".join(f"{name}: {facts['error']}." for name, facts in methods.items() if "error" in facts)
    shown = ShownSet(
        f"{len(names)} photos, {max(given.ev) - min(given.ev):.1f} stops. {said}",
        views=[View(name, some, tops[name]) for name, some in views.items()],
        judged=len(views[TONE_MAPPED]) - len(names),
    )
    return answer_of(rounded({"photos": names, "ev": given.ev, "methods": methods}), shown)


def _eight_bits(image: Image) -> np.ndarray:
    return np.rint(image.pixels * np.float32(255 / image.full_scale)).astype(np.uint8)
