"""Small objects, modelled about their own origins: books, crockery, fruit, house plants."""

from __future__ import annotations

import numpy as np

from .shapes import Mesh, ball, box, joined, lathe, leaf, mm, rotation, tube
from .stage import Stage

Group = dict[str, list[Mesh]]
CELLS = 64  # spines in the atlas of textures.book_spines


def book(thick: float, deep: float, tall: float, cell: int) -> Group:
    """A standing book, its spine towards -y, with its base centre at the origin."""
    spine = box(thick, 0.012, tall, 0.004, 3).moved(0, -deep / 2, 0)
    unit = np.clip(spine.points[:, [0, 2]] / [thick, tall] + [0.5, 0], 0.02, 0.98)
    unit[:, 1] = 0.13 + 0.87 * unit[:, 1]
    unit[:, 0] = (cell + unit[:, 0]) / CELLS
    spine = Mesh(spine.points, spine.normals, unit, spine.faces)
    covers = [box(0.003, deep, tall, 0.0012, 1).moved(side * (thick / 2 - 0.0015), 0, 0) for side in (-1, 1)]
    plain = np.array([(cell + 0.5) / CELLS, 0.06])
    covers = [Mesh(c.points, c.normals, np.tile(plain, (len(c.points), 1)), c.faces) for c in covers]
    pages = box(thick - 0.005, deep - 0.012, tall - 0.008, 0.002, 1).moved(0, 0.002, 0.004)
    return {"book": [joined([spine, *covers])], "paper": [pages]}


def book_row(length: float, deep: float, room: float, seed: int, at: tuple[float, float, float]) -> Group:
    """Books side by side from `at` towards +x, the last one leaning; none is taller than `room`."""
    rng = np.random.default_rng(seed)
    group: Group = {"book": [], "paper": []}
    x, series = 0.0, 0
    while x < length:
        if series == 0:
            series = int(rng.choice([1, 1, 1, 2, 4]))
            thick, tall = rng.uniform(0.014, 0.042), room * rng.uniform(0.62, 0.93)
            inset, cell = rng.uniform(0, 0.03), int(rng.integers(CELLS))
        series -= 1
        last = x + thick + 0.05 >= length
        lean = 9.0 if last else rng.normal(0, 0.3)
        for name, meshes in book(thick, deep - inset, tall, cell).items():
            shift = x + thick / 2 + (0.012 + tall * 0.5 * np.sin(np.radians(lean)) if last else 0)
            turned = [m.turned(-lean if last else lean, "y") for m in meshes]
            lift = thick / 2 * abs(np.sin(np.radians(lean)))
            group[name] += [
                m.moved(at[0] + shift - (tall * 0.5 * 0.31 if last else 0), at[1] - inset / 2, at[2] + lift)
                for m in turned
            ]
        x += thick + 0.001
    return group


def lying_books(at: tuple[float, float, float], count: int, seed: int) -> Group:
    """A small pile of books, the largest at the bottom."""
    rng = np.random.default_rng(seed)
    group: Group = {"book": [], "paper": []}
    z = at[2]
    for k in range(count):
        thick, cell = rng.uniform(0.016, 0.034), int(rng.integers(CELLS))
        deep, tall = 0.19 - 0.015 * k, 0.265 - 0.022 * k
        turn = rng.normal(0, 9)
        for name, meshes in book(thick, deep, tall, cell).items():
            flat = [m.turned(90, "y").moved(-tall / 2, 0, thick / 2).turned(turn) for m in meshes]
            group[name] += [m.moved(at[0], at[1], z) for m in flat]
        z += thick + 0.0005
    return group


def bowl_of_fruit(at: tuple[float, float, float]) -> Group:
    outside = mm("1 0, 50 0, 60 8, 100 40, 135 85, 138 90")
    inside = mm("134 90, 128 85, 95 45, 50 18, 1 14")
    bowl = lathe(outside + inside, 72, 5).moved(*at)
    oranges, apples = [], []
    for k, (x, y, z) in enumerate(
        [
            (-0.05, -0.03, 0.065),
            (0.045, -0.045, 0.066),
            (0.05, 0.045, 0.065),
            (-0.04, 0.055, 0.067),
            (0.0, 0.0, 0.125),
        ]
    ):
        fruit = ball(0.040 + 0.002 * (k % 3), 40)
        (apples if k in (1, 3) else oranges).append(fruit.moved(at[0] + x, at[1] + y, at[2] + z))
    return {"ceramic_blue": [bowl], "orange": oranges, "apple": apples}


def mug(at: tuple[float, float, float]) -> Group:
    outside = mm("1 0, 33 0, 38 6, 40 50, 40 88, 38.5 91")
    inside = mm("36 88, 36 50, 33 12, 1 10")
    angle = np.linspace(-1.35, 1.35, 24)
    handle = np.stack([0.036 + 0.026 * np.cos(angle), 0 * angle, 0.046 + 0.026 * np.sin(angle)], -1)
    return {
        "ceramic": [m.turned(-130).moved(*at) for m in (lathe(outside + inside, 56, 4), tube(handle, 0.0055))]
    }


def vase(material: str, at: tuple[float, float, float], scale: float = 1.0) -> Group:
    outside = mm("1 0, 45 0, 55 10, 75 80, 68 150, 32 210, 30 250, 42 280")
    inside = mm("39 281, 27 250, 29 210, 64 150, 71 80, 50 16, 1 12")
    profile = [(r * scale, z * scale) for r, z in outside + inside]
    return {material: [lathe(profile, 64, 5).moved(*at)]}


def potted_cactus(scale: float = 1.0) -> Group:
    """A ribbed column in a small pot."""
    pot = mm("1 0, 36 0, 48 70, 53 71, 53 88, 47 88, 44 70, 1 68")
    body = lathe(mm("30 60, 40 100, 41 150, 34 190, 18 215, 1 222"), 96, 6)
    angle = np.arctan2(body.points[:, 1], body.points[:, 0])
    body.points[:, :2] *= (1 + 0.09 * np.cos(11 * angle))[:, None]
    parts = {"terracotta": [lathe(pot, 48, 1)], "stem": [body]}
    return {k: [Mesh(m.points * scale, m.normals, m.uv, m.faces) for m in v] for k, v in parts.items()}


def add_plant(stage: Stage, at: tuple[float, float, float], seed: int = 51) -> None:
    """A large-leaved house plant in a clay pot."""
    rng = np.random.default_rng(seed)
    pot = mm("1 0, 110 0, 115 10, 155 240, 170 245, 172 300, 158 300, 150 250, 1 245")
    stage.add("terracotta", lathe(pot, 64, 1).moved(*at))
    stage.add("soil", lathe(mm("152 262, 80 272, 1 268"), 32, 3).moved(*at))
    for k in range(30):
        _frond(stage, np.array(at) + [0, 0, 0.26], 2.399963 * k + rng.normal(0, 0.2), k / 29, rng)


def _frond(stage: Stage, root: np.ndarray, angle: float, rank: float, rng: np.random.Generator) -> None:
    """One stem and its leaf; rank 0 = outermost and lowest, 1 = the upright newest."""
    reach = (0.34 - 0.22 * rank) * rng.uniform(0.85, 1.15)
    rise = (0.32 + 0.72 * rank) * rng.uniform(0.85, 1.12)
    out = np.array([np.cos(angle), np.sin(angle), 0])
    t = np.linspace(0, 1, 14)[:, None]
    path = root + 0.03 * out + out * reach * t**1.7 + np.array([0, 0, 1]) * rise * (1.25 * t - 0.25 * t**2)
    stage.add("stem", tube(path, np.linspace(0.007, 0.0035, 14), 10))
    blade = leaf(rng.uniform(0.26, 0.36), rng.uniform(0.13, 0.18), rng.uniform(0.5, 1.1))
    tilt = rotation(rng.normal(0, 12), "x")
    lift = rotation(-(38 * rank + rng.normal(0, 8)), "y")
    turn = rotation(np.degrees(angle), "z") @ lift @ tilt
    stage.add("plant", Mesh(blade.points @ turn.T + path[-1], blade.normals @ turn.T, blade.uv, blade.faces))
