"""Moving objects: silhouettes with soft edges that show a piece of another scene.

A silhouette is made of parts, each a signed distance function of the object's own coordinates (height of the
object = 1, origin in the middle, q downwards). So it is exact at any place, size and angle, and can change
its shape from frame to frame (`phase`). Its colours come from another scene, scaled to a given light level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openhdr.simulation.view import CropPose, PanoramaPose, View

Part = tuple[np.ndarray, float]
Plane = tuple[np.ndarray, np.ndarray]
Point = tuple[float, float]
"""(N,) signed distance in object heights, negative inside; and the part's tone, a factor on the surface."""
Silhouette = Callable[[np.ndarray, np.ndarray, float, tuple[float, ...]], list[Part]]

TRAITS = 12  # numbers in [0, 1) that make one individual of a kind
_SHADE_DEPTH = 0.10  # distance from the outline, in object heights, over which the shading falls off
_EDGE_SHADE = 0.75  # light at the outline relative to the middle
_REACH = (1.3, 0.8)  # no silhouette extends farther from its middle, across and down, in object heights


@dataclass(frozen=True)
class Pose:
    """Where an object is in one frame, in pixels of the reference frame."""

    x_px: float
    y_px: float
    height_px: float
    angle_deg: float  # clockwise
    phase: float  # radians of its own movement: steps of a walker, waving of leaves; rigid kinds ignore it


@dataclass(frozen=True)
class MovingObject:
    """One object; everything about it that was drawn."""

    kind: str  # a key of SILHOUETTES
    traits: tuple[float, ...]  # TRAITS numbers in [0, 1)
    surface_scene: str  # name of the scene that its surface shows
    surface_pose: PanoramaPose | CropPose  # the piece of that scene
    surface_focal_px: float
    level: float  # median light of the surface, 1.0 = the reference clips
    surface_gain: float  # factor on that scene's radiance, to reach the drawn light level
    softness_px: float  # width of the blend at the outline
    poses: tuple[Pose, ...]  # one a frame
    velocity_px: tuple[float, float]  # x and y per frame interval: blurs the object while the shutter is open


def cover(radiance: np.ndarray, thing: MovingObject, pose: Pose, surface: View, points: Plane) -> np.ndarray:
    """The scene with the object in front of it.

    radiance: (3, N) behind the object. points: (u, v), (N,) reference pixels each. surface: what the object
    shows, centred on pixel (0, 0).
    """
    there, alpha, distance, tone = _outline(thing, pose, *points)
    p, q = (axis[there] for axis in _own_coordinates(pose, *points))
    scale = thing.poses[0].height_px
    shade = _EDGE_SHADE + (1 - _EDGE_SHADE) * _smooth(-distance / _SHADE_DEPTH)
    colour = surface.at(p * scale, q * scale) * (thing.surface_gain * shade * tone)
    out = radiance.copy()
    out[:, there] += (colour - out[:, there]) * alpha
    return out


def coverage(thing: MovingObject, pose: Pose, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(N,) 0..1: how much of each reference pixel u, v the object covers."""
    there, alpha, _, _ = _outline(thing, pose, u, v)
    out = np.zeros(u.shape)
    out[there] = alpha
    return out


def _own_coordinates(pose: Pose, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    angle = np.radians(pose.angle_deg)
    du, dv = (u - pose.x_px) / pose.height_px, (v - pose.y_px) / pose.height_px
    return np.cos(angle) * du + np.sin(angle) * dv, np.cos(angle) * dv - np.sin(angle) * du


def _outline(
    thing: MovingObject, pose: Pose, u: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the pixels that the object touches, and their alpha, distance to the outline and tone."""
    p, q = _own_coordinates(pose, u, v)
    near = np.flatnonzero((np.abs(p) < _REACH[0]) & (np.abs(q) < _REACH[1]))
    distance, tone = _union(SILHOUETTES[thing.kind](p[near], q[near], pose.phase, thing.traits))
    alpha = _smooth(0.5 - distance * pose.height_px / thing.softness_px)
    touched = alpha > 0
    return near[touched], alpha[touched], distance[touched], tone[touched]


def _union(parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest part and its tone; where parts overlap the later one is in front."""
    distance, tone = parts[0][0], np.full(parts[0][0].shape, parts[0][1])
    for other, shade in parts[1:]:
        tone = np.where((other < 0) | (other < distance), shade, tone)
        distance = np.minimum(distance, other)
    return distance, tone


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _capsule(p: np.ndarray, q: np.ndarray, ends: tuple[Point, Point], radius: float) -> np.ndarray:
    """Distance to a segment between two (p, q) points, less a radius."""
    (p0, q0), (p1, q1) = ends
    along_p, along_q = p1 - p0, q1 - q0
    t = np.clip(((p - p0) * along_p + (q - q0) * along_q) / (along_p**2 + along_q**2 + 1e-12), 0, 1)
    return np.sqrt((p - p0 - t * along_p) ** 2 + (q - q0 - t * along_q) ** 2) - radius


def _box(p: np.ndarray, q: np.ndarray, centre: Point, half: Point, radius: float) -> np.ndarray:
    """Distance to a rectangle with rounded corners."""
    dp, dq = np.abs(p - centre[0]) - half[0] + radius, np.abs(q - centre[1]) - half[1] + radius
    outside = np.sqrt(np.maximum(dp, 0) ** 2 + np.maximum(dq, 0) ** 2)
    return outside + np.minimum(np.maximum(dp, dq), 0) - radius


def _walker(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> list[Part]:
    """A walking person: legs, trunk, arms that swing, head."""
    girth, legs, skin = 0.8 + 0.5 * traits[0], 0.3 + 0.8 * traits[1], 0.6 + 0.9 * traits[2]
    swing, knee, reach = 0.16 * np.sin(phase), 0.05 * np.cos(phase), 0.14 * np.sin(phase)
    parts: list[Part] = []
    for side, lift in ((-1, knee), (1, -knee)):
        joint = (-side * swing * 0.6, 0.24 + lift)
        parts.append((_capsule(p, q, ((side * 0.03, 0.02), joint), 0.05 * girth), legs))
        parts.append((_capsule(p, q, (joint, (-side * swing, 0.46)), 0.04 * girth), legs))
    parts.append((_capsule(p, q, ((0, -0.27), (0, -0.03)), 0.085 * girth), 1.0))
    for side in (-1, 1):
        hand = (side * 0.09 * girth + side * reach, -0.02)
        parts.append((_capsule(p, q, ((side * 0.07 * girth, -0.29), hand), 0.032 * girth), 0.9))
    parts.append((_capsule(p, q, ((0, -0.43), (0, -0.415)), 0.06), skin))
    return parts


def _vehicle(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> list[Part]:
    """A car or a van from the side: body, cabin, windows, wheels. Rigid."""
    length, cabin, back = 0.8 + 0.3 * traits[0], 0.3 + 0.35 * traits[1], 0.2 * (traits[2] - 0.5)
    glass = 0.25 + 0.5 * traits[3]
    return [
        (_box(p, q, (0, 0.1), (length, 0.22), 0.1), 1.0),
        (_box(p, q, (back, -0.2), (cabin, 0.25), 0.14), 1.0),
        (_box(p, q, (back - 0.48 * cabin, -0.22), (0.4 * cabin, 0.14), 0.06), glass),
        (_box(p, q, (back + 0.48 * cabin, -0.22), (0.4 * cabin, 0.14), 0.06), glass),
        (_capsule(p, q, ((-0.6 * length, 0.34), (-0.6 * length, 0.341)), 0.15), 0.12),
        (_capsule(p, q, ((0.6 * length, 0.34), (0.6 * length, 0.341)), 0.15), 0.12),
    ]


def _blob(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> list[Part]:
    """Something round and uneven (a bag, a dog, a ball) that sways a little."""
    squeezed = p * (0.6 + 0.8 * traits[0])
    angle, radius = np.arctan2(q, squeezed), np.sqrt(squeezed**2 + q * q)
    outline = np.full(p.shape, 0.4)
    for k in range(2, 6):
        swell = 0.14 * traits[k] / (k - 0.5)
        outline = outline + swell * np.cos(k * angle + 6.283 * traits[k + 4] + 0.35 * np.sin(phase + k))
    return [(radius - outline, 1.0)]


def _foliage(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> list[Part]:
    """A twig with leaves that wave in the wind, each in its own way."""
    parts: list[Part] = [(_capsule(p, q, ((-0.05, 0.5), (0.05 * np.sin(phase), -0.45)), 0.008), 0.5)]
    for k in range(18):
        trait, other = traits[k % TRAITS], traits[(5 * k + 3) % TRAITS]
        side, foot = (-1) ** k, 0.45 - 0.05 * k + 0.05 * (other - 0.5)
        lean = 0.25 * np.sin(phase + 6.283 * trait) * (0.5 + 0.05 * k) + 0.9 * (other - 0.5)
        reach = (0.12 + 0.16 * trait) * (1.1 - 0.04 * k)
        tip = (side * reach * np.cos(lean), foot - 0.5 * reach + side * reach * np.sin(lean))
        parts.append((_capsule(p, q, ((side * 0.02, foot), tip), 0.012 + 0.02 * other), 0.7 + 0.6 * trait))
    return parts


SILHOUETTES: dict[str, Silhouette] = {
    "walker": _walker,
    "vehicle": _vehicle,
    "blob": _blob,
    "foliage": _foliage,
}
RIGID = frozenset({"vehicle"})
