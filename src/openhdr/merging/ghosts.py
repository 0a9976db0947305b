"""Deghosting: which pixels of each frame show the same content as the reference, given noise and alignment.

Frames are compared one after the other, nearest exposure first, with a composite that starts as the reference and
grows: a consistent frame extends it where it was clipped and sharpens it where it was noisy. The difference is
measured in standard deviations that allow for both frames' noise, for a residual misalignment and for a response
that is not quite the assumed one. Where the composite is clipped nothing is known but a lower bound: a frame that
shows less light there shows something else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from openhdr.bracketing.tone_difference import densest
from openhdr.color.channels import any_channel, mean_channel, per_channel, where
from openhdr.core import progress
from openhdr.core.threads import in_threads
from openhdr.geometry import overview, shrink, size_within, steepness
from openhdr.merging.composite import (
    MARGIN_ROWS,
    MOST_GRAIN,
    Composite,
    FrameScale,
    contradiction,
    extend,
    own_scale,
    thinned,
    whole_frame,
)
from openhdr.merging.hole_fill import make_hole_fill
from openhdr.merging.matching import Match, find_match
from openhdr.merging.registered import RegisteredBracket, Strip, strips_of, widened

TINY = np.float32(1e-6)  # light below which ratios mean nothing
DETAIL_PX = 9  # side of the square over which detail has no mean
EDGE_PX = 5  # side of the square within which light of an object shows beside it
BESIDE = 9  # sides of an object's least square that what is beside it may be away, half to either side
LEAST_LEVELLED, MOST_LEVELLED = 1000, 0.4  # values that show it, and stops by which an exposure may be off
LEAST_BLEACHED, MOST_BLEACHED = 0.06, 0.3  # shares of light, see `bleaching`


@dataclass(frozen=True)
class CompareOptions:
    deghost: bool | None = True  # None = of frames at rest only objects, see `object_share`
    # correct exposures and tones by the reference, see `matching`; None = only exposures that are clearly misstated
    match: bool | None = True
    working_megapixels: float = 1.5  # frames are compared at this size at most
    long_megapixels: float = 1.0  # ... and at this one from `many_frames` on: each of them tells less
    many_frames: int = 7
    matching_megapixels: float = 0.4  # ... and at this size if only tones are matched
    slack: float = 0.03  # relative difference that response and exposure errors may make
    misalignment_px: float = 0.1  # residual shift that alignment may leave
    radius_px: float = 1.0  # sigma of the window over which evidence is pooled
    tolerated: float = 2.5  # root mean square difference, in standard deviations, that is surely noise
    refused: float = 4.0  # ... that surely is not
    detail_slack: float = 0.15  # the same for detail, which is measured without its surroundings' mean
    detail_misalignment_px: float = 0.15
    detail_floor: float = 0.01  # share of the light by which detail may always differ
    detail_radius_px: float = 1.5
    detail_tolerated: float = 2.0
    detail_refused: float = 3.5
    object_share: float = (
        0.006  # of the longer side, 5 px at least: contradictions narrower than that are none
    )
    object_stops: float = 0.5  # by which an object is brighter or darker than what it covers
    curve_known: bool = (
        False  # frames differ by no residual of the camera's curve: a branch of leaves is an object
    )
    object_density: float = (
        0.15  # share of a square of three such widths that contradicts where a branch sways
    )
    moved_share: float = 0.25  # of the frames that may have moved on a tripod


@dataclass(frozen=True)
class Evidence:
    """What frames showed when they were compared, at working size. Lists have one entry a frame.

    small: the bracket with every frame matched to the reference's tones, without ghost masks. scales: how each frame
    was brought onto the reference's scale. composite: what they told together. consistency: (h, w) float32 0..1.
    hole_fill: (h, w, 3) float32. doubtful: (h, w) bool, where a frame may show something else; empty = anywhere.
    """

    small: RegisteredBracket
    scales: list[FrameScale]
    composite: Composite
    consistency: list[np.ndarray]
    hole_fill: np.ndarray
    doubtful: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """A bracket whose frames were compared with the reference.

    registered: the bracket with ghosts marked and every frame matched to the reference's tones. matches: per frame.
    evidence: None if no ghosts were looked for, or nothing moved.
    """

    registered: RegisteredBracket
    matches: list[Match]
    evidence: Evidence | None = None


def compare(registered: RegisteredBracket, options: CompareOptions = CompareOptions()) -> Comparison:
    """Find the ghosts of a bracket and match every frame to the reference's tones."""
    count = len(registered.registrations)
    matches = [Match() for _ in range(count)]
    if options.deghost is False and options.match is False:
        return Comparison(registered, matches)
    if options.deghost is False:
        megapixels = options.matching_megapixels
    else:
        megapixels = options.working_megapixels if count < options.many_frames else options.long_megapixels
    small = shrink_registered(registered, megapixels)
    strip = small.whole()
    scales = in_threads(lambda index: own_scale(strip, index), range(count))
    order = sorted(range(count), key=lambda i: (i != strip.reference, abs(strip.ev[i]), strip.ev[i]))
    consistency = [np.ones(small.shape, np.float32) for _ in order]
    objects = [np.zeros(small.shape, bool) for _ in order]
    composite = whole_frame(small, strip, strip.reference, scales)
    moved = sum(one.moves for one in small.registrations) / count
    tripod = options.deghost is None and moved <= options.moved_share
    with progress.task("comparing frames", count - 1) as advance:
        for index in order[1:]:
            frame = whole_frame(small, strip, index, scales)
            if options.match is not False:
                match = _match(strip, index, frame, composite)
                matches[index] = match if options.match else match.of_exposure
            if matches[index].size:
                small = _with_matches(small, [m if i == index else Match() for i, m in enumerate(matches)])
                strip = small.strip_with(strip, index)
                scales[index] = own_scale(strip, index)
                frame = whole_frame(small, strip, index, scales)
            if small.light_variance[index].processed:
                scales[index] = replace(scales[index], factor=_levelling(frame, composite))
                frame = replace(frame, light=frame.light * scales[index].factor)
            if options.deghost is not False:
                level, both = _agreement(frame, composite, small.noise.codes > MOST_GRAIN, options)
                consistency[index] = both
                if tripod:
                    inside = strip.consistency[index]
                    level, agreeing = (1 - inside * (1 - one) for one in (level, both))
                    objects[index] = _objects(frame, composite, level, agreeing, options)
                    # objects are left out with their soft edges, unless this frame alone measures them
                    edged = cv2.erode(both, np.ones((EDGE_PX, EDGE_PX), np.uint8))
                    edged = np.where(any_channel(composite.bound | frame.bound), both, edged)
                    consistency[index] = np.where(objects[index], edged, np.float32(1))
            extend(composite, frame, consistency[index] * strip.consistency[index])
            advance()
    matched = _with_matches(registered, matches)
    if options.deghost is False or (tripod and not any(one.any() for one in objects)):
        return Comparison(matched, matches)
    hole_fill = make_hole_fill(composite, strip.top[strip.reference])
    marked = replace(matched, consistency=list(consistency), hole_fill=hole_fill)
    doubtful = objects if tripod else []
    return Comparison(marked, matches, Evidence(small, scales, composite, consistency, hole_fill, doubtful))


def _objects(
    frame: Composite,
    composite: Composite,
    level: np.ndarray,
    agreeing: np.ndarray,
    options: CompareOptions,
) -> np.ndarray:
    """(h, w) bool: where a frame shows an object that the others do not, with its surroundings.

    What is narrow, scattered or faint is mostly glare, leaves in the wind, crushed black and the residual of the
    camera's curve. A mask of it takes more light away than it removes ghosts. Where the curve is known, no residual
    explains scattered contradictions, and those that stand close together are an object. level, agreeing: see
    `_agreement`; an object differs in level.
    """
    # more light than a clipped composite can show, and less than a black one, tell of no object
    known = np.where(composite.bound, np.maximum(frame.light, composite.light), composite.light)
    known = np.where(composite.crushed, np.minimum(frame.light, known), known)
    apart = mean_channel(np.maximum(frame.light, TINY)) / mean_channel(np.maximum(known, TINY))
    strong = (level < 0.5) & (np.abs(np.log2(apart)) > options.object_stops)
    side = max(round(options.object_share * max(agreeing.shape)), 5)
    square = np.ones((side, side), np.uint8)
    core = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_OPEN, square)
    if options.curve_known:
        share = cv2.blur(strong.astype(np.float32), (3 * side, 3 * side))
        core = np.maximum(core, strong & (share > options.object_density))
    _, labels = cv2.connectedComponents((agreeing < 0.5).astype(np.uint8))
    # a branch or a limb is thin, too: what contradicts strongly beside an object is part of it
    reach = cv2.dilate(core, np.ones((BESIDE * side, BESIDE * side), np.uint8)) > 0
    touched = np.zeros(labels.max() + 1, bool)
    touched[np.unique(labels[reach & strong])] = True
    touched[0] = False  # what does not contradict
    return cv2.dilate(touched[labels].astype(np.uint8), square) > 0


def _with_matches(registered: RegisteredBracket, matches: list[Match]) -> RegisteredBracket:
    """The bracket with corrected responses and exposures."""
    frames, responses = [], []
    for frame, response, match in zip(registered.bracket.frames, registered.responses, matches, strict=True):
        corrected, shift = match.correct(response, frame.image.encoding)
        frames.append(replace(frame, ev=frame.ev + shift))
        responses.append(corrected)
    return replace(registered, bracket=replace(registered.bracket, frames=tuple(frames)), responses=responses)


def shrink_registered(registered: RegisteredBracket, megapixels: float) -> RegisteredBracket:
    """The bracket with frames of at most so many megapixels, by area averaging."""
    height, width = registered.shape
    size = size_within((height, width), megapixels)
    if size == (width, height):
        return registered
    scale = (size[0] / width, size[1] / height)
    frames = in_threads(
        lambda f: replace(f, image=f.image.with_pixels(overview(f.image, size))),
        registered.bracket.frames,
    )
    invalid = [
        None if mask is None else cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
        for mask in registered.invalid
    ]
    return RegisteredBracket(
        replace(registered.bracket, frames=tuple(frames)),
        registered.responses,
        [shrink(place, scale) if place.moves else place for place in registered.registrations],
        invalid,
        registered.consistency,
        noise=registered.noise,
        clip=registered.clip,
    )


def _levelling(frame: Composite, composite: Composite) -> np.float32:
    """The factor that takes out what a frame's exposure is off, as both show it where they are properly exposed.

    For the comparison only: shutter times are rounded by a tenth of a stop, which is no movement. What is merged stays
    at the stated exposures.
    """
    frame, composite = frame.thinned(), composite.thinned()
    sure = ~(frame.bound | composite.bound | frame.crushed | composite.crushed)
    if sure.sum() < LEAST_LEVELLED:
        return np.float32(1)
    ratio = np.median(composite.light[sure] / np.maximum(frame.light[sure], 1e-9))
    return np.float32(np.clip(ratio, 2.0**-MOST_LEVELLED, 2.0**MOST_LEVELLED))


def _match(strip: Strip, index: int, frame: Composite, composite: Composite) -> Match:
    """Tone match on the pixels that are neither clipped nor noisy in either.

    Pixels are chosen and sorted by the mean of both weighted by precision: its noise is independent of their
    difference's. Chosen by either's own light, noise would pass for a difference of tones.
    """
    frame, composite = frame.thinned(), composite.thinned()
    variance = composite.variance + frame.variance
    mean = composite.light + composite.variance / variance * (frame.light - composite.light)
    sure = ~(frame.bound | composite.bound | frame.crushed | composite.crushed) & (
        mean > 6 * np.sqrt(variance)
    )
    sure &= (np.minimum(frame.light, composite.light) > 0) & per_channel(
        thinned(strip.consistency[index]) > 0.99
    )
    light = mean * np.float32(2.0 ** strip.ev[index])
    return find_match(frame.light, composite.light, light, sure)


def _agreement(
    frame: Composite, composite: Composite, detailed: bool, options: CompareOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Consistency in level, and in level and detail, (h, w) float32 0..1 each.

    detailed: detail tells more than level, because errors of the camera's curve are larger than noise.
    """
    bleached = bleaching(frame, composite)
    height, width, _ = frame.light.shape
    level, both = (np.empty((height, width), np.float32) for _ in range(2))

    def work(rows: slice) -> None:
        wide, inner = widened(rows, MARGIN_ROWS, height)
        parts = frame.cut(wide), composite.cut(wide)
        found = _level_agreement(*parts, bleached, options)
        level[rows] = both[rows] = found[inner]
        if detailed:
            both[rows] = np.minimum(found, _detail_agreement(*parts, found, options))[inner]

    in_threads(work, strips_of(height, width))
    return level, both


def _level_agreement(
    frame: Composite, composite: Composite, bleached: float, options: CompareOptions
) -> np.ndarray:
    difference = frame.light - composite.light
    slack = np.full(difference.shape[:2], options.slack, np.float32)
    if bleached:
        lacking = np.maximum(frame.light, per_channel(mean_channel(frame.light)))
        difference = where(composite.bound, lacking - np.float32(1 - bleached) * composite.light, difference)
        slack[any_channel(composite.bound)] = max(bleached, options.slack)
    difference = contradiction(difference, frame, composite)
    spread = frame.variance + composite.variance
    spread += np.square(per_channel(slack) * composite.light)
    slope = steepness(composite.light)
    # small lamps: a clipped composite hides how steep the light is, the frame shows it
    slope = where(composite.bound, np.maximum(slope, steepness(frame.light)), slope)
    spread += np.square(np.float32(options.misalignment_px) * slope)
    evidence = mean_channel(np.square(difference) / spread)
    return _consistency(evidence, options.radius_px, options.tolerated, options.refused)


def _detail_agreement(
    frame: Composite, composite: Composite, level: np.ndarray, options: CompareOptions
) -> np.ndarray:
    """(h, w) float32 0..1: whether a frame's finest detail is the composite's, where the level is.

    Errors of the camera's curve are as large as what ripples and leaves differ by, but the pixels of an area share
    them. Detail differs by noise alone, by a share of itself, and by what it is misplaced.
    """
    unknown = any_channel(frame.bound | composite.bound | frame.crushed | composite.crushed)
    light = mean_channel(composite.light)
    difference = mean_channel(frame.light) - light
    difference[unknown | (level < 0.5)] = 0  # beside an object it would be read as detail
    spread = frame.grain + composite.grain
    spread += np.square(np.float32(options.detail_slack) * _finest(light))
    spread += np.square(np.float32(options.detail_misalignment_px) * steepness(light))
    spread += np.square(np.float32(options.detail_floor) * light)
    evidence = np.square(_finest(difference)) / spread
    return _consistency(evidence, options.detail_radius_px, options.detail_tolerated, options.detail_refused)


def _finest(values: np.ndarray) -> np.ndarray:
    """(h, w) -> what is left of it without its mean over a few pixels around."""
    return values - cv2.blur(values, (DETAIL_PX, DETAIL_PX))


def _consistency(evidence: np.ndarray, radius_px: float, tolerated: float, refused: float) -> np.ndarray:
    """(h, w) float32 0..1 of squared deviations, pooled over their surroundings."""
    pooled = cv2.sqrt(cv2.GaussianBlur(evidence, (0, 0), radius_px))
    return np.clip((refused - pooled) / (refused - tolerated), 0, 1)


def bleaching(frame: Composite, composite: Composite) -> float:
    """How far the composite's highlights are bleached, 0..MOST_BLEACHED.

    Many cameras desaturate a highlight when its first channel clips: the others read too bright, and even a clipped
    channel may have had less light than its bound. The channels that still measure beside a clipped one show it:
    compared with a shorter frame they are too bright by a share, which is returned; 0 for an honest sensor.
    """
    partly = per_channel(any_channel(composite.bound)) & ~(composite.bound | frame.bound)
    partly &= np.minimum(composite.light, frame.light) > 0.1
    places = np.flatnonzero(partly)
    if len(places) < 1000:
        return 0.0
    excess = np.log(composite.light.ravel()[places] / frame.light.ravel()[places])
    typical = densest(excess)
    # objects that moved disagree in all directions; bleaching is the rule for the whole picture
    if (np.abs(excess - typical) < 0.15).mean() < 0.3 or 2 * typical < LEAST_BLEACHED:
        return 0.0
    return min(2 * typical, MOST_BLEACHED)
