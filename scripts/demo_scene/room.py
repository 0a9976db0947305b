"""The empty room: floor, walls with two windows, skirting, window frame, tiles, curtains, pictures.

x runs right, y into the picture (the window wall is y = 0), z up; metres.
"""

from __future__ import annotations

import numpy as np

from .props import potted_cactus, vase
from .shapes import Mesh, box, quad, rod, surface
from .stage import Stage

LEFT, RIGHT, NEAR, HEIGHT = -2.3, 2.9, -5.6, 2.65
WINDOW = (-1.25, 0.45, 0.85, 2.25)  # left, right, bottom, top
THICKNESS = 0.30
# Openings of the side walls, behind the field of view: near, far, bottom, top.
LEFT_WINDOW, RIGHT_WINDOW = (-4.9, -3.3, 0.8, 2.3), (-5.0, -4.2, 0.9, 2.2)


def build(stage: Stage) -> None:
    _shell(stage)
    _window_wall(stage)
    _side_walls(stage)
    _window_frame(stage)
    _curtains(stage)
    _on_the_sill(stage)
    _picture(stage, 0.86, 0.62, (LEFT + 0.012, -1.42, 1.62))


def _shell(stage: Stage) -> None:
    wide, deep = RIGHT - LEFT, -NEAR
    stage.add("floor", quad((LEFT, NEAR, 0), (wide, 0, 0), (0, deep, 0)))
    stage.add("ceiling", quad((LEFT, 0, HEIGHT), (wide, 0, 0), (0, -deep, 0)))
    stage.add("wall", quad((RIGHT, NEAR, 0), (-wide, 0, 0), (0, 0, HEIGHT)))
    skirting = [box(wide, 0.018, 0.11, 0.006).moved((LEFT + RIGHT) / 2, -0.009, 0)]
    skirting.append(box(0.018, deep, 0.11, 0.006).moved(LEFT + 0.009, NEAR / 2, 0))
    stage.add("white_paint", *skirting)


def _around(left: float, right: float, bottom: float, top: float, start: float, end: float) -> list[tuple]:
    """The four rectangles (from, to, low, high) of a wall start..end with one opening."""
    return [
        (start, left, 0, HEIGHT),
        (right, end, 0, HEIGHT),
        (left, right, 0, bottom),
        (left, right, top, HEIGHT),
    ]


def _window_wall(stage: Stage) -> None:
    left, right, bottom, top = WINDOW
    for a, b, low, high in _around(*WINDOW, LEFT, RIGHT):
        wall = quad((a, 0, low), (b - a, 0, 0), (0, 0, high - low)).with_uv(1, (a, low))
        stage.add("wall", wall)
    t = THICKNESS
    stage.add("white_paint", quad((left, 0, bottom), (0, t, 0), (0, 0, top - bottom)))
    stage.add("white_paint", quad((right, t, bottom), (0, -t, 0), (0, 0, top - bottom)))
    stage.add("white_paint", quad((left, 0, top), (0, t, 0), (right - left, 0, 0)))
    stage.add("tile", quad((left, 0, bottom), (right - left, 0, 0), (0, t, 0)))
    stage.add("tile", quad((left - 0.08, -0.006, 0.11), (right - left + 0.16, 0, 0), (0, 0, bottom - 0.13)))
    sill = box(right - left + 0.24, 0.17, 0.035, 0.012).moved((left + right) / 2, -0.075, bottom - 0.03)
    stage.add("white_paint", sill)


def _side_walls(stage: Stage) -> None:
    for x, window, way in ((LEFT, LEFT_WINDOW, 1), (RIGHT, RIGHT_WINDOW, -1)):
        for a, b, low, high in _around(*window, NEAR, 0):
            start = a if way > 0 else b
            wall = quad((x, start, low), (0, way * (b - a), 0), (0, 0, high - low))
            stage.add("wall", wall.with_uv(1, (a, low)))


def _window_frame(stage: Stage) -> None:
    """Two casements with glazing bars. No panes: clear glass would only add noise to the render."""
    left, right, bottom, top = WINDOW
    y, middle = 0.17, (left + right) / 2
    wide, tall = right - left, top - bottom
    add = stage.add
    for x in (left + 0.03, right - 0.03):
        add("white_paint", box(0.06, 0.08, tall, 0.006).moved(x, y, bottom))
    for z in (bottom, top - 0.06):
        add("white_paint", box(wide, 0.08, 0.06, 0.006).moved(middle, y, z))
    add("white_paint", box(0.10, 0.07, tall, 0.008).moved(middle, y, bottom))
    for low, high in ((left + 0.06, middle - 0.05), (middle + 0.05, right - 0.06)):
        _casement(stage, low, high, bottom + 0.06, top - 0.06, y)
    stage.add("brass", rod((middle - 0.02, y - 0.05, 1.45), (middle - 0.02, y - 0.05, 1.57), 0.007))


def _casement(stage: Stage, left: float, right: float, bottom: float, top: float, y: float) -> None:
    rail, middle = 0.045, (left + right) / 2
    for x in (left + rail / 2, right - rail / 2):
        stage.add("white_paint", box(rail, 0.045, top - bottom, 0.006).moved(x, y, bottom))
    for z in (bottom, top - rail):
        stage.add("white_paint", box(right - left, 0.045, rail, 0.006).moved(middle, y, z))
    for k in (1, 2):
        z = bottom + (top - bottom) * k / 3 - 0.011
        stage.add("white_paint", box(right - left, 0.03, 0.022, 0.005).moved(middle, y, z))


def _curtains(stage: Stage) -> None:
    stage.add("brass", rod((-1.95, -0.11, 2.44), (1.02, -0.11, 2.44), 0.012))
    stage.add("curtain", _drape(-1.86, -1.22, 0.4, 71), _drape(0.40, 0.98, -0.3, 72))


def _drape(left: float, right: float, flare: float, seed: int) -> Mesh:
    """A hanging curtain: even pleats at the top that grow and wander downwards."""
    rng = np.random.default_rng(seed)
    t, h = np.meshgrid(np.linspace(0, 1, 400), np.linspace(0, 1, 90))
    phase = 2 * np.pi * 5.5 * t + 0.5 * np.sin(2 * np.pi * (1.3 * t + rng.uniform())) * (1.2 - h)
    phase += 0.35 * np.sin(5 * h + 9 * t + rng.uniform(0, 6))
    depth = 0.034 + 0.026 * (1 - h) * (1 + 0.5 * np.sin(2 * np.pi * (2.2 * t + rng.uniform())))
    x = left + (right - left) * (t + 0.06 * flare * (1 - h) * (t - 0.5)) + 0.35 * depth * np.sin(2 * phase)
    y = -0.11 + depth * np.sin(phase)
    z = 0.03 + 2.41 * h
    uv = np.stack([t * 1.6, z], -1)
    return surface(np.stack([x, y, z], -1), uv)


def _on_the_sill(stage: Stage) -> None:
    z = WINDOW[2] + 0.005
    stage.add_group(vase("glass", (0, 0, 0), 0.62), 0, (-0.98, -0.05, z))
    stage.add_group(potted_cactus(), 0, (0.05, -0.06, z))
    stage.add_group(potted_cactus(0.75), 40, (0.25, -0.07, z))


def _picture(stage: Stage, wide: float, tall: float, at: tuple[float, float, float]) -> None:
    """A framed picture on the left wall, its centre at `at`."""
    x, y, z = at
    bar, deep = 0.032, 0.03
    for side in (-1, 1):
        stage.add(
            "dark_wood", box(deep, bar, tall, 0.004).moved(x, y + side * (wide - bar) / 2, z - tall / 2)
        )
        rail = box(deep, wide - 0.002, bar, 0.004).moved(x, y, z + side * (tall - bar) / 2 - bar / 2)
        stage.add("dark_wood", rail)
    for inset, name, forward in ((bar, "mat_board", 0.002), (bar + 0.075, "picture", 0.004)):
        w, h = wide - 2 * inset, tall - 2 * inset
        face = quad((x + forward, y - w / 2, z - h / 2), (0, w, 0), (0, 0, h), unit_uv=True)
        stage.add(name, face)
