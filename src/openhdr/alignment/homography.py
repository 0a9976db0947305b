"""Align a bracket by one homography a frame (rotation, translation, perspective: a hand-held camera).

Each frame is registered to the already placed frame with which it shares most properly exposed pixels, starting
from the reference. A gate keeps a frame where it was when moving it does not make it agree better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from openhdr.alignment.registration import (
    LOG_FLOOR,
    Pair,
    Pattern,
    RegistrationOptions,
    phase_shift,
)
from openhdr.camera.response import Response
from openhdr.color.luminance import luminance
from openhdr.core import progress
from openhdr.core.image import Bracket, Image
from openhdr.core.threads import in_threads
from openhdr.geometry import Registration, Status, identity, mean_shift, overview, size_within

SAME_GUESS = 0.002  # of the longer side: guesses no farther apart lead to the same registration
CERTAIN = 0.12  # disagreement under which no further candidate is tried


@dataclass(frozen=True)
class AlignOptions:
    working_megapixels: float = 1.0  # registration looks at a picture of at most this size
    gain: float = 0.02  # relative drop of disagreement that makes the smallest move worth while
    hopeless: float = 0.75  # disagreement above which a frame does not show the same scene
    rest_px: float = 1.5  # mean shift up to which a frame counts as at rest ...
    moved_share: float = 0.25  # ... as long as no more than this share of the frames moved farther
    telling_overlap: float = 0.05  # ... and show enough in common to tell
    least_overlap: float = 0.002  # share of properly exposed common pixels that registration needs
    registration: RegistrationOptions = RegistrationOptions()


@dataclass(frozen=True)
class Thumbnail:
    """A frame at working size: linear light (h, w) float32 relative to its clipping level, and what is clipped."""

    light: np.ndarray
    unclipped: np.ndarray
    scale: float


def align(bracket: Bracket, response: Response, options: AlignOptions = AlignOptions()) -> list[Registration]:
    """One Registration per frame, in the bracket's order."""
    ev, count = bracket.ev, len(bracket.frames)
    thumbs = in_threads(
        lambda frame: thumbnail(frame.image, response, options.working_megapixels), bracket.frames
    )
    shared = _shared(thumbs)
    placed = {bracket.reference: identity("reference")}
    shape = bracket.frames[0].image.pixels.shape[:2]

    def place(pair: tuple[int, int]) -> Registration:
        found = _place(thumbs, ev, pair, placed[pair[1]], shape, options)
        advance()
        return found

    with progress.task("aligning", count - 1) as advance:
        while len(placed) < count:
            pairs = _next_pairs(shared, ev, placed)
            placed |= zip((index for index, _ in pairs), in_threads(place, pairs), strict=True)
    return _at_rest([placed[index] for index in range(count)], options)


def _at_rest(registrations: list[Registration], options: AlignOptions) -> list[Registration]:
    """Frames of a tripod stay as they are: less than a pixel or so of movement costs more by resampling than it brings.

    One frame that seems to move farther, or to show something else, does not make a tripod a hand: it is taken at
    its word, while the others stay.
    """
    moved = [
        place.shift_px > options.rest_px and place.overlap > options.telling_overlap
        for place in registrations
        if place.status == "aligned"
    ]
    if sum(moved) > len(registrations) * options.moved_share:
        return registrations
    return [
        replace(identity("kept"), disagreement=place.disagreement, overlap=place.overlap)
        if place.status == "aligned" and place.shift_px <= 2 * options.rest_px
        else place
        for place in registrations
    ]


def thumbnail(image: Image, response: Response, megapixels: float) -> Thumbnail:
    """Shrink by area averaging and linearise."""
    size = size_within((image.height, image.width), megapixels)
    pixels = overview(image, size)
    linear = response.decode(image.with_pixels(pixels))
    unclipped = (pixels.max(axis=2) < 0.97 * image.full_scale).astype(np.float32)
    unclipped = cv2.erode(unclipped, np.ones((5, 5)))
    return Thumbnail(luminance(linear), unclipped, size[0] / image.width)


def patterns(thumbs: list[Thumbnail], ev: np.ndarray, pair: tuple[int, int]) -> tuple[Pattern, Pattern]:
    """The two frames of `pair` as log light on one scale, with the floor of the shorter one in both."""
    floor = LOG_FLOOR * 2.0 ** -min(ev[pair[0]], ev[pair[1]])
    made = []
    for index in pair:
        light = thumbs[index].light * np.float32(2.0 ** -ev[index]) + np.float32(floor)
        made.append(Pattern(np.log(light), thumbs[index].unclipped, thumbs[index].scale, np.log(2 * floor)))
    return made[0], made[1]


def _next_pairs(shared: np.ndarray, ev: np.ndarray, placed: dict[int, Registration]) -> list[tuple[int, int]]:
    """(frame, target) of unplaced frames that can be registered now, each to the placed one it shares most with.

    A maximum spanning tree grows from the placed frames (Prim's algorithm); its branches that start at these are
    returned. The reference counts fourfold: a direct registration has no chain of errors.
    """
    reached = {index: place.status for index, place in placed.items()}
    now = []

    def rank(pair: tuple[int, int]) -> tuple[float, float]:
        favour = 4.0 if reached[pair[1]] == "reference" else 1.0
        return favour * shared[pair], -abs(ev[pair[0]] - ev[pair[1]])

    while len(reached) < len(shared):
        outside = [index for index in range(len(shared)) if index not in reached]
        targets = [index for index, status in reached.items() if status != "rejected"]
        frame, target = max(((i, j) for i in outside for j in targets), key=rank)
        reached[frame] = "kept"  # or so it is taken: who depends on it is asked again when it is known
        if target in placed:
            now.append((frame, target))
    return now


def _shared(thumbs: list[Thumbnail]) -> np.ndarray:
    """(N, N): share of pixels that are above the noise and below clipping in both of two frames."""
    good = [(thumb.unclipped * (thumb.light > 2 * LOG_FLOOR))[::2, ::2].ravel() for thumb in thumbs]
    stacked = np.stack(good).astype(np.float32)
    return np.round(stacked @ stacked.T / stacked.shape[1], 3)


def _place(
    thumbs: list[Thumbnail],
    ev: np.ndarray,
    pair: tuple[int, int],
    base: Registration,
    shape: tuple[int, int],
    options: AlignOptions,
) -> Registration:
    """Register frame pair[0] to the placed frame pair[1] and chain with the latter's own homography."""
    target, moving = patterns(thumbs, ev, (pair[1], pair[0]))
    zoom = np.diag([moving.scale, moving.scale, 1.0])
    still = (
        zoom @ np.linalg.inv(base.homography) @ np.linalg.inv(zoom)
    )  # "the frame has not moved" seen from target
    prepared = Pair(target, moving, options.registration)
    before, overlap = prepared.disagreement(still)
    if overlap < options.least_overlap:
        return identity("kept")
    found, after = _best_registration(prepared, still, options)
    needed = _needed_gain(found @ np.linalg.inv(still), target.log.shape, options)
    if overlap < options.telling_overlap:
        needed *= 2
    if after >= (1 - needed) * before:
        status: Status = "rejected" if before > options.hopeless else "kept"
        return Registration(status, np.eye(3), disagreement=(before, before), overlap=overlap)
    if after > options.hopeless:
        return Registration("rejected", np.eye(3), disagreement=(before, after), overlap=overlap)
    homography = np.linalg.inv(zoom) @ found @ zoom @ base.homography
    homography /= homography[2, 2]
    shift = mean_shift(homography, *shape)
    return Registration("aligned", homography, None, shift, (before, after), overlap)


def _needed_gain(move: np.ndarray, shape: tuple[int, int], options: AlignOptions) -> float:
    """Relative drop of disagreement that a move must bring: a far one needs more evidence than a small one."""
    travel = mean_shift(move, *shape) / max(shape)
    return options.gain + 0.5 * (1 - np.exp(-8 * travel))


def _best_registration(pair: Pair, still: np.ndarray, options: AlignOptions) -> tuple[np.ndarray, float]:
    """The best of a few candidates: from rest or from a phase correlation, rigid or with perspective."""
    best, least = still, 1.0
    for first_guess in (lambda: np.eye(3), lambda: phase_shift(pair.target, pair.moving)):
        start = first_guess()
        apart = mean_shift(start @ np.linalg.inv(best), *pair.target.log.shape)
        if least < 1 and apart < SAME_GUESS * max(pair.target.log.shape):
            continue
        for freedoms in (3, 8):
            warp = pair.register(start, freedoms)
            cost, overlap = pair.disagreement(warp)
            # perspective is the rule, but where little is shared it must earn its freedom or it swings elsewhere
            worth = cost < least * (1.0 if freedoms == 3 else 1.01 if overlap > 0.15 else 0.98)
            if worth and overlap >= options.least_overlap and _plausible(warp, pair.target.log.shape):
                best, least, start = warp, cost, warp
        if least < CERTAIN:
            break
    return best, least


def _plausible(warp: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether a hand could have moved the camera so: corners travel under a quarter of the picture, sizes 30 %."""
    height, width = shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], dtype=np.float64)
    moved = corners @ warp.T
    if (moved[:, 2] <= 0.2).any():
        return False
    moved = moved[:, :2] / moved[:, 2:]
    travel = np.abs(moved - corners[:, :2]).max()
    sides = np.linalg.norm(moved - np.roll(moved, 1, axis=0), axis=1)
    ratio = sides / np.linalg.norm(corners[:, :2] - np.roll(corners[:, :2], 1, axis=0), axis=1)
    return bool(travel < 0.25 * max(shape) and ratio.min() > 0.7 and ratio.max() < 1.3)
