"""Drawing where the camera looks."""

from __future__ import annotations

import numpy as np

from openhdr.simulation.config import SimulationConfig, ViewConfig
from openhdr.simulation.scene import Scene
from openhdr.simulation.view import CropPose, PanoramaPose

_GRID = (48, 32)  # samples across and down that stand for a view
_FLAT_FOCAL = 1.0  # focal length of a flat image's camera in frame widths: 53 degrees, an ordinary lens


def draw_view(
    scene: Scene, config: SimulationConfig, rng: np.random.Generator
) -> tuple[PanoramaPose | CropPose, float, np.ndarray]:
    """The pose, its focal length in pixels, and (3, N) radiance samples of the view.

    Of `tries` poses the one with the widest range of light (98th over 2nd percentile) is kept: a bracket of a
    blank wall shows nothing.
    """
    drawn = [draw_pose(scene, config.view, config.size, rng) for _ in range(config.view.tries)]
    u, v = np.meshgrid(*(np.linspace(0, side - 1, n) for side, n in zip(config.size, _GRID, strict=True)))
    centre = ((config.size[0] - 1) / 2, (config.size[1] - 1) / 2)
    looks, ranges = [], []
    for pose, focal in drawn:
        samples = scene.view(pose, focal, centre).at(u.ravel(), v.ravel())
        dark, bright = np.quantile(samples.max(axis=0), [0.02, 0.98])
        looks.append(samples)
        ranges.append(float(np.log2(max(bright, 1e-9) / max(dark, 1e-9))))
    best = int(np.argmax(ranges))
    return *drawn[best], looks[best]


def draw_pose(
    scene: Scene, config: ViewConfig, size: tuple[int, int], rng: np.random.Generator
) -> tuple[PanoramaPose | CropPose, float]:
    """A pose in the scene and its focal length in pixels."""
    if scene.kind == "flat":
        return _draw_crop(scene, config, size, rng), _FLAT_FOCAL * size[0]
    angles = config.yaw_deg.draw(rng), config.pitch_deg.draw(rng), config.roll_deg.draw(rng)
    field = config.field_of_view_deg.draw(rng)
    if config.enlargement is not None:
        focal = config.enlargement.draw(rng) * scene.texture.width / (2 * np.pi)
        field = float(np.degrees(2 * np.arctan(size[0] / 2 / focal)))
    pose = PanoramaPose(*angles, field)
    return pose, pose.focal_px(size[0])


def _draw_crop(scene: Scene, config: ViewConfig, size: tuple[int, int], rng: np.random.Generator) -> CropPose:
    width, height = scene.texture.width, scene.texture.height
    enlargement = max(size[0] / width, size[1] / height) / config.crop_share.draw(rng)
    if config.enlargement is not None:
        enlargement = max(enlargement, config.enlargement.draw(rng))
    left, top = (
        rng.random() * (side - of / enlargement) for side, of in ((width, size[0]), (height, size[1]))
    )
    return CropPose(float(left), float(top), float(enlargement))
