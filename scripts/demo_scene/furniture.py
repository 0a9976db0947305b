"""Furniture, each piece modelled about its own origin on the floor and facing -y."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .props import book_row, bowl_of_fruit, lying_books, mug, vase
from .shapes import Mesh, ball, box, lathe, mm, quad, rod
from .stage import Stage

Group = dict[str, list[Mesh]]


def build(stage: Stage) -> None:
    _rug(stage, (-0.35, -1.42), (2.1, 1.5), -3.0)
    stage.add_group(_coffee_table(), -4, (-0.42, -1.42, 0.008))
    stage.add_group(_armchair(), -48, (1.0, -1.12, 0))
    stage.add_group(_sideboard(), 90, (-2.07, -1.42, 0))
    _bookcase(stage, 1.12, 2.06)
    _table_lamp(stage, (-2.07, -1.02, 0.74))
    _pendant(stage, (0.80, -0.55, 1.78))
    stage.add_group(_stool(), 20, (1.62, -2.0, 0))


def _legs(wide: float, deep: float, height: float, thick: float) -> list[Mesh]:
    places = [(x, y) for x in (-wide / 2, wide / 2) for y in (-deep / 2, deep / 2)]
    return [box(thick, thick, height, 0.006).moved(x, y, 0) for x, y in places]


def _coffee_table() -> Group:
    top = box(1.05, 0.58, 0.032, 0.008).moved(0, 0, 0.40)
    shelf = box(0.94, 0.46, 0.018, 0.004).moved(0, 0, 0.14)
    aprons = [box(0.94, 0.02, 0.06, 0.003).moved(0, y, 0.34) for y in (-0.235, 0.235)]
    group = {"walnut": [top, shelf, *aprons, *_legs(0.95, 0.48, 0.40, 0.045)]}
    for part in (
        bowl_of_fruit((0.20, 0.04, 0.432)),
        mug((-0.04, -0.12, 0.432)),
        lying_books((-0.30, 0.05, 0.432), 3, 5),
    ):
        _merge(group, part)
    _merge(group, lying_books((0.1, 0.0, 0.158), 4, 6))
    group.setdefault("steel", []).append(ball(0.055, 64).moved(0.42, -0.10, 0.487))
    return group


def _merge(group: Group, other: Group) -> None:
    for name, meshes in other.items():
        group.setdefault(name, []).extend(meshes)


def _armchair() -> Group:
    frame = [box(0.74, 0.72, 0.16, 0.035, 5).moved(0, 0, 0.17)]
    frame += [box(0.13, 0.74, 0.40, 0.05, 6, 0.012).moved(x, -0.01, 0.20) for x in (-0.36, 0.36)]
    back = box(0.60, 0.17, 0.62, 0.06, 6, 0.03).turned(-10, "x").moved(0, 0.27, 0.30)
    seat = box(0.57, 0.62, 0.16, 0.05, 6, 0.03).moved(0, -0.06, 0.31)
    legs = [rod((x, y, 0), (0.93 * x, 0.93 * y, 0.18), 0.018) for x in (-0.32, 0.32) for y in (-0.31, 0.31)]
    pillow = box(0.43, 0.06, 0.41, 0.028, 6, 0.06).turned(-20, "x").turned(14, "y").moved(-0.06, 0.10, 0.47)
    return {"tweed": [*frame, back, seat], "dark_wood": legs, "cushion": [pillow]}


def _sideboard() -> Group:
    wide, deep = 1.30, 0.42
    boards = [box(wide, deep, 0.028, 0.005).moved(0, 0, z) for z in (0.16, 0.712)]
    boards += [
        box(0.022, deep - 0.004, 0.56, 0.003).turned(0).moved(x, 0, 0.17)
        for x in (-0.639, -0.19, 0.24, 0.639)
    ]
    boards += [box(wide - 0.04, 0.008, 0.54, 0.002).moved(0, 0.19, 0.18)]
    doors = [box(0.435, 0.018, 0.50, 0.004).moved(x, -0.195, 0.20) for x in (-0.415, 0.44)]
    doors += [box(0.40, 0.30, 0.014, 0.003).moved(0.025, 0.03, 0.44)]
    legs = [rod((x, y, 0), (0.95 * x, 0.9 * y, 0.17), 0.016) for x in (-0.58, 0.58) for y in (-0.16, 0.16)]
    knobs = [ball(0.014, 20).moved(x, -0.222, 0.46) for x in (-0.24, 0.29)]
    group = {"oak": boards + doors, "dark_wood": legs, "brass": knobs}
    _merge(group, book_row(0.26, 0.20, 0.22, 81, (-0.15, 0.02, 0.188)))
    _merge(group, lying_books((0.04, 0.02, 0.454), 3, 7))
    _merge(group, vase("glass", (-0.08, -0.02, 0.74)))
    _merge(group, vase("ceramic_blue", (-0.34, 0.04, 0.74)))
    return group


def _bookcase(stage: Stage, left: float, right: float) -> None:
    wide, deep, tall = right - left, 0.29, 2.12
    middle = (left + right) / 2
    sides = [box(0.024, deep, tall, 0.003).moved(x, -deep / 2 - 0.01, 0) for x in (left, right)]
    heights = [0.09, 0.46, 0.80, 1.13, 1.46, 1.78, 2.10]
    boards = [box(wide, deep - 0.01, 0.024, 0.003).moved(middle, -deep / 2 - 0.01, z) for z in heights]
    back = box(wide, 0.008, tall - 0.02, 0.002).moved(middle, -0.012, 0.01)
    stage.add("dark_wood", *sides, *boards, back, box(wide, 0.02, 0.09, 0.002).moved(middle, -0.26, 0))
    rng = np.random.default_rng(91)
    for k, (low, high) in enumerate(pairwise(heights)):
        fill = (wide - 0.06) * rng.uniform(0.62, 0.97)
        at = (left + 0.025, -0.16, low + 0.024)
        stage.add_group(book_row(fill, 0.21, high - low - 0.024, 92 + k, (0, 0, 0)), 0, at)
    stage.add_group(vase("ceramic", (0, 0, 0), 0.55), 0, (right - 0.12, -0.16, 1.154))
    stage.add_group(vase("terracotta", (0, 0, 0), 0.6), 0, (right - 0.13, -0.15, 2.124))
    stage.add_group(lying_books((0, 0, 0), 3, 8), 0, (left + 0.25, -0.15, 2.124))


def _rug(stage: Stage, centre: tuple[float, float], size: tuple[float, float], turn: float) -> None:
    wide, deep = size
    rng = np.random.default_rng(61)
    face = quad((-wide / 2, -deep / 2, 0.010), (wide, 0, 0), (0, deep, 0), unit_uv=True)
    rim = box(wide + 0.006, deep + 0.006, 0.009, 0.003)
    threads = []
    for side in (-1, 1):
        for y in np.arange(-deep / 2 + 0.008, deep / 2, 0.0125):
            x, reach = side * wide / 2, side * rng.uniform(0.045, 0.075)
            threads.append(rod((x, y, 0.006), (x + reach, y + rng.normal(0, 0.012), 0.003), 0.0022))
    stage.add_group({"rug": [face], "fringe": [rim, *threads]}, turn, (*centre, 0.0))


def _shade(bottom: float, top: float, tall: float) -> Mesh:
    return lathe([(bottom, 0), (top, tall)], 96, 1)


def _table_lamp(stage: Stage, at: tuple[float, float, float]) -> None:
    foot = lathe(mm("1 0, 75 0, 85 12, 50 40, 85 100, 105 160, 70 230, 20 265, 18 290"))
    rings = [lathe(mm("162 0, 165 4, 162 8"), 96, 2).moved(0, 0, 0.30)]
    rings.append(lathe(mm("113 0, 116 4, 113 8"), 96, 2).moved(0, 0, 0.522))
    group = {
        "ceramic": [foot],
        "shade": [_shade(0.163, 0.115, 0.222).moved(0, 0, 0.304)],
        "brass": [*rings, rod((0, 0, 0.28), (0, 0, 0.36), 0.012)],
    }
    stage.add_group(group, 0, at)
    stage.add_light("table_lamp", ball(0.03, 32).moved(at[0], at[1], at[2] + 0.40), _tungsten(5))


def _pendant(stage: Stage, at: tuple[float, float, float]) -> None:
    """A bare opal bulb on a cord."""
    x, y, z = at
    stage.add("black", rod((x, y, z + 0.10), (x, y, 2.65), 0.004))
    stage.add("brass", lathe(mm("21 35, 21 100, 14 120, 1 125"), 32, 4).moved(x, y, z))
    stage.add_light("pendant", ball(0.036, 40).moved(x, y, z), _tungsten(1.0))


def _tungsten(level: float) -> tuple[float, float, float]:
    """Radiance of a 2900 K filament lamp against a daylight white."""
    return (1.0 * level, 0.62 * level, 0.30 * level)


def _stool() -> Group:
    top = lathe(mm("1 400, 140 400, 165 410, 170 425, 165 438, 140 442, 1 440"), 64, 4)
    legs = []
    for angle in np.radians([45, 135, 225, 315]):
        c, s = np.cos(angle), np.sin(angle)
        legs.append(rod((0.17 * c, 0.17 * s, 0), (0.11 * c, 0.11 * s, 0.41), 0.014))
    group = {"beech": [top, *legs]}
    _merge(group, lying_books((0, 0, 0.442), 2, 9))
    return group
