"""The table of contents of openhdr: read -> exposures -> align -> merge -> (tone-map) -> write.

Command line, benchmark and documentation call these functions; there is no second route from files to HDR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openhdr import io
from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.camera import response as responses
from openhdr.camera.border import pure_colour_border
from openhdr.camera.bracketing import ExposureRequest, make_bracket
from openhdr.camera.calibration import CalibrationOptions, calibrate
from openhdr.camera.clipping import clip_code
from openhdr.camera.exposure import clipping_luminance
from openhdr.camera.response import Response
from openhdr.core.errors import ExposureError, RequestError, unknown_name
from openhdr.core.image import Bracket, Frame, Image
from openhdr.core.placement import Placement, identity, warp
from openhdr.expansion import DEFAULT as DEFAULT_EXPANDER
from openhdr.expansion import EXPANDERS
from openhdr.expansion.photo import Photo, photo_of
from openhdr.expansion.runner import ExpandResult, expand_image, result_of
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.merging.ghosts import CompareOptions, Comparison, compare
from openhdr.merging.matching import Match
from openhdr.merging.registered import registered_light
from openhdr.merging.samples import Stack
from openhdr.merging.strips import merge_strips
from openhdr.models import MODELS, WEIGHTS, chosen_weights
from openhdr.models.running.options import RunOptions, choose_three
from openhdr.tonemapping import tonemap as apply_operator

if TYPE_CHECKING:
    from openhdr.models.running.one_photo import Expanded

ImageOrPath = Image | str | Path

ASSUMED_RESPONSE = "srgb"
CALIBRATE = "calibrate"
PHOTO = "photo"  # name of the photo itself among the exposures predicted from it
LEAST_STEP = 0.1  # EV by which a predicted exposure has to differ from the photo to take part in a merge


@dataclass(frozen=True)
class MergeOptions:
    """How a bracket is merged. None = the default or what the files say."""

    exposure: ExposureRequest = ExposureRequest()
    method: str | None = None  # a merger's or a network's name
    align: str | None = None
    response: Response | str = ASSUMED_RESPONSE  # a response, its name, a saved curve's path, or "calibrate"
    calibration: str = "debevec"
    deghost: bool = True
    match: bool | None = (
        None  # bring frames onto the reference's tones; by default when the response is assumed
    )
    weights: str | None = None  # of a network: a shipped name or a file
    run: RunOptions = RunOptions()  # of a network: memory, device, precision, augmentation


@dataclass(frozen=True)
class MergeResult:
    """What a merge made and how.

    image: the HDR image (linear, 1.0 = the reference clips), or a picture for display (`mertens`).
    bracket: the frames with the exposures as stated. exposures_from: who stated them.
    trust: per frame (h, w) float32 0..1, what deghosting left in, in the reference's geometry.
    matches: per frame the tone correction that was applied. used: indices of the frames that were merged.
    """

    image: Image
    bracket: Bracket
    exposures_from: str
    placements: list[Placement]
    response: Response
    trust: list[np.ndarray]
    matches: list[Match]
    used: tuple[int, ...]


@dataclass(frozen=True)
class ExpandOptions:
    """How one photo is expanded. None = the default."""

    method: str | None = None  # an expander's or a one-photo network's name
    response: Response | str = ASSUMED_RESPONSE
    weights: str | None = None  # of a network: a shipped name or a file
    merger: str | None = None  # merges the exposures that a network predicts; None = the network's own fusion
    keep_stack: bool = False  # return those exposures, too
    run: RunOptions = RunOptions()  # of a network: memory, device, precision


@dataclass(frozen=True)
class Expansion:
    """What an expansion made and how.

    result: the image, the origin of every pixel and what is claimed. stack: predicted exposures with their EVs.
    masks: (H, W, 3) float32, how much of each of them went into a pixel.
    """

    method: str
    result: ExpandResult
    stack: tuple[Frame, ...] = ()
    masks: np.ndarray | None = None


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
    request = ExposureRequest(ev=ev, reference=reference)
    return merge_bracket(frames, MergeOptions(request, method=method, align=align)).image


def merge_bracket(frames: Sequence[ImageOrPath], options: MergeOptions = MergeOptions()) -> MergeResult:
    """Merge a bracket and say how: read, exposures, alignment, deghosting, merging."""
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
        chosen_weights(method, options.weights)  # refused before the work
    aligner = ALIGNERS[options.align or DEFAULT_ALIGNER]
    response = _first_response(options)
    images, names = read_frames(frames)
    bracket, source = _bracket(images, names, options, response)
    used = _frames_of(method, bracket)
    placements = aligner.load()(bracket, response)
    invalid = [pure_colour_border(image.pixels) for image in images]
    if options.response == CALIBRATE:
        response = _calibrated(bracket, placements, invalid, options.calibration)
        placements = aligner.load()(bracket, response)  # once more, with the frames on one scale
    stack = Stack(bracket, [response] * len(images), placements, invalid, [None] * len(images))
    # a curve recovered from these very frames, or one that the user vouches for, is not bent again
    match = options.match if options.match is not None else options.response == ASSUMED_RESPONSE
    compared = compare(stack, CompareOptions(deghost=options.deghost, match=match))
    image, stack = _combined(compared, method, options)
    image = image.with_notes(*_beyond_training(method, options.weights, bracket.ev[list(used)]))
    trust = [np.ones((1, 1), np.float32) if one is None else one for one in stack.trust]
    return MergeResult(image, bracket, source, placements, response, trust, compared.matches, used)


def _is_network(method: str) -> bool:
    """Whether a network makes the picture. One that works inside a merger of the table is a part of that merger."""
    return method in MODELS and MODELS[method].task != "trust"


def read_frames(frames: Sequence[ImageOrPath]) -> tuple[list[Image], list[str]]:
    """Images and their names; paths are read one by one."""
    if len(frames) < 2:
        raise RequestError(
            f"a bracket needs at least two frames; got {len(frames)}: give the other exposures too"
        )
    images = [frame if isinstance(frame, Image) else io.read(frame) for frame in frames]
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
    if isinstance(options.response, Response):
        return options.response
    return responses.parse(ASSUMED_RESPONSE if options.response == CALIBRATE else options.response)


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
        return _with_luminance(reference.with_pixels(light, "linear")), seen
    row = MERGERS[method]
    if row.takes == "stack":
        return reference.with_pixels(row.load()(stack), "srgb"), stack
    if row.takes == "samples":
        return _with_luminance(reference.with_pixels(merge_strips(stack, row.load()), "linear")), stack
    merged = row.load()(compared)
    return _with_luminance(reference.with_pixels(merged.radiance, "linear")), merged.stack


def _frames_of(method: str, bracket: Bracket) -> tuple[int, ...]:
    """Indices of the frames that a method merges, shortest first for a network."""
    if _is_network(method):
        return choose_three(bracket.ev, bracket.reference)
    return tuple(range(len(bracket.frames)))


def _through_network(stack: Stack, name: str, options: MergeOptions) -> np.ndarray:
    """(H, W, 3) float32 light from a network, which sees the frames registered and linearised."""
    from openhdr.models import load_for_use  # needs torch
    from openhdr.models.running.three_frames import reconstruct

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


def _with_luminance(image: Image) -> Image:
    """Note the luminance of the value 1.0 where the camera's exposure tells it."""
    white = clipping_luminance(image.exposure)
    return replace(image, metadata={**image.metadata, "white_luminance": white}) if white else image


def tonemap(hdr: ImageOrPath, operator: str | None = None) -> Image:
    """Turn an HDR image into a displayable one: (H, W, 3) float32 sRGB codes 0..1."""
    image = hdr if isinstance(hdr, Image) else io.read(hdr)
    return apply_operator(image, operator)


def expand(photo: ImageOrPath, method: str | None = None) -> Image:
    """Turn one photo into an HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the photo clips."""
    return expand_photo(photo, ExpandOptions(method)).result.image


def expand_photo(photo: ImageOrPath, options: ExpandOptions = ExpandOptions()) -> Expansion:
    """Expand a photo and say how: read, where it clips, the method, what it measured and what it invents."""
    method = options.method or DEFAULT_EXPANDER
    networks = [name for name, row in MODELS.items() if row.task == "expand"]
    if method not in EXPANDERS and method not in networks:
        raise unknown_name("expansion method", method, [*EXPANDERS, *networks])
    image, name = _photo(photo)
    response = (
        options.response if isinstance(options.response, Response) else responses.parse(options.response)
    )
    if method in EXPANDERS:
        if options.weights or options.merger:
            raise RequestError(f"--weights and --merger are for networks; '{method}' takes neither")
        return Expansion(method, _lit(expand_image(image, method, response, name=name)))
    if options.merger and MERGERS[options.merger].output != "radiance":
        raise RequestError(
            f"--merger {options.merger}: gives a picture for display; choose mle, debevec or robertson"
        )
    return _by_network(method, image, photo_of(image, response, name), options)


def _by_network(method: str, image: Image, ready: Photo, options: ExpandOptions) -> Expansion:
    """The expansion by a one-photo network: its own picture, or its exposures merged classically."""
    from openhdr.models import load_for_use  # needs torch
    from openhdr.models.running.one_photo import expand_image as expand_by_network

    network = load_for_use(method, options.weights)
    made = expand_by_network(
        network, ready.linear, options.run, options.keep_stack or options.merger is not None
    )
    stack = _predicted_stack(image, ready, made)
    linear = made.linear
    if options.merger:
        linear, notes = _merged_stack(stack, options.merger, method)
        image = image.with_notes(*notes)
    return Expansion(method, _lit(result_of(image, ready, linear)), stack, made.masks)


def _photo(photo: ImageOrPath) -> tuple[Image, str]:
    return (photo, "the image") if isinstance(photo, Image) else (io.read(photo), str(photo))


def _lit(result: ExpandResult) -> ExpandResult:
    return replace(result, image=_with_luminance(result.image))


def _predicted_stack(image: Image, photo: Photo, made: Expanded) -> tuple[Frame, ...]:
    """The exposures that a network predicts and the photo between them, longest first; none if it makes none."""
    if not made.stack:
        return ()
    up, down = made.stack
    layers = ((up.name, up.code, up.ev), (PHOTO, photo.code, 0.0), (down.name, down.code, down.ev))
    return tuple(
        Frame(Image(np.ascontiguousarray(code, np.float32), "srgb", metadata=image.metadata), ev, name)
        for name, code, ev in layers
    )


def _merged_stack(stack: tuple[Frame, ...], merger: str, method: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The predicted exposures merged by a classical radiance merger, and what to tell about it; they share one
    geometry. One that lies within LEAST_STEP of the photo is left out: it holds no other light.
    """
    if not stack:
        raise RequestError(
            f"--merger: '{method}' predicts no exposures; leave it out, or use --method stack-itm"
        )
    near = [frame for frame in stack if frame.name != PHOTO and abs(frame.ev) < LEAST_STEP]
    kept = tuple(frame for frame in stack if all(frame is not one for one in near))
    left = " and ".join(f"{frame.name} ({frame.ev:+.2f} EV)" for frame in near)
    notes = (f"left out of the merge, within {LEAST_STEP:g} EV of the photo: {left}",) if left else ()
    curve = responses.parse(ASSUMED_RESPONSE)
    reference = [frame.name for frame in kept].index(PHOTO)
    if len(kept) == 1:
        return curve.decode(kept[0].image), notes
    places = [identity("reference" if index == reference else "kept") for index in range(len(kept))]
    nothing = [None] * len(kept)
    bracket = Bracket(kept, reference)
    merged = merge_strips(
        Stack(bracket, [curve] * len(kept), places, nothing, nothing), MERGERS[merger].load()
    )
    return merged, notes
