"""The hand-held camera: poses, path-traced passes and denoising."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import mitsuba as mi
import numpy as np

from . import furniture, garden, materials, room
from .props import add_plant
from .shapes import rotation
from .stage import Stage
from .train import add_train

Array = np.ndarray
SUN = (0.42, 0.68, 0.60)  # direction towards the sun
EYE, YAW, PITCH = (1.9, -4.9, 1.35), 28.0, -7.0  # metres; degrees to the left of +y, and up
FIELD = 54.0  # horizontal field of view, degrees
APERTURE, FOCUS = 0.0045, 3.9  # lens radius and distance of sharp focus, metres
TRAIN_AT, TRAIN_TURN = (-0.62, -2.30, 0.0), 14.0


@dataclass(frozen=True)
class Pose:
    """Hand shake of one frame against the reference, and how far the train has come (metres)."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    train: float = 0.0


def build_scene(pose: Pose, width: int, height: int) -> mi.Scene:
    stage = Stage()
    for part in (room, furniture, garden):
        part.build(stage)
    add_plant(stage, (-1.86, -0.46, 0.0))
    add_train(stage, TRAIN_AT, TRAIN_TURN, pose.train)
    scene: dict = {"type": "scene", **stage.shapes(materials.all_materials())}
    scene["sky"] = {
        "type": "sunsky",
        "sun_direction": list(SUN),
        "turbidity": 3.5,
        "sun_scale": 1.0,
        "sky_scale": 0.72,
    }
    scene["sensor"] = _sensor(pose, width, height)
    return mi.load_dict(scene)


def _sensor(pose: Pose, width: int, height: int) -> dict:
    turn = rotation(YAW + pose.yaw, "z") @ rotation(PITCH + pose.pitch, "x") @ rotation(pose.roll, "y")
    eye = np.array(EYE) + turn @ np.array(pose.shift)
    ahead, up = turn @ np.array([0, 1, 0]), turn @ np.array([0, 0, 1])
    look = mi.ScalarTransform4f().look_at(origin=list(eye), target=list(eye + ahead), up=list(up))
    return {
        "type": "thinlens",
        "fov": FIELD,
        "aperture_radius": APERTURE,
        "focus_distance": FOCUS,
        "to_world": look,
        "film": {"type": "hdrfilm", "width": width, "height": height, "rfilter": {"type": "box"}},
        "sampler": {"type": "independent"},
    }


def render(scene: mi.Scene, passes: int, samples: int, seed: int) -> tuple[Array, Array, Array]:
    """Colour, albedo and normal (H, W, 3) float32; `passes` renders of `samples` paths per pixel each.

    The passes are averaged by `robust_mean`, so that a rare very bright path leaves no dot.
    """
    light = {"type": "path", "max_depth": 14, "rr_depth": 6}
    guide = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    path = mi.load_dict(light)
    runs = []
    for k in range(passes):
        start = time.monotonic()
        runs.append(np.array(mi.render(scene, integrator=path, spp=samples, seed=seed + k))[..., :3])
        logging.info("pass %d of %d: %.1f s", k + 1, passes, time.monotonic() - start)
    aovs = np.array(mi.render(scene, integrator=guide, spp=64, seed=seed + passes), np.float32)
    return robust_mean(np.stack(runs)), aovs[..., -6:-3], aovs[..., -3:]


def robust_mean(runs: Array, limit: float = 25.0) -> Array:
    """Mean over passes (P, H, W, 3); a pixel of one pass is at most `limit` times the 9x9 mean of all.

    Only lone outliers are that bright: light from a small window, which few paths find, must stay.
    """
    runs = np.nan_to_num(runs, nan=0.0, posinf=0.0)
    level = runs.mean(-1)
    ceiling = limit * _box_mean(level.mean(0), 4)
    scale = np.minimum(1.0, ceiling / np.maximum(level, 1e-12))
    return (runs * scale[..., None]).mean(0).astype(np.float32)


def _box_mean(image: Array, reach: int) -> Array:
    """Mean over a square of side 2 * reach + 1; edges repeat."""
    side = 2 * reach + 1
    padded = np.pad(image, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.mean((2, 3))


def denoise(colour: Array, albedo: Array, normal: Array) -> Array:
    """Open Image Denoise on one thread, guided by noise-free albedo and normals."""
    from pyoidn import denoise as run

    return np.maximum(run(color=colour, albedo=np.clip(albedo, 0, 1), normal=normal, hdr=True), 0)
