"""From photos to a bracket: whose exposures are used, which frame is the reference, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openhdr.camera.exposure import ev_from_metadata, ev_from_times, ev_from_user
from openhdr.camera.exposure_estimation import contradiction, estimate_ev, measure_pairs
from openhdr.camera.response import Response
from openhdr.core.errors import ExposureError, RequestError
from openhdr.core.image import Bracket, Frame, Image, middle_exposure

POORLY_EXPOSED = 0.4  # of the best frame's well exposed share, under which the middle is not taken
WELL_EXPOSED = 0.7  # ... from which another is taken in its place

PIXELS = "the pixels"  # source of estimated exposures


@dataclass(frozen=True)
class ExposureRequest:
    """What the user says about the exposures; at most one of ev and times_s."""

    ev: Sequence[float] | str | None = None  # stops, one per frame, or "auto" = measure them in the pixels
    times_s: Sequence[float] | None = None  # shutter times in seconds
    # a number, from 1 in the order given, or a name; by default the middle exposure that is well exposed
    reference: int | str | None = None


def make_bracket(
    images: list[Image], names: list[str], request: ExposureRequest, response: Response
) -> tuple[Bracket, str]:
    """The bracket, and where its exposures come from: `--ev`, `--times`, `the metadata` or `the pixels`.

    Raises ExposureError when they are missing, identical or contradict the pictures.
    """
    ev, source = exposures(images, names, request, response)
    if request.reference is None:
        reference = _well_exposed_middle(images, ev)
    else:
        reference = _named(request.reference, names)
    frames = tuple(Frame(*parts) for parts in zip(images, ev.tolist(), names, strict=True))
    bracket = Bracket(frames, reference)
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
        f"--reference {reference}: expected 1 to {len(names)}, in the order given, or one of {', '.join(names)}"
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
    images: list[Image], names: list[str], request: ExposureRequest, response: Response
) -> tuple[np.ndarray, str]:
    """((N,) stops, source)."""
    if request.ev is not None and request.times_s is not None:
        raise ExposureError("--ev and --times contradict each other; give one of them")
    if isinstance(request.ev, str):
        if request.ev != "auto":
            raise ExposureError(f"--ev {request.ev}: expected one number per frame, or auto")
        return estimate_ev(images, response, names), PIXELS
    if request.ev is not None:
        return ev_from_user(request.ev, names), "--ev"
    if request.times_s is not None:
        return ev_from_times(request.times_s, names), "--times"
    return ev_from_metadata([image.exposure for image in images], names), "the metadata"


def _refuse_contradiction(bracket: Bracket, source: str, response: Response) -> None:
    found = contradiction(bracket.ev, measure_pairs([frame.image for frame in bracket.frames], response))
    if found:
        longer, darker = bracket.frames[found[0]], bracket.frames[found[1]]
        raise ExposureError(
            f"{source} says that {darker.name} is exposed {darker.ev - longer.ev:.1f} EV more than {longer.name}, but "
            "it is the darker picture; correct the values of --ev or --times, or measure them with --ev auto"
        )
