"""The table of contents of openhdr: read -> exposures -> align -> merge -> (tone-map) -> write.

Command line, benchmark and documentation call these functions; there is no second route from files to HDR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.camera import response as responses
from openhdr.camera.border import pure_colour_border
from openhdr.camera.calibration import CalibrationOptions, calibrate
from openhdr.camera.clipping import clip_code
from openhdr.camera.exposure import ev_from_metadata, ev_from_times, ev_from_user
from openhdr.camera.exposure_estimation import contradiction, estimate_ev, measure_pairs
from openhdr.camera.response import Response
from openhdr.core.errors import ExposureError, RequestError
from openhdr.core.image import Bracket, Frame, Image, middle_exposure
from openhdr.core.placement import Placement, warp
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.merging.ghosts import CompareOptions, compare
from openhdr.merging.matching import Match
from openhdr.merging.samples import Stack
from openhdr.merging.strips import merge_strips

ImageOrPath = Image | str | Path

DEFAULT_RESPONSE = "srgb"


@dataclass(frozen=True)
class MergeOptions:
    """How a bracket is merged. None = the default or what the files say."""

    ev: Sequence[float] | str | None = None  # stops, one per frame, or "auto" = estimate from the pixels
    times_s: Sequence[float] | None = None  # shutter times in seconds
    method: str | None = None
    align: str | None = None
    reference: int | None = None  # counts from 1 in the order given
    response: Response | str = DEFAULT_RESPONSE  # a response, its name, a saved curve's path, or "calibrate"
    calibration: str = "debevec"
    deghost: bool = True
    match: bool | None = None  # match frames to the reference's tones; by default when the response is assumed


@dataclass(frozen=True)
class MergeResult:
    """What a merge made and how.

    image: the HDR image (linear, 1.0 = the reference clips), or a display picture for `mertens`.
    trust: per frame (h, w) float32 0..1, what deghosting left in, in the reference's geometry; None = all.
    """

    image: Image
    bracket: Bracket
    placements: list[Placement]
    response: Response
    exposures_from: str
    trust: list[np.ndarray | None]
    matches: list[Match]


def merge(
    frames: Sequence[ImageOrPath],
    ev: Sequence[float] | str | None = None,
    method: str | None = None,
    align: str | None = None,
    reference: int | None = None,
) -> Image:
    """Merge a bracket into one HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the reference clips.

    frames: paths or Images, two or more, one size. ev: stops per frame (only differences matter), "auto" to
    measure them in the pixels, or None to take them from the metadata. reference: counts from 1; the middle
    exposure by default. Raises OpenHDRError with what to do. `merge_bracket` tells more and takes more options.
    """
    return merge_bracket(frames, MergeOptions(ev=ev, method=method, align=align, reference=reference)).image


def merge_bracket(frames: Sequence[ImageOrPath], options: MergeOptions = MergeOptions()) -> MergeResult:  # noqa: B008
    """Merge a bracket and say how: read, exposures, alignment, deghosting, merging."""
    images, names = read_frames(frames)
    method = MERGERS[options.method or DEFAULT_MERGER]
    aligner = ALIGNERS[options.align or DEFAULT_ALIGNER]
    decode = _first_response(options)
    bracket, source = make_bracket(images, names, options, decode)
    placements = aligner.load()(bracket, decode)
    invalid = [pure_colour_border(image.pixels) for image in images]
    if options.response == "calibrate":
        decode = calibrate_bracket(bracket, placements, invalid, options.calibration)
    stack = Stack(bracket, [decode] * len(images), placements, invalid, [None] * len(images))
    # a curve recovered from these very frames, or one that the user vouches for, is not bent again
    match = options.match if options.match is not None else options.response == DEFAULT_RESPONSE
    stack, matches = compare(stack, CompareOptions(deghost=options.deghost, match=match))
    if method.output == "display":
        pixels, encoding = method.load()(stack), "srgb"
    else:
        pixels, encoding = merge_strips(stack, method.load()), "linear"
    image = bracket.frames[bracket.reference].image.with_pixels(pixels, encoding)
    return MergeResult(image, stack.bracket, placements, decode, source, stack.trust, matches)


def read_frames(frames: Sequence[ImageOrPath]) -> tuple[list[Image], list[str]]:
    """Images and their names; paths are read one by one."""
    if len(frames) < 2:
        raise RequestError(f"a bracket needs at least two frames; got {len(frames)}: give the other exposures too")
    images = [frame if isinstance(frame, Image) else io.read(frame) for frame in frames]
    names = [
        f"frame {n}" if isinstance(frame, Image) else Path(frame).name for n, frame in enumerate(frames, start=1)
    ]
    return images, names


def make_bracket(
    images: list[Image], names: list[str], options: MergeOptions, response: Response
) -> tuple[Bracket, str]:
    """The bracket with its exposures and reference, and where the exposures come from."""
    ev, source = exposures(images, names, options, response)
    if options.reference is not None and not 1 <= options.reference <= len(images):
        raise RequestError(f"--reference {options.reference}: expected 1 to {len(images)}, counted in the order given")
    reference = options.reference - 1 if options.reference else middle_exposure(ev)
    framed = tuple(Frame(*parts) for parts in zip(images, ev.tolist(), names, strict=True))
    bracket = Bracket(framed, reference)
    if source != "pixels":
        _refuse_contradiction(bracket, names, source, response)
    return bracket, source


def exposures(
    images: list[Image], names: list[str], options: MergeOptions, response: Response
) -> tuple[np.ndarray, str]:
    """((N,) stops, source): from --ev, --times, the metadata, or measured in the pixels on request."""
    if options.ev is not None and options.times_s is not None:
        raise ExposureError("--ev and --times contradict each other; give one of them")
    if isinstance(options.ev, str):
        if options.ev != "auto":
            raise ExposureError(f"--ev {options.ev}: expected one number per frame, or auto")
        if options.response == "calibrate":
            raise ExposureError("--response calibrate needs known exposures; give them with --ev or --times")
        return estimate_ev(images, response, names), "pixels"
    if options.ev is not None:
        return ev_from_user(options.ev, names), "--ev"
    if options.times_s is not None:
        return ev_from_times(options.times_s, names), "--times"
    return ev_from_metadata([image.exposure for image in images], names), "metadata"


def _refuse_contradiction(bracket: Bracket, names: list[str], source: str, response: Response) -> None:
    pairs = measure_pairs([frame.image for frame in bracket.frames], response)
    found = contradiction(bracket.ev, pairs)
    if found:
        darker, longer = names[found[1]], names[found[0]]
        raise ExposureError(
            f"{source} says {darker} is exposed {bracket.ev[found[1]] - bracket.ev[found[0]]:.1f} EV more than {longer}, "
            "but it is the darker picture; correct --ev or --times, or measure them with --ev auto"
        )


def _first_response(options: MergeOptions) -> Response:
    """The response to start with; calibration starts from sRGB, which is close enough to align by."""
    if isinstance(options.response, Response):
        return options.response
    return responses.analytic("srgb") if options.response == "calibrate" else responses.parse(options.response)


def calibrate_bracket(
    bracket: Bracket, placements: list[Placement], invalid: list[np.ndarray | None], method: str
) -> Response:
    """The response recovered from the bracket's own frames, moved onto the reference first."""
    if any(frame.image.encoding == "linear" for frame in bracket.frames):
        raise RequestError("--response calibrate: the frames are linear already; leave --response out")
    codes, valid = [], []
    for frame, place, border in zip(bracket.frames, placements, invalid, strict=True):
        code, inside = warp(frame.image.pixels, place)
        if border is not None:
            inside &= warp(border.astype(np.uint8), place)[0] == 0
        codes.append(code)
        valid.append(inside)
    images = [frame.image for frame in bracket.frames]
    clip = clip_code(images) / images[0].full_scale
    return calibrate(codes, bracket.ev, valid, clip, CalibrationOptions(method=method))
