"""A wooden toy train: an engine and two wagons that roll towards -x."""

from __future__ import annotations

import numpy as np

from .shapes import Mesh, ball, box, lathe, mm, rod, rotation
from .stage import Stage

Group = dict[str, list[Mesh]]
WHEEL = (
    (0.04, 0),
    (0.96, 0),
    (1, 0.002),
    (1, 0.010),
    (0.94, 0.012),
    (0.3, 0.012),
    (0.28, 0.016),
    (0.04, 0.016),
)


def add_train(stage: Stage, at: tuple[float, float, float], turn: float, travelled: float) -> None:
    """A wooden toy train on the floor; wheels and place follow the distance travelled, metres."""
    group: Group = {}
    _engine(group, travelled)
    for k, paint in ((1, "green"), (2, "yellow")):
        _wagon(group, 0.205 * k, paint, travelled)
    heading = rotation(turn, "z") @ np.array([-travelled, 0, 0])
    stage.add_group(group, turn, tuple(np.array(at) + heading))


def _put(group: Group, name: str, *meshes: Mesh) -> None:
    group.setdefault(name, []).extend(meshes)


def _wheels(group: Group, x: float, radius: float, travelled: float) -> None:
    for side in (-1, 1):
        disc = lathe([(radius * r, z) for r, z in WHEEL], 40, 1)
        dot, ring = ball(radius * 0.13, 12), 0.6 * radius
        peg = [dot.moved(ring * c, ring * s, 0.012) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
        rolled = np.degrees(travelled / radius) * side
        turned = [m.turned(rolled).turned(-90 * side, "x") for m in (disc, *peg)]
        placed = [m.moved(x, side * 0.036, radius) for m in turned]
        _put(group, "red", placed[0])
        _put(group, "beech", *placed[1:])


def _engine(group: Group, travelled: float) -> None:
    _put(group, "beech", box(0.17, 0.072, 0.022, 0.005).moved(0, 0, 0.030))
    boiler = lathe(mm("1 0, 28 0, 31 3, 31 97, 28 100, 1 100"), 48, 1)
    _put(group, "blue", boiler.turned(90, "y").moved(-0.08, 0, 0.082))
    _put(
        group,
        "red",
        box(0.062, 0.074, 0.082, 0.004).moved(0.05, 0, 0.052),
        box(0.08, 0.09, 0.012, 0.005).moved(0.05, 0, 0.134),
    )
    _put(group, "yellow", lathe(mm("12 0, 11 30, 19 42, 17 44, 1 44"), 32, 1).moved(-0.055, 0, 0.108))
    _put(group, "beech", ball(0.014, 24).moved(-0.01, 0, 0.115), ball(0.012, 20).moved(-0.082, 0, 0.082))
    for x, radius in ((-0.055, 0.022), (0.045, 0.029)):
        _wheels(group, x, radius, travelled)


def _wagon(group: Group, x: float, paint: str, travelled: float) -> None:
    _put(group, "beech", box(0.15, 0.072, 0.018, 0.005).moved(x, 0, 0.030))
    _put(group, paint, *(box(0.142, 0.008, 0.048, 0.003).moved(x, y, 0.048) for y in (-0.030, 0.030)))
    _put(group, paint, *(box(0.008, 0.066, 0.048, 0.003).moved(x + dx, 0, 0.048) for dx in (-0.067, 0.067)))
    _put(group, "black", rod((x - 0.13, 0, 0.036), (x - 0.07, 0, 0.036), 0.004))
    cargo = [
        ball(0.019, 24).moved(x + dx, dy, 0.078) for dx, dy in ((-0.04, 0.008), (0.0, -0.006), (0.04, 0.007))
    ]
    _put(group, "beech", *cargo)
    for dx in (-0.045, 0.045):
        _wheels(group, x + dx, 0.022, travelled)
