"""Homography, then a dense refinement for what a homography cannot follow: parallax, leaves, slow movement.

Dense inverse search (Kroeger et al. 2016, OpenCV's implementation) runs between the reference and each registered
frame, both as log light on one tone scale, with clipped places made equal so that they exert no pull. A gate keeps
the refinement only where it makes the frames agree clearly better; elsewhere the homography stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from openhdr.alignment import homography
from openhdr.alignment.homography import Thumbnail, patterns, thumbnail
from openhdr.alignment.registration import Pattern
from openhdr.bracketing.tone_difference import tone_difference
from openhdr.camera.response import Response
from openhdr.core import progress
from openhdr.core.image import Bracket
from openhdr.geometry import Registration, sampling_map, shrink

SMALLEST_SIDE_PX = 32  # of a picture in which flow can be sought


@dataclass(frozen=True)
class FlowOptions:
    working_megapixels: float = 1.0  # flow is sought at this size at most
    window_px: float = 4.0  # sigma of the window over which agreement is judged
    needed_gain: float = 0.3  # relative drop of disagreement that a local refinement must bring
    least_disagreement: float = 0.04  # of the logs, below which there is nothing to refine
    homography: homography.AlignOptions = homography.AlignOptions()
    most_shift: float = 0.04  # of the longer side: larger motion is an object that moved, not parallax


def align(bracket: Bracket, response: Response, options: FlowOptions = FlowOptions()) -> list[Registration]:
    """One Registration per frame, in the bracket's order."""
    registrations = homography.align(bracket, response, options.homography)
    thumbs = [thumbnail(frame.image, response, options.working_megapixels) for frame in bracket.frames]
    moving = [i for i, place in enumerate(registrations) if place.status in ("aligned", "kept")]
    with progress.task("refining", len(moving)) as advance:
        for index in moving:
            pair = (bracket.reference, index)
            registrations[index] = refine(
                registrations[index], thumbs, patterns(thumbs, bracket.ev, pair), options
            )
            advance()
    return registrations


def refine(
    registration: Registration, thumbs: list[Thumbnail], pair: tuple[Pattern, Pattern], options: FlowOptions
) -> Registration:
    """The registration with a gated flow, or as it was when nothing is gained. pair: (reference, frame)."""
    target, moving = pair
    shape = target.log.shape
    small = shrink(registration, (moving.scale, moving.scale))
    where = sampling_map(small, slice(0, shape[0]), shape)
    value, known = _sample(moving, where)
    known *= target.known * (np.minimum(value, target.log) > target.dark)  # black has no texture to follow
    if min(shape) < SMALLEST_SIDE_PX or (known > 0.99).mean() < 0.01:
        return registration
    value = _toned(value, target.log, known)
    flow = _dense_flow(target.log, value, known)
    trusted = _gate(target, moving, small, flow, (value, known), options)
    if not trusted.any():
        return registration
    flow = flow * trusted[..., None]
    displaced = sampling_map(replace(small, flow=None), slice(0, shape[0]), shape, flow)
    shift = (displaced - where) / np.float32(moving.scale)
    return replace(registration, status="aligned", flow=shift)


def _sample(moving: Pattern, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value = cv2.remap(
        moving.log, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    known = cv2.remap(moving.known, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderValue=0)
    return value, np.where(known > 0.99, 1, 0).astype(np.float32)


def _toned(value: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The frame on the reference's tones; where either is unknown, the reference itself."""
    sure = known > 0.99
    out = target.copy()
    out[sure] = value[sure] - tone_difference(target[sure], (value - target)[sure])
    return out


def _dense_flow(target: np.ndarray, value: np.ndarray, known: np.ndarray) -> np.ndarray:
    low, high = np.percentile(target[known > 0.99], [0.5, 99.5])
    eight = [
        np.clip((image - low) * (255 / max(high - low, 1e-3)), 0, 255).astype(np.uint8)
        for image in (target, value)
    ]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setUseSpatialPropagation(True)
    return search.calc(eight[0], eight[1], None)  # type: ignore[call-overload]  # it makes the flow


def _gate(
    target: Pattern,
    moving: Pattern,
    small: Registration,
    flow: np.ndarray,
    before: tuple[np.ndarray, np.ndarray],
    options: FlowOptions,
) -> np.ndarray:
    """(h, w) float32 0..1: where the flow makes the frames agree clearly better."""
    shape = target.log.shape
    where = sampling_map(replace(small, flow=None), slice(0, shape[0]), shape, flow)
    value, known = _sample(moving, where)
    known *= target.known
    moved = _toned(value, target.log, known)
    common = before[1] * known
    window = (0, 0), options.window_px
    total = cv2.GaussianBlur(common, *window) + 1e-3
    old = cv2.GaussianBlur(np.abs(before[0] - target.log) * common, *window) / total
    new = cv2.GaussianBlur(np.abs(moved - target.log) * common, *window) / total
    better = (new < (1 - options.needed_gain) * old) & (old > options.least_disagreement)
    better &= np.hypot(flow[..., 0], flow[..., 1]) < options.most_shift * max(shape)
    return cv2.GaussianBlur(better.astype(np.float32), *window)
