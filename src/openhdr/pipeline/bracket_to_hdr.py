"""A bracket -> HDR: read, exposures, alignment, deghosting, merging."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.camera.border import pure_colour_border
from openhdr.camera.bracketing import PIXELS, ExposureRequest, make_bracket
from openhdr.camera.calibration import CalibrationOptions, calibrate
from openhdr.camera.clipping import clip_code
from openhdr.camera.exposure import with_white_luminance
from openhdr.camera.response import ASSUMED_RESPONSE, Response, parse
from openhdr.core import progress
from openhdr.core.errors import ExposureError, RequestError, unknown_name
from openhdr.core.image import REC709, Bracket, Image, ImageOrPath
from openhdr.core.placement import Placement, warp
from openhdr.core.table import Row
from openhdr.io.pixels import in_primaries
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.matching import Match
from openhdr.merging.measured import MeasuredResponse, measure_response, with_measured
from openhdr.merging.registered import registered_light
from openhdr.merging.samples import Stack
from openhdr.merging.strips import merge_strips
from openhdr.models import MODELS, WEIGHTS, chosen_weights
from openhdr.models.inference.options import RunOptions
from openhdr.models.inference.selection import choose_three

CALIBRATE = "calibrate"


@dataclass(frozen=True)
class MergeOptions:
    """How a bracket is merged. None = the default or what the files say."""

    exposure: ExposureRequest = ExposureRequest()
    method: str | None = None  # a merger's or a network's name
    align: str | None = None
    # a response, its name, a saved curve's path, or "calibrate"; None = measured where that is better than sRGB
    response: Response | str | None = None
    calibration: str = "bracket"
    deghost: bool | None = None  # leave out what moved; None = unless the frames are still
    match: bool | None = (
        None  # bring frames onto the reference's tones; by default when the response is neither measured nor given
    )
    weights: str | None = None  # of a network: a shipped name or a file
    run: RunOptions = RunOptions()  # of a network: memory, device, precision, augmentation


@dataclass(frozen=True)
class MergeResult:
    """What a merge made and how.

    image: the HDR image (linear, 1.0 = the reference clips), or a picture for display (`mertens`); in the primaries
        of the photos.
    bracket: the frames with the exposures as stated. exposures_from: who stated them.
    trust: per frame (h, w) float32 0..1, what deghosting left in, in the reference's geometry.
    matches: per frame the tone correction that was applied. used: indices of the frames that were merged.
    """

    image: Image
    bracket: Bracket
    exposures_from: str
    placements: list[Placement]
    response: Response
    measured: MeasuredResponse
    trust: list[np.ndarray]
    matches: list[Match]
    used: tuple[int, ...]


def merge(
    frames: Sequence[ImageOrPath] | str | Path,
    ev: Sequence[float] | str | None = None,
    method: str | None = None,
    align: str | None = None,
    reference: int | str | None = None,
    *,
    times: Sequence[float] | None = None,
    response: Response | str | None = None,
    calibration: str = "bracket",
    deghost: bool | None = None,
    match: bool | None = None,
    weights: str | None = None,
    run: RunOptions = RunOptions(),
) -> Image:
    """Merge a bracket into one HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the reference clips.

    frames: paths or Images, two or more, one size; or a folder of photos. ev: stops per frame (only differences
    matter), "auto" to measure them in the pixels, or None to take them from the metadata. times: shutter times in
    seconds instead. reference: a number, counted from 1, or a file name; by default the middle exposure that is well
    exposed. response, calibration, deghost, match, weights, run: see `MergeOptions`. Raises OpenHDRError with what to
    do. `merge_bracket` also tells how.
    """
    request = ExposureRequest(ev, times, reference)
    options = MergeOptions(request, method, align, response, calibration, deghost, match, weights, run)
    return in_primaries(merge_bracket(frames, options).image, REC709)


def merge_bracket(
    frames: Sequence[ImageOrPath] | str | Path, options: MergeOptions = MergeOptions()
) -> MergeResult:
    """Merge a bracket and say how: read, exposures, alignment, deghosting, merging."""
    method = _checked_method(options)
    aligner = ALIGNERS[options.align or DEFAULT_ALIGNER]
    response = _first_response(options)
    images, names = read_frames(frames)
    bracket, source = _bracket(images, names, options, response)
    used = _frames_of(method, bracket)
    stack, measured = _registered(bracket, response, aligner, options, source)
    # a curve recovered from these very frames, or one that the user vouches for, is not bent again
    match = (
        options.match if options.match is not None else options.response is None and measured.response is None
    )
    compared = compare(stack, CompareOptions(deghost=options.deghost, match=match))
    image, merged = _combined(compared, method, options)
    image = image.with_notes(*_beyond_training(method, options.weights, bracket.ev[list(used)]))
    trust = [np.ones((1, 1), np.float32) if one is None else one for one in merged.trust]
    response = stack.responses[bracket.reference]
    return MergeResult(
        image, bracket, source, stack.placements, response, measured, trust, compared.matches, used
    )


def _checked_method(options: MergeOptions) -> str:
    """The method's name; what it cannot do is refused before the work."""
    method = options.method or DEFAULT_MERGER
    network = _is_network(method)
    if method not in MERGERS and not network:
        raise unknown_name(
            "merge method", method, [*MERGERS, *(n for n, m in MODELS.items() if m.task == "merge")]
        )
    if options.weights and not network:
        why = "has its weights in the package" if method in MODELS else "is no network"
        raise RequestError(f"--weights {options.weights}: the method '{method}' {why}; leave it out")
    if network:
        chosen_weights(method, options.weights)
    return method


def _is_network(method: str) -> bool:
    """Whether a network makes the picture. One that works inside a merger of the table is a part of that merger."""
    return method in MODELS and MODELS[method].task != "trust"


def photos_of(folder: Path) -> list[Path]:
    """The photos of a folder in natural order (2 before 10); what is no photo, or starts with a dot, is passed over."""
    known = {ending for row in io.FORMATS.values() for ending in row.extensions} - {".hdr", ".exr"}
    found = [path for path in folder.iterdir() if path.suffix.lower() in known and path.name[0] != "."]
    return sorted(
        found, key=lambda path: [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", path.name)]
    )


def read_frames(frames: Sequence[ImageOrPath] | str | Path) -> tuple[list[Image], list[str]]:
    """Images and their names; paths are read one by one. frames: also a folder, or a list of one folder."""
    if isinstance(frames, (str, Path)):
        frames = [frames]
    if len(frames) == 1 and not isinstance(frames[0], Image) and Path(frames[0]).is_dir():
        frames = photos_of(Path(frames[0]))
    if len(frames) < 2:
        raise RequestError(
            f"a bracket needs at least two frames; got {len(frames)}: give the other exposures too"
        )
    images = []
    with progress.task("reading", len(frames)) as advance:
        for frame in frames:
            images.append(frame if isinstance(frame, Image) else io.read(frame, base=True, primaries=None))
            advance()
    names = [
        f"frame {n}" if isinstance(frame, Image) else Path(frame).name
        for n, frame in enumerate(frames, start=1)
    ]
    return images, names


def _bracket(
    images: list[Image], names: list[str], options: MergeOptions, response: Response
) -> tuple[Bracket, str]:
    """The bracket; exposure fusion makes do with exposures measured in the pixels where none are known."""
    if options.response == CALIBRATE and options.exposure.ev == "auto":
        raise ExposureError("--response calibrate needs known exposures; give them with --ev or --times")
    try:
        return make_bracket(images, names, options.exposure, response)
    except ExposureError:
        stated = options.exposure.ev is not None or options.exposure.times_s is not None
        if stated or options.method not in MERGERS or MERGERS[options.method].output != "display":
            raise
        return make_bracket(images, names, replace(options.exposure, ev="auto"), response)


def _first_response(options: MergeOptions) -> Response:
    """The response to start with; calibration starts from sRGB, which is close enough to align by."""
    return parse(ASSUMED_RESPONSE if options.response in (None, CALIBRATE) else options.response)


def _registered(
    bracket: Bracket, response: Response, aligner: Row, options: MergeOptions, source: str
) -> tuple[Stack, MeasuredResponse]:
    """The frames with their places in the reference's geometry and the response that decodes them."""
    images = [frame.image for frame in bracket.frames]
    placements = aligner.load()(bracket, response)
    invalid = [pure_colour_border(image.pixels) for image in images]
    if options.response == CALIBRATE and options.calibration != "bracket":
        response = _calibrated(bracket, placements, invalid, options.calibration)
        placements = aligner.load()(bracket, response)  # once more, with the frames on one scale
    stack = Stack(
        bracket, [response] * len(images), placements, invalid, [None] * len(images), noise=response.noise
    )
    if options.response == CALIBRATE and images[0].encoding == "linear":
        raise RequestError("--response calibrate: the frames are linear already; leave --response out")
    if options.response is None and source == PIXELS:
        return stack, MeasuredResponse(None, reason="the exposures were measured through it")
    if options.response is None or (options.response == CALIBRATE and options.calibration == "bracket"):
        measured = measure_response(stack, insist=options.response == CALIBRATE)
        return with_measured(stack, measured), measured
    return stack, MeasuredResponse(None)


def _calibrated(
    bracket: Bracket, placements: list[Placement], invalid: list[np.ndarray | None], method: str
) -> Response:
    """The response recovered from the bracket's own frames, moved onto the reference first."""
    images = [frame.image for frame in bracket.frames]
    if any(image.encoding == "linear" for image in images):
        raise RequestError("--response calibrate: the frames are linear already; leave --response out")
    codes, valid = [], []
    for image, place, border in zip(images, placements, invalid, strict=True):
        code, inside = warp(image.pixels, place)
        if border is not None:
            inside &= warp(border.astype(np.uint8), place)[0] == 0
        codes.append(code)
        valid.append(inside)
    clip = clip_code(images) / images[0].full_scale
    return calibrate(codes, bracket.ev, valid, clip, CalibrationOptions(method=method))


def _combined(compared: Comparison, method: str, options: MergeOptions) -> tuple[Image, Stack]:
    """The merged picture with the reference's facts, and the stack with what was trusted."""
    stack = compared.stack
    reference = stack.bracket.frames[stack.bracket.reference].image
    if _is_network(method):
        light = _through_network(stack, method, options)
        seen = replace(stack, trust=[None] * len(stack.trust))  # it is shown the ghosts, too
        return with_white_luminance(reference.with_pixels(light, "linear")), seen
    row = MERGERS[method]
    if row.takes == "stack":
        return reference.with_pixels(row.load()(stack), "srgb"), stack
    if row.takes == "samples":
        return with_white_luminance(reference.with_pixels(merge_strips(stack, row.load()), "linear")), stack
    merged = row.load()(compared)
    return with_white_luminance(reference.with_pixels(merged.radiance, "linear")), merged.stack


def _frames_of(method: str, bracket: Bracket) -> tuple[int, ...]:
    """Indices of the frames that a method merges, shortest first for a network."""
    if _is_network(method):
        return choose_three(bracket.ev, bracket.reference)
    return tuple(range(len(bracket.frames)))


def _through_network(stack: Stack, name: str, options: MergeOptions) -> np.ndarray:
    """(H, W, 3) float32 light from a network, which sees the frames registered and linearised."""
    from openhdr.models import load_for_use  # needs torch
    from openhdr.models.inference.three_frames import reconstruct

    network = load_for_use(name, options.weights)
    chosen = _frames_of(name, stack.bracket)
    light = registered_light(stack, chosen)
    return reconstruct(network, light, stack.bracket.ev[list(chosen)], reference=1, options=options.run)


def _beyond_training(method: str, weights: str | None, ev: np.ndarray) -> tuple[str, ...]:
    """A note where the frames that a network is given lie farther apart, or nearer, than its weights know."""
    name = str(chosen_weights(method, weights)) if _is_network(method) else ""
    steps = np.diff(ev)
    if name not in WEIGHTS or WEIGHTS[name].suits(steps):
        return ()
    least, most = WEIGHTS[name].ev_steps
    found = " and ".join(f"{step:.1f}" for step in steps)
    return (
        f"the weights '{name}' were made for steps of {least:g} to {most:g} EV between the frames; here they are "
        f"{found} EV, and shadows may come out speckled ({DEFAULT_MERGER}, the default method, takes any steps)",
    )
