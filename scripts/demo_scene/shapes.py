"""Triangle meshes made from formulas: metres, z up, texture coordinates in metres unless stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Mesh:
    """Vertices, unit normals and texture coordinates per vertex, and triangles (M, 3) of indices."""

    points: Array
    normals: Array
    uv: Array
    faces: Array

    def moved(self, x: float, y: float, z: float) -> Mesh:
        return replace(self, points=self.points + np.array([x, y, z]))

    def turned(self, degrees: float, axis: str = "z") -> Mesh:
        """Rotate about a coordinate axis through the origin, right-handed."""
        turn = rotation(degrees, axis)
        return replace(self, points=self.points @ turn.T, normals=self.normals @ turn.T)

    def with_uv(self, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Mesh:
        return replace(self, uv=self.uv * scale + np.array(shift))


def rotation(degrees: float, axis: str) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    turn = np.eye(3)
    turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
    return turn


def joined(meshes: list[Mesh]) -> Mesh:
    """All meshes as one."""
    starts = np.cumsum([0] + [len(m.points) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.points for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uv for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=True)]),
    )


def grid_faces(rows: int, columns: int) -> Array:
    """Triangles of a (rows, columns) grid of vertices in C order; u x v is the front."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def surface(points: Array, uv: Array) -> Mesh:
    """A grid of points (R, C, 3) as a smooth surface; its normals come from differences."""
    along = np.gradient(points, axis=1)
    across = np.gradient(points, axis=0)
    normals = np.cross(along, across)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    rows, columns = points.shape[:2]
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), grid_faces(rows, columns))


def quad(corner: tuple, along: tuple, up: tuple, unit_uv: bool = False) -> Mesh:
    """A parallelogram; the front is along x up. Texture coordinates in metres or 0..1."""
    corner, along, up = (np.array(v, float) for v in (corner, along, up))
    points = np.stack([corner, corner + along, corner + along + up, corner + up])
    normal = np.cross(along, up)
    size = np.array([1.0, 1.0] if unit_uv else [np.linalg.norm(along), np.linalg.norm(up)])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    normals = np.tile(normal / np.linalg.norm(normal), (4, 1))
    return Mesh(points, normals, uv, np.array([[0, 1, 2], [0, 2, 3]]))


def _edge_steps(half: float, bevel: float, steps: int) -> Array:
    """Places along one side of a box: dense where the edge rounds, so that angles are even."""
    turn = bevel * np.tan(np.linspace(0, np.pi / 4, steps + 1))
    high = half - bevel + turn
    middle = np.linspace(-(half - bevel), half - bevel, 3)
    return np.unique(np.round(np.concatenate([-high, middle, high]), 9))


def box(x: float, y: float, z: float, bevel: float = 0.004, steps: int = 3, puff: float = 0.0) -> Mesh:
    """A box with rounded edges, its base centre at the origin; `puff` bulges its faces (cushions).

    Texture u runs along the longer side of each face (the grain of a board).
    """
    half = np.array([x, y, z]) / 2
    bevel = min(bevel, 0.999 * half.min())
    sides = [_edge_steps(h, bevel, steps) for h in half]
    if puff:
        sides = [
            np.unique(np.concatenate([s, np.linspace(-h + bevel, h - bevel, 17)]))
            for s, h in zip(sides, half, strict=True)
        ]
    mesh = joined([_box_face(sides, half, bevel, axis, sign) for axis in range(3) for sign in (-1, 1)])
    if puff:
        mesh = _puffed(mesh, half, puff)
    return mesh.moved(0, 0, half[2])


def _box_face(sides: list[Array], half: Array, bevel: float, axis: int, sign: int) -> Mesh:
    i, j = (axis + 1) % 3, (axis + 2) % 3
    if sign < 0:
        i, j = j, i
    gj, gi = np.meshgrid(sides[j], sides[i], indexing="ij")
    raw = np.zeros((*gi.shape, 3))
    raw[..., i], raw[..., j], raw[..., axis] = gi, gj, sign * half[axis]
    inner = np.clip(raw, -(half - bevel), half - bevel)
    normals = raw - inner
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    points = inner + bevel * normals
    uv = np.stack([gi, gj] if half[i] >= half[j] else [gj, gi], -1)
    faces = grid_faces(*gi.shape)
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), faces)


def _puffed(mesh: Mesh, half: Array, most: float) -> Mesh:
    """Bulge the faces of a box by a bump that vanishes at the edges, less on narrow faces."""
    unit = np.clip(mesh.points / half, -1, 1)
    bump = np.cos(unit * np.pi / 2)
    points, normals = mesh.points.copy(), mesh.normals.copy()
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        facing = mesh.normals[:, axis]
        amount = most * min(half[i], half[j]) / half.max()
        points[:, axis] += amount * facing * bump[:, i] * bump[:, j]
        for k, other in ((i, j), (j, i)):
            slope = -np.sin(unit[:, k] * np.pi / 2) * np.pi / 2 / half[k] * bump[:, other]
            normals[:, k] -= amount * slope * np.abs(facing)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return replace(mesh, points=points, normals=normals)


def lathe(profile: list[tuple[float, float]], segments: int = 64, smooth: int = 6) -> Mesh:
    """A profile of (radius, height) turned about z; a Catmull-Rom curve goes through its points.

    Going up the profile with the outside to the right gives outward normals.
    """
    curve = catmull_rom(np.array(profile, float), smooth) if smooth > 1 else np.array(profile, float)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    radius, height = np.maximum(curve[:, :1], 1e-5), curve[:, 1:]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), height + 0 * angle], -1)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(angle[None] * curve[:, 0].max(), length[:, None]), -1)
    mesh = surface(points, uv)
    return replace(mesh, normals=_lathe_normals(curve, angle))


def _lathe_normals(curve: Array, angle: Array) -> Array:
    step = np.gradient(curve, axis=0)
    outward = np.stack([step[:, 1], -step[:, 0]], -1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    parts = [outward[:, :1] * np.cos(angle), outward[:, :1] * np.sin(angle), outward[:, 1:] + 0 * angle]
    return np.stack(parts, -1).reshape(-1, 3)


def mm(text: str) -> list[tuple[float, float]]:
    """A profile written as "radius height, radius height, ..." in millimetres."""
    pairs = (pair.split() for pair in text.split(","))
    return [(float(r) / 1000, float(z) / 1000) for r, z in pairs]


def catmull_rom(points: Array, steps: int) -> Array:
    """Points along a smooth curve through `points` (N, D), `steps` per span."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = -a + 3 * b - 3 * c + d
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + cubic * t**3))
    return np.concatenate([*spans, points[-1:]])


def ball(radius: float, segments: int = 48) -> Mesh:
    """A sphere about the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    return lathe(list(zip(radius * np.cos(angle), radius * np.sin(angle), strict=True)), segments, 1)


def tube(path: Array, radius: float | Array, segments: int = 16) -> Mesh:
    """A round rod along a path (N, 3); the radius may change along it."""
    path = np.asarray(path, float)
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    helper = np.where(np.abs(ahead[:, 2:]) < 0.9, [[0, 0, 1.0]], [[1.0, 0, 0]])
    side = np.cross(ahead, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, ahead)
    angle = np.linspace(0, 2 * np.pi, segments + 1)[None, :, None]
    normals = side[:, None] * np.cos(angle) - up[:, None] * np.sin(angle)
    radius = np.broadcast_to(radius, (len(path),))[:, None, None]
    points = path[:, None] + radius * normals
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(length[:, None], angle[..., 0] * radius[:, :, 0]), -1)
    return replace(surface(points, uv), normals=normals.reshape(-1, 3))


def rod(start: tuple, end: tuple, radius: float) -> Mesh:
    """A straight round rod with closed ends."""
    path = np.linspace(start, end, 6)
    path[1], path[-2] = path[0] + 1e-5 * (path[5] - path[0]), path[5] - 1e-5 * (path[5] - path[0])
    radii = np.full(6, radius)
    radii[[0, -1]] = 1e-5
    return tube(path, radii, 24)


def leaf(length: float, width: float, bend: float, fold: float = 0.25) -> Mesh:
    """One leaf from the origin along +x, its upper side up, hanging by `bend` (radians at the tip)."""
    t, s = np.meshgrid(np.linspace(0, 1, 13), np.linspace(-1, 1, 7))
    outline = width / 2 * np.sin(np.pi * t**0.8) ** 0.8
    turn = bend * t
    x = length * np.sin(np.maximum(turn, 1e-6)) / max(bend, 1e-6)
    z = -length * (1 - np.cos(turn)) / max(bend, 1e-6)
    y = s * outline
    z = z + fold * np.abs(y) + 0.015 * np.sin(9 * t + 2 * s) * width * np.abs(s)
    return surface(np.stack([x, y, z], -1), np.stack([t, (s + 1) / 2], -1))
