"""Drawing what moves in the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openhdr.simulation.config import SimulationConfig
from openhdr.simulation.distributions import Normal, choose
from openhdr.simulation.draw_view import draw_pose
from openhdr.simulation.objects import RIGID, TRAITS, MovingObject, Pose
from openhdr.simulation.scene import Scene

Bracket = tuple[int, int, float]
"""Number of frames, index of the reference, scene radiance at which the reference clips."""

_SIZE = {"walker": 1.0, "vehicle": 0.6, "blob": 0.5, "foliage": 0.8}  # relative to the drawn height
_SURFACE_PITCH = Normal(-8, 12)  # degrees: skies make dull surfaces
_SURFACE_SCALE = 0.7  # a surface is shown this much smaller than its view: sharper, with more to see
_SAMPLES = 9  # points across and down that stand for an object's surface


def draw_objects(
    surfaces: Sequence[Scene], config: SimulationConfig, bracket: Bracket, rng: np.random.Generator
) -> tuple[MovingObject, ...]:
    """Objects of one bracket, the farthest (with the highest foot) first."""
    still, count = rng.random() < config.objects.still_share, int(rng.integers(1, config.objects.most + 1))
    if still:
        return ()
    drawn = [_draw_object(surfaces, config, bracket, rng) for _ in range(count)]
    middle = [thing.poses[bracket[1]] for thing in drawn]
    return tuple(drawn[k] for k in np.argsort([pose.y_px + pose.height_px / 2 for pose in middle]))


def _draw_object(
    surfaces: Sequence[Scene], config: SimulationConfig, bracket: Bracket, rng: np.random.Generator
) -> MovingObject:
    kind, scene = choose(config.objects.kinds, rng), choose(surfaces, rng)
    traits = tuple(float(t) for t in rng.random(TRAITS))
    poses, velocity = _draw_path(kind, config, bracket, rng)
    looking_down = replace(config.view, pitch_deg=_SURFACE_PITCH)
    pose, focal = draw_pose(scene, looking_down, config.size, rng)
    focal *= _SURFACE_SCALE
    _, reference, anchor = bracket
    level = config.objects.level.draw(rng)
    grid = np.linspace(-0.4, 0.4, _SAMPLES) * poses[reference].height_px
    p, q = (axis.ravel() for axis in np.meshgrid(grid, grid))
    median = max(float(np.median(scene.view(pose, focal, (0.0, 0.0)).at(p, q))), 1e-9)
    gain = level * anchor / median
    softness = config.objects.softness_px.draw(rng)
    return MovingObject(kind, traits, scene.name, pose, focal, level, gain, softness, poses, velocity)


def _draw_path(
    kind: str, config: SimulationConfig, bracket: Bracket, rng: np.random.Generator
) -> tuple[tuple[Pose, ...], tuple[float, float]]:
    """Poses of all frames, and the velocity in pixels per frame interval."""
    objects, size, scale = config.objects, config.size, config.size[0] / config.nominal_width
    heading = np.radians(objects.steepness_deg.draw(rng)) + np.pi * rng.integers(2)
    speed = objects.speed_px.draw(rng) * scale * (0.1 if kind == "foliage" else 1.0)
    velocity = (float(speed * np.cos(heading)), float(speed * np.sin(heading)))
    height = objects.height_share.draw(rng) * size[1] * _SIZE[kind]
    x, foot = size[0] * (0.08 + 0.84 * rng.random()), size[1] * (0.65 + 0.5 * rng.random())
    lean, turn = objects.turn_deg.draw(rng), objects.turn_deg.draw(rng)
    growth = objects.growth_stops.draw(rng)
    start, stride = 2 * np.pi * rng.random(), objects.stride.draw(rng)
    poses = []
    for frame in range(bracket[0]):
        time = frame - bracket[1]
        stray, angle = objects.wander_px.draw(rng) * scale, 2 * np.pi * rng.random()
        wander = stray if time and kind != "foliage" else 0.0
        poses.append(
            Pose(
                x_px=float(x + velocity[0] * time + wander * np.cos(angle)),
                y_px=float(foot - height / 2 + velocity[1] * time + wander * np.sin(angle)),
                height_px=float(height * 2.0 ** (growth * time)),
                angle_deg=lean + turn * time,
                phase=0.0 if kind in RIGID else float(start + stride * time),
            )
        )
    return tuple(poses), velocity
