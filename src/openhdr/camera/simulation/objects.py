"""Moving objects: silhouettes with soft edges that show a piece of another scene.

A silhouette is a signed distance function of its own coordinates (height of the object = 1, origin in the
middle, q downwards), so that it is exact at any place, size and angle, and can change its shape from frame to
frame (`phase`). Colours come from another scene's view, scaled to a stated light level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openhdr.camera.simulation.view import CropPose, PanoramaPose, View

Silhouette = Callable[[np.ndarray, np.ndarray, float, tuple[float, ...]], np.ndarray]
TRAITS = 12  # numbers in [0, 1) that make one individual of a kind
_SHADE_DEPTH = 0.10  # distance from the outline, in object heights, over which the shading falls off
_EDGE_SHADE = 0.75  # light at the outline relative to the middle


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
    surface_gain: float  # factor on that scene's radiance, to reach the drawn light level
    softness_px: float  # width of the blend at the outline
    poses: tuple[Pose, ...]  # one a frame
    velocity_px: tuple[float, float]  # x and y per frame interval: blurs the object while the shutter is open


@dataclass(frozen=True)
class Layer:
    """What an object covers at some points. alpha: (N,) 0..1. radiance: (3, N), scene units."""

    alpha: np.ndarray
    radiance: np.ndarray


def layer(thing: MovingObject, pose: Pose, surface: View, u: np.ndarray, v: np.ndarray) -> Layer:
    """The object at (N,) reference pixels u, v. `surface` is centred on pixel (0, 0)."""
    angle = np.radians(pose.angle_deg)
    du, dv = (u - pose.x_px) / pose.height_px, (v - pose.y_px) / pose.height_px
    p, q = np.cos(angle) * du + np.sin(angle) * dv, np.cos(angle) * dv - np.sin(angle) * du
    alpha, radiance = np.zeros(u.shape), np.zeros((3, *u.shape))
    near = np.flatnonzero((np.abs(p) < 1.3) & (np.abs(q) < 0.8))
    if near.size:
        distance = SILHOUETTES[thing.kind](p[near], q[near], pose.phase, thing.traits)
        alpha[near] = _smooth(0.5 - distance * pose.height_px / thing.softness_px)
        colour = surface.at(p[near] * thing.poses[0].height_px, q[near] * thing.poses[0].height_px)
        shade = _EDGE_SHADE + (1 - _EDGE_SHADE) * _smooth(-distance / _SHADE_DEPTH)
        radiance[:, near] = colour * (thing.surface_gain * shade)
    return Layer(alpha, radiance)


def over(radiance: np.ndarray, layers: list[Layer]) -> np.ndarray:
    """The scene with objects in front of it, the last one nearest. radiance: (3, N)."""
    for cover in layers:
        radiance = radiance * (1 - cover.alpha) + cover.radiance * cover.alpha
    return radiance


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _capsule(p: np.ndarray, q: np.ndarray, ends: tuple, radius: float) -> np.ndarray:
    """Distance to a segment between two (p, q) points, less a radius."""
    (p0, q0), (p1, q1) = ends
    along_p, along_q = p1 - p0, q1 - q0
    t = np.clip(((p - p0) * along_p + (q - q0) * along_q) / (along_p**2 + along_q**2 + 1e-12), 0, 1)
    return np.sqrt((p - p0 - t * along_p) ** 2 + (q - q0 - t * along_q) ** 2) - radius


def _box(p: np.ndarray, q: np.ndarray, centre: tuple, half: tuple, radius: float) -> np.ndarray:
    """Distance to a rectangle with rounded corners."""
    dp, dq = np.abs(p - centre[0]) - half[0] + radius, np.abs(q - centre[1]) - half[1] + radius
    outside = np.sqrt(np.maximum(dp, 0) ** 2 + np.maximum(dq, 0) ** 2)
    return outside + np.minimum(np.maximum(dp, dq), 0) - radius


def _walker(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> np.ndarray:
    """A walking person: head, trunk, two legs and two arms that swing."""
    girth = 0.8 + 0.5 * traits[0]
    swing, knee = 0.16 * np.sin(phase), 0.05 * np.cos(phase)
    reach = 0.14 * np.sin(phase)
    parts = [
        _capsule(p, q, ((0, -0.43), (0, -0.415)), 0.06),
        _capsule(p, q, ((0, -0.27), (0, -0.03)), 0.085 * girth),
        _capsule(p, q, ((-0.03, 0.02), (swing * 0.6, 0.24 + knee)), 0.05 * girth),
        _capsule(p, q, ((swing * 0.6, 0.24 + knee), (swing, 0.46)), 0.04 * girth),
        _capsule(p, q, ((0.03, 0.02), (-swing * 0.6, 0.24 - knee)), 0.05 * girth),
        _capsule(p, q, ((-swing * 0.6, 0.24 - knee), (-swing, 0.46)), 0.04 * girth),
        _capsule(p, q, ((-0.07 * girth, -0.29), (-0.09 * girth - reach, -0.02)), 0.032 * girth),
        _capsule(p, q, ((0.07 * girth, -0.29), (0.09 * girth + reach, -0.02)), 0.032 * girth),
    ]
    return np.minimum.reduce(parts)


def _vehicle(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> np.ndarray:
    """A car or a van from the side: body, cabin, two wheels. Rigid."""
    length, cabin = 0.8 + 0.3 * traits[0], 0.3 + 0.35 * traits[1]
    parts = [
        _box(p, q, (0, 0.1), (length, 0.22), 0.1),
        _box(p, q, (0.2 * (traits[2] - 0.5), -0.2), (cabin, 0.25), 0.14),
        _capsule(p, q, ((-0.6 * length, 0.34), (-0.6 * length, 0.341)), 0.15),
        _capsule(p, q, ((0.6 * length, 0.34), (0.6 * length, 0.341)), 0.15),
    ]
    return np.minimum.reduce(parts)


def _blob(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> np.ndarray:
    """Something round and uneven (a bag, a dog, a ball) that sways a little."""
    angle, radius = (
        np.arctan2(q, p * (0.6 + 0.8 * traits[0])),
        np.sqrt((p * (0.6 + 0.8 * traits[0])) ** 2 + q * q),
    )
    outline = np.full(p.shape, 0.4)
    for k in range(2, 6):
        swell = 0.14 * traits[k] / (k - 0.5)
        outline = outline + swell * np.cos(k * angle + 6.283 * traits[k + 4] + 0.35 * np.sin(phase + k))
    return radius - outline


def _foliage(p: np.ndarray, q: np.ndarray, phase: float, traits: tuple[float, ...]) -> np.ndarray:
    """A twig with leaves that wave in the wind, each in its own way."""
    parts = [_capsule(p, q, ((-0.05, 0.5), (0.05 * np.sin(phase), -0.45)), 0.008)]
    for k in range(18):
        trait, other = traits[k % TRAITS], traits[(5 * k + 3) % TRAITS]
        side, foot = (-1) ** k, 0.45 - 0.05 * k + 0.05 * (other - 0.5)
        lean = 0.25 * np.sin(phase + 6.283 * trait) * (0.5 + 0.05 * k) + 0.9 * (other - 0.5)
        reach = (0.12 + 0.16 * trait) * (1.1 - 0.04 * k)
        tip = (side * reach * np.cos(lean), foot - 0.5 * reach + side * reach * np.sin(lean))
        parts.append(_capsule(p, q, ((side * 0.02, foot), tip), 0.012 + 0.02 * other))
    return np.minimum.reduce(parts)


SILHOUETTES: dict[str, Silhouette] = {
    "walker": _walker,
    "vehicle": _vehicle,
    "blob": _blob,
    "foliage": _foliage,
}
RIGID = frozenset({"vehicle"})
