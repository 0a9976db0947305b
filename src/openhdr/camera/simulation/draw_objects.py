"""Drawing what moves in the scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openhdr.camera.simulation.config import NOMINAL_WIDTH, ObjectConfig, SimulationConfig
from openhdr.camera.simulation.distributions import choose
from openhdr.camera.simulation.draw_view import draw_pose
from openhdr.camera.simulation.objects import RIGID, TRAITS, MovingObject, Pose
from openhdr.camera.simulation.scene import Scene

_SIZE = {"walker": 1.0, "vehicle": 0.6, "blob": 0.5, "foliage": 0.8}  # relative to the drawn height
_SAMPLES = 9  # points across and down that stand for an object's surface


def draw_objects(
    surfaces: Sequence[Scene],
    config: SimulationConfig,
    bracket: tuple[int, int, float],
    rng: np.random.Generator,
) -> tuple[MovingObject, ...]:
    """Objects of one bracket. bracket: (number of frames, index of the reference, radiance where it clips)."""
    still, count = rng.random() < config.objects.still_share, int(rng.integers(1, config.objects.most + 1))
    if still:
        return ()
    return tuple(_draw_object(surfaces, config, bracket, rng) for _ in range(count))


def _draw_object(
    surfaces: Sequence[Scene],
    config: SimulationConfig,
    bracket: tuple[int, int, float],
    rng: np.random.Generator,
) -> MovingObject:
    law = config.objects
    frames, reference, anchor = bracket
    kind, scene = choose(law.kinds, rng), choose(surfaces, rng)
    traits = tuple(float(t) for t in rng.random(TRAITS))
    poses, velocity = _draw_path(law, kind, config.size, (frames, reference), rng)
    pose, focal = draw_pose(scene, config.view, config.size, rng)
    level = law.level.draw(rng)
    gain = level * anchor / _median(scene, pose, focal, poses[reference].height_px)
    softness = law.softness_px.draw(rng)
    return MovingObject(kind, traits, scene.name, pose, focal, gain, softness, poses, velocity)


def _draw_path(
    law: ObjectConfig, kind: str, size: tuple[int, int], bracket: tuple, rng: np.random.Generator
) -> tuple:
    """Poses of all frames, and the velocity in pixels per frame interval."""
    scale = size[0] / NOMINAL_WIDTH
    heading = np.radians(law.steepness_deg.draw(rng)) + np.pi * rng.integers(2)
    speed = law.speed_px.draw(rng) * scale * (0.1 if kind == "foliage" else 1.0)
    velocity = (float(speed * np.cos(heading)), float(speed * np.sin(heading)))
    height = law.height_share.draw(rng) * size[1]
    height *= _SIZE[kind]
    x, foot = size[0] * (0.08 + 0.84 * rng.random()), size[1] * (0.65 + 0.5 * rng.random())
    y = foot - height / 2
    lean, turn, growth = law.turn_deg.draw(rng), law.turn_deg.draw(rng), law.growth_stops.draw(rng)
    start, stride = 2 * np.pi * rng.random(), law.stride.draw(rng)
    poses = []
    for frame in range(bracket[0]):
        time = frame - bracket[1]
        stray = law.wander_px.draw(rng) * scale, 2 * np.pi * rng.random()
        wander = stray[0] if time and kind != "foliage" else 0.0
        poses.append(
            Pose(
                x_px=float(x + velocity[0] * time + wander * np.cos(stray[1])),
                y_px=float(y + velocity[1] * time + wander * np.sin(stray[1])),
                height_px=float(height * 2.0 ** (growth * time)),
                angle_deg=lean + turn * time,
                phase=0.0 if kind in RIGID else float(start + stride * time),
            )
        )
    return tuple(poses), velocity


def _median(scene: Scene, pose, focal: float, height_px: float) -> float:
    grid = np.linspace(-0.4, 0.4, _SAMPLES) * height_px
    p, q = (axis.ravel() for axis in np.meshgrid(grid, grid))
    return max(float(np.median(scene.view(pose, focal, (0.0, 0.0)).at(p, q))), 1e-9)
