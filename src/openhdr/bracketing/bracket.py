"""From photos to a bracket: whose exposures are used, which frame is the reference, what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openhdr.bracketing.exposure_estimation import contradiction, estimate_ev, measure_pairs
from openhdr.camera.exposure import all_equal, ev_from_metadata, ev_from_times, ev_from_user
from openhdr.camera.response import Response
from openhdr.core.errors import ExposureError, RequestError
from openhdr.core.image import Bracket, Frame, Image, middle_exposure

POORLY_EXPOSED = 0.4  # of the best frame's well exposed share, under which the middle is not taken
WELL_EXPOSED = 0.7  # ... from which another is taken in its place

UNEQUAL = 0.5  # stops by which frames of a burst may differ in the pixels

PIXELS = "the pixels"  # source of estimated exposures


def make_bracket(
    images: list[Image],
    names: list[str],
    response: Response,
    ev: Sequence[float] | str | None = None,
    times: Sequence[float] | None = None,
    reference: int | str | None = None,
) -> tuple[Bracket, str]:
    """The bracket, and where its exposures come from: `ev`, `times`, `the metadata` or `the pixels`.

    ev: stops, one a frame, or "auto" = measured in the pixels. times: seconds, one a frame, instead. reference: a
    number, from 1 in the order given, or a name; None = the middle exposure that is well exposed.
    Equal exposures are a burst. Raises ExposureError when exposures are missing or contradict the pictures.
    """
    stops, source = exposures(images, names, response, ev, times)
    chosen = _well_exposed_middle(images, stops) if reference is None else _named(reference, names)
    frames = tuple(Frame(*parts) for parts in zip(images, stops.tolist(), names, strict=True))
    bracket = Bracket(frames, chosen)
    if source != PIXELS:
        _refuse_contradiction(bracket, source, response)
    return bracket, source


def _named(reference: int | str, names: list[str]) -> int:
    """Index of the frame with that number or name."""
    if str(reference) in names:
        return names.index(str(reference))
    if str(reference).isdecimal() and 1 <= int(reference) <= len(names):
        return int(reference) - 1
    raise RequestError(
        f"`reference={reference}`: expected 1 to {len(names)}, in the order given, or one of {', '.join(names)}"
    )


def _well_exposed_middle(images: list[Image], ev: np.ndarray) -> int:
    """The middle exposure, unless it is nearly black or white; then the nearest to it that is well exposed."""
    exposed = [_well_exposed(image) for image in images]
    middle = middle_exposure(ev)
    if exposed[middle] >= POORLY_EXPOSED * max(exposed):
        return middle
    rank = np.argsort(np.argsort(ev, kind="stable"))
    good = [index for index, share in enumerate(exposed) if share >= WELL_EXPOSED * max(exposed)]
    return min(good, key=lambda index: (abs(rank[index] - rank[middle]), -exposed[index]))


def _well_exposed(image: Image) -> float:
    """Share of a photo that is neither crushed nor clipped, on a grid of some ten thousand pixels."""
    step = max(min(image.height, image.width) // 128, 1)
    brightest = image.pixels[::step, ::step].max(axis=2) / image.full_scale
    dark = 0.01 if image.encoding == "linear" else 0.08
    return float(((brightest > dark) & (brightest < 0.95)).mean())


def exposures(
    images: list[Image],
    names: list[str],
    response: Response,
    ev: Sequence[float] | str | None = None,
    times: Sequence[float] | None = None,
) -> tuple[np.ndarray, str]:
    """((N,) stops, source)."""
    if ev is not None and times is not None:
        raise ExposureError("`ev` and `times` contradict each other; give one of them")
    if isinstance(ev, str):
        if ev != "auto":
            raise ExposureError(f"`ev={ev}`: expected one number per frame, or auto")
        return estimate_ev(images, response, names), PIXELS
    if ev is not None:
        return ev_from_user(ev, names), "ev"
    if times is not None:
        return ev_from_times(times, names), "times"
    return ev_from_metadata([image.exposure for image in images], names), "the metadata"


def _refuse_contradiction(bracket: Bracket, source: str, response: Response) -> None:
    pairs = measure_pairs([frame.image for frame in bracket.frames], response)
    if all_equal(bracket.ev) and np.abs(pairs.stops).max() > UNEQUAL:
        low, high = np.unravel_index(np.argmax(pairs.stops), pairs.stops.shape)
        raise ExposureError(
            f"{_spelled(source)} gives all {len(bracket.frames)} frames the same exposure, but "
            f"{bracket.frames[high].name} is {pairs.stops[low, high]:.1f} EV brighter than {bracket.frames[low].name}; "
            "give the true ones as `ev` or `times`, or measure with `ev='auto'`"
        )
    found = contradiction(bracket.ev, pairs)
    if found:
        longer, darker = bracket.frames[found[0]], bracket.frames[found[1]]
        raise ExposureError(
            f"{_spelled(source)} says that {darker.name} is exposed {darker.ev - longer.ev:.1f} EV more than "
            f"{longer.name}, but it is the darker picture; correct `ev` or `times`, or measure with `ev='auto'`"
        )


def _spelled(source: str) -> str:
    """A source as messages name it: parameters stand in backquotes."""
    return f"`{source}`" if source.isidentifier() else source
