"""What a user painted: areas where a frame is taken, kept or left out, whatever the search for ghosts has found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

import cv2
import numpy as np

from openhdr.core.errors import RequestError, unknown_name
from openhdr.merging.registered import RegisteredBracket

Trust = Literal["only", "always", "never", "found"]
"""`only`: the area is taken from this frame alone; `always`: the frame counts there, `never`: it does not; `found`:
again as the search for ghosts found it, for all frames."""

WORKING_MEGAPIXELS = 1.5  # of the maps where deghosting made none
FEATHER = 0.12  # sigma of a stroke's edge, as a share of its radius
MOST_POINTS = 100_000


@dataclass(frozen=True)
class Stroke:
    """One stroke of a brush, in the reference's geometry.

    frame: its number, from 1 in the order given. radius, points (x, y): in units of the picture's width.
    """

    frame: int
    trust: Trust
    radius: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if self.trust not in get_args(Trust):
            raise unknown_name("trust of a stroke", str(self.trust), get_args(Trust))
        numbers = [self.radius, *(value for point in self.points for value in point)]
        if not (0 < len(self.points) <= MOST_POINTS and all(map(math.isfinite, numbers)) and self.radius > 0):
            raise RequestError(
                "`retouch`: a stroke needs a radius above 0 and 1 to 100,000 points, in units of the width"
            )


def strokes_of(given: Sequence[Stroke | Mapping[str, Any]]) -> tuple[Stroke, ...]:
    """Strokes, also of mappings as JSON gives them. Raises RequestError."""
    names = {one.name for one in fields(Stroke)}
    strokes = []
    for one in given:
        if isinstance(one, Stroke):
            strokes.append(one)
            continue
        try:
            if one.keys() != names:
                raise TypeError
            points = tuple((float(x), float(y)) for x, y in one["points"])
            strokes.append(Stroke(int(one["frame"]), one["trust"], float(one["radius"]), points))
        except (TypeError, ValueError, AttributeError) as error:
            raise RequestError(
                f"`retouch`: expected a list of strokes, each with {', '.join(names)}"
            ) from error
    return tuple(strokes)


def plain_strokes(strokes: Sequence[Stroke | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Strokes as JSON holds them."""
    return [asdict(one) for one in strokes_of(strokes)]


def retouched(
    registered: RegisteredBracket, given: Sequence[Stroke | Mapping[str, Any]]
) -> RegisteredBracket:
    """The bracket with the strokes in its consistency maps, later ones over earlier ones.

    Where a frame was chosen nothing is filled in from others, also where it clips (`RegisteredBracket.chosen`).
    """
    strokes = strokes_of(given)
    if not strokes:
        return registered
    count = len(registered.bracket.frames)
    for stroke in strokes:
        if not 1 <= stroke.frame <= count:
            raise RequestError(f"`retouch`: a stroke names frame {stroke.frame}; there are {count}")
    height, width = registered.shape
    factor = min((WORKING_MEGAPIXELS * 1e6 / (height * width)) ** 0.5, 1)
    sizes = [one.shape[:2] for one in registered.consistency if one is not None]
    shape = sizes[0] if sizes else (max(round(height * factor), 1), max(round(width * factor), 1))
    found = [np.ones(shape, np.float32) if one is None else one for one in registered.consistency]
    maps, chosen = [one.copy() for one in found], np.zeros(shape, np.float32)
    for stroke in strokes:
        area = painted(stroke, shape)
        for index, one in enumerate(maps):
            own = index == stroke.frame - 1
            if stroke.trust == "found":
                one += area * (found[index] - one)
            elif own or stroke.trust == "only":
                one += area * (float(own and stroke.trust != "never") - one)
        chosen += area * (float(stroke.trust == "only") - chosen)
    return replace(registered, consistency=list(maps), chosen=chosen)


def painted(stroke: Stroke, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 0..1: the area of a stroke, with a soft edge."""
    width, fine = shape[1], 4  # bits of OpenCV's fixed-point positions
    radius = max(stroke.radius * width, 0.5)
    area = np.zeros(shape, np.float32)
    places = np.clip(np.array(stroke.points) * width - 0.5, -4 * max(shape), 4 * max(shape))
    fixed = np.round(places * 2**fine).astype(np.int32)
    cv2.polylines(area, [fixed[:, None]], False, 1, max(round(2 * radius), 1), cv2.LINE_8, fine)
    for x, y in fixed.tolist():
        cv2.circle(area, (x, y), round(radius * 2**fine), 1, cv2.FILLED, cv2.LINE_8, fine)
    return cv2.GaussianBlur(area, (0, 0), max(FEATHER * radius, 0.5))
