"""Which photos of a folder belong to one bracket.

Cameras shoot a bracket in one go: same size, same camera, shots within seconds of each other, and exposures that
all differ. A photo whose exposure was already seen starts the next bracket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from openhdr.camera.exposure import SAME_EV

GAP_S = 8.0  # longest pause between two shots of a bracket, beyond their own exposure times

Obstacle = Literal["unknown exposure", "same exposure", "other size", "other camera", "long pause"]
"""Why photos form no bracket."""


@dataclass(frozen=True)
class Shot:
    """What grouping looks at. ev: log2 exposure, None if unknown; date: `YYYY:MM:DD hh:mm:ss` or None."""

    size: tuple[int, int]
    camera: str
    ev: float | None
    time_s: float
    date: str | None


def group(shots: Sequence[Shot]) -> list[list[int]]:
    """Indices of the shots of each bracket, in the order given; photos without company are left out."""
    groups: list[list[int]] = []
    for index, shot in enumerate(shots):
        if shot.ev is None:
            continue
        if groups and _obstacle(shot, [shots[i] for i in groups[-1]]) is None:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [members for members in groups if len(members) > 1]


def why_none(shots: Sequence[Shot]) -> tuple[Obstacle, int] | None:
    """What keeps shots that form no bracket apart, and the index of the first that it is seen at; None = nothing."""
    unknown = next((index for index, shot in enumerate(shots) if shot.ev is None), None)
    if unknown is not None:
        return "unknown exposure", unknown
    pairs = ((_obstacle(shots[index], [shots[index - 1]]), index) for index in range(1, len(shots)))
    found = [(what, index) for what, index in pairs if what]
    return min(found, key=lambda one: get_args(Obstacle).index(one[0]), default=None)


def _obstacle(shot: Shot, bracket: list[Shot]) -> Obstacle | None:
    """Why a shot does not belong to a bracket."""
    last = bracket[-1]
    if shot.size != last.size:
        return "other size"
    if shot.camera != last.camera:
        return "other camera"
    if any(abs((shot.ev or 0.0) - (other.ev or 0.0)) < SAME_EV for other in bracket):
        return "same exposure"
    before, now = _seconds(last.date), _seconds(shot.date)
    together = before is None or now is None or 0 <= now - before <= GAP_S + last.time_s + shot.time_s
    return None if together else "long pause"


def _seconds(date: str | None) -> float | None:
    try:
        return datetime.strptime(date or "", "%Y:%m:%d %H:%M:%S").timestamp()
    except ValueError:
        return None
