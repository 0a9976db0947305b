"""The view through the window: lawn, hedge, trees, a brick house, hills and clouds."""

from __future__ import annotations

import numpy as np

from .shapes import Mesh, box, grid_faces, quad, tube
from .stage import Stage

GROUND = -0.45  # height of the lawn below the floor


def build(stage: Stage) -> None:
    stage.add("meadow", quad((-300, 0.3, GROUND), (600, 0, 0), (0, 600, 0)))
    stage.add("meadow", quad((-300, -300, GROUND - 0.02), (600, 0, 0), (0, 301, 0)))
    stage.add("paving", quad((-6, 0.31, GROUND + 0.01), (12, 0, 0), (0, 2.6, 0)))
    _hedge(stage)
    _house(stage, (-15.5, 27.0), 24.0)
    _tree(stage, (-3.6, 12.5), 5.6, 1)
    _tree(stage, (-23.5, 24.0), 7.5, 2)
    _tree(stage, (-9.0, 38.0), 8.5, 3)
    _tree(stage, (-34.0, 40.0), 9.0, 4)
    _shrubs(stage)
    _hills(stage)
    stage.add("cloud", quad((-900, 900, -60), (1500, 0, 0), (0, 0, 520), unit_uv=True))


def leaf_cloud(
    centres: np.ndarray, radii: np.ndarray, count: int, size: float, rng: np.random.Generator
) -> Mesh:
    """Many small two-triangle leaves near the surfaces of ellipsoid clumps (K, 3) of given radii (K, 3)."""
    pick = rng.integers(len(centres), size=count)
    way = rng.standard_normal((count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    middle = centres[pick] + way * radii[pick] * rng.uniform(0.55, 1.08, (count, 1)) ** 0.6
    along = rng.standard_normal((count, 3))
    along -= (along * way).sum(1, keepdims=True) * way * 0.6
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = way + 0.8 * rng.standard_normal((count, 3))
    across = np.cross(normal, along)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    reach = size * rng.uniform(0.6, 1.3, (count, 1))
    corners = np.stack(
        [
            middle - along * reach,
            middle - 0.5 * across * reach,
            middle + along * reach,
            middle + 0.5 * across * reach,
        ],
        1,
    )
    normals = np.cross(along, across)
    normals *= np.sign((normals * way).sum(1, keepdims=True) + 1e-9)
    faces = (4 * np.arange(count)[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    tint = np.repeat(rng.random((count, 2)), 4, axis=0)
    return Mesh(corners.reshape(-1, 3), np.repeat(normals, 4, axis=0), tint, faces)


def _tree(stage: Stage, at: tuple[float, float], tall: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    foot = np.array([*at, GROUND])
    t = np.linspace(0, 1, 12)[:, None]
    sway = np.array([[rng.normal(0, 0.12), rng.normal(0, 0.12), 0.75]])
    trunk = foot + tall * (t * sway + 0.02 * np.sin(6 * t) * [[1, 0.5, 0]])
    stage.add("bark", tube(trunk, tall * np.linspace(0.032, 0.012, 12), 12))
    angle, level = rng.uniform(0, 2 * np.pi, 22), rng.uniform(0.42, 0.95, 22)
    spread = (
        0.30 * tall * np.sqrt(np.clip(1 - ((level - 0.62) / 0.42) ** 2, 0.05, 1)) * rng.uniform(0.35, 1, 22)
    )
    centres = foot + np.stack([spread * np.cos(angle), spread * np.sin(angle), tall * level], -1)
    radii = tall * rng.uniform(0.08, 0.14, (22, 1)) * np.array([[1.15, 1.15, 0.8]])
    for centre in centres[:9]:
        start = trunk[int(rng.integers(5, 10))]
        stage.add("bark", tube(np.linspace(start, centre, 5), tall * np.linspace(0.010, 0.003, 5), 8))
    stage.add("foliage", leaf_cloud(centres, radii, 26000, 0.0065 * tall + 0.03, rng))


def _hedge(stage: Stage) -> None:
    rng = np.random.default_rng(5)
    x = np.arange(-40, 12, 0.55)
    centres = np.stack([x, 21 + rng.normal(0, 0.2, len(x)), np.full(len(x), GROUND + 0.75)], -1)
    radii = rng.uniform(0.85, 1.05, (len(x), 1)) * np.array([[0.8, 0.6, 0.85]])
    stage.add("hedge", leaf_cloud(centres, radii, 60000, 0.07, rng))
    stage.add("hedge", box(52, 0.5, 1.2, 0.1).moved(-14, 21.1, GROUND))


def _shrubs(stage: Stage) -> None:
    """A flower bed at the edge of the terrace."""
    rng = np.random.default_rng(6)
    centres = np.stack(
        [rng.uniform(-8, 2, 40), rng.uniform(5.5, 7.0, 40), GROUND + rng.uniform(0.1, 0.35, 40)], -1
    )
    radii = rng.uniform(0.25, 0.5, (40, 1)) * np.array([[1, 1, 0.9]])
    stage.add("foliage", leaf_cloud(centres, radii, 24000, 0.035, rng))
    for paint, count in (("red", 260), ("ceramic", 260), ("yellow", 160)):
        stage.add(paint, leaf_cloud(centres + [0, 0, 0.06], radii, count, 0.035, rng))


def _house(stage: Stage, at: tuple[float, float], turn: float) -> None:
    """A cottage: brick walls, gable roof, white windows, chimney."""
    wide, deep, eave, ridge = 9.0, 6.0, 2.9, 5.1
    group: dict[str, list[Mesh]] = {"brick": [box(wide, deep, eave, 0.01)]}
    for side in (-1, 1):
        slope = quad(
            (-side * (wide / 2 + 0.3), side * (deep / 2 + 0.35), eave - 0.15),
            (side * (wide + 0.6), 0, 0),
            (0, -side * (deep / 2 + 0.35), ridge - eave + 0.15),
        )
        group.setdefault("roof", []).append(slope)
        x = side * wide / 2
        corners = np.array([[x, -deep / 2, eave], [x, deep / 2, eave], [x, 0, ridge]])
        gable = Mesh(corners, np.tile([side, 0, 0.0], (3, 1)), corners[:, 1:], np.array([[0, 1, 2]]))
        group["brick"].append(gable)
    group["brick"].append(box(0.7, 0.7, 2.0, 0.02).moved(2.2, 0.6, 4.2))
    front = -deep / 2
    for x, low, w, h in (
        (-3.0, 0.9, 1.2, 1.3),
        (-0.9, 0.9, 1.2, 1.3),
        (3.1, 0.9, 1.2, 1.3),
        (1.2, 0.0, 0.95, 2.1),
    ):
        group.setdefault("white_paint", []).append(
            box(w + 0.2, 0.08, h + 0.2, 0.01).moved(x, front - 0.03, low - 0.1 if low else 0)
        )
        group.setdefault("pane" if low else "ceramic_blue", []).append(
            box(w, 0.04, h, 0.005).moved(x, front - 0.06, low)
        )
        if low:
            bars = [
                box(0.05, 0.05, h, 0.004).moved(x, front - 0.07, low),
                box(w, 0.05, 0.05, 0.004).moved(x, front - 0.07, low + 0.6 * h),
            ]
            group["white_paint"] += bars
    stage.add_group(group, turn, (*at, GROUND))


def _hills(stage: Stage) -> None:
    """Two ridges; the far one is paler only by its haze-coloured paint."""
    for k, (distance, tall) in enumerate(((170.0, 9.0), (420.0, 34.0))):
        x = np.linspace(-900, 500, 240)
        rng = np.random.default_rng(7 + k)
        crest = tall * (0.6 + 0.25 * np.sin(x / (30 + 50 * k) + k) + 0.15 * np.sin(x / 17 + 2)) + rng.normal(
            0, 0.35 + 0.3 * k, 240
        )
        low = np.stack([x, np.full(240, distance), np.full(240, GROUND - 1.0)], -1)
        high = np.stack([x, np.full(240, distance + 2.5 * tall), crest], -1)
        points = np.stack([low, high])
        uv = np.stack(np.broadcast_arrays(x[None], np.array([[0.0], [tall]])), -1)
        normals = np.tile([0, -0.5, 0.87], (480, 1))
        stage.add("hill", Mesh(points.reshape(-1, 3), normals, uv.reshape(-1, 2), grid_faces(2, 240)))
