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

PIXELS = "the pixels"  # source of estimated exposures


@dataclass(frozen=True)
class ExposureRequest:
    """What the user says about the exposures; at most one of ev and times_s."""

    ev: Sequence[float] | str | None = None  # stops, one per frame, or "auto" = measure them in the pixels
    times_s: Sequence[float] | None = None  # shutter times in seconds
    reference: int | None = None  # counts from 1 in the order given; the middle exposure by default


def make_bracket(
    images: list[Image], names: list[str], request: ExposureRequest, response: Response
) -> tuple[Bracket, str]:
    """The bracket, and where its exposures come from: `--ev`, `--times`, `the metadata` or `the pixels`.

    Raises ExposureError when they are missing, identical or contradict the pictures.
    """
    ev, source = exposures(images, names, request, response)
    if request.reference is not None and not 1 <= request.reference <= len(images):
        raise RequestError(
            f"--reference {request.reference}: expected 1 to {len(images)}, in the order given"
        )
    reference = request.reference - 1 if request.reference else middle_exposure(ev)
    frames = tuple(Frame(*parts) for parts in zip(images, ev.tolist(), names, strict=True))
    bracket = Bracket(frames, reference)
    if source != PIXELS:
        _refuse_contradiction(bracket, source, response)
    return bracket, source


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
