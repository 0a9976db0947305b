"""What was drawn for one bracket: all that rendering needs besides the scenes. Part of `scene.json`."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from openhdr.camera.noise import NoiseModel
from openhdr.simulation.objects import MovingObject
from openhdr.simulation.processing import Processing
from openhdr.simulation.shake import Shake
from openhdr.simulation.view import CropPose, PanoramaPose


@dataclass(frozen=True)
class FramePlan:
    """One photo."""

    ev: float  # stops relative to the reference, as declared
    ev_error: float  # stops that the true exposure lies above the declared one
    shake: Shake
    drift: tuple[float, float, float]  # white-balance gains of R, G, B beyond the bracket's own
    open_share: float  # of a frame interval that the shutter is open
    sweep_px: tuple[
        float, float
    ]  # how far the hand moves in a frame interval while the shutter is open: x, y
    noise_seed: int


@dataclass(frozen=True)
class SensorPlan:
    """What makes sensor values of the light, where the frames are not photos."""

    array: str  # colour filter array, by name
    neutral: tuple[float, float, float]  # what the sensor shows of white
    black: tuple[float, float, float, float]  # code of no light at each site of 2 x 2
    white: float  # code at which a site clips


@dataclass(frozen=True)
class CameraPlan:
    """The camera of a bracket."""

    iso: float
    noise: NoiseModel
    response: str  # srgb, linear, gamma:G, sigmoid:N:A or style:... (see picture_style)
    vignetting: float  # share of light lost in the corners
    cast: tuple[float, float, float]  # white-balance gains of R, G, B; part of the truth too
    bits: int
    jpeg_quality: int  # 0 = not compressed
    processing: Processing | None  # None = codes are recorded light through the response
    sensor: SensorPlan | None = None  # None = frames are photos


@dataclass(frozen=True)
class ScenePlan:
    """One bracket."""

    seed: int
    scene: str  # name of the HDR scene
    view: PanoramaPose | CropPose
    focal_px: float
    enlargement: float  # frame pixels per scene pixel at the centre; above 1 the image is soft
    size: tuple[int, int]  # (width, height)
    detail: float  # strength of the detail that is added to an enlarged scene; 0 = none
    clip_share: float  # share of the still view that was to clip in the reference
    anchor: float  # scene radiance at which the reference frame clips
    reference: int  # index of the reference frame
    frames: tuple[FramePlan, ...]  # shortest exposure first
    objects: tuple[MovingObject, ...]  # farthest first
    camera: CameraPlan

    @property
    def ev(self) -> list[float]:
        """Stops of the frames relative to the reference."""
        return [frame.ev for frame in self.frames]


def settled(item: Any) -> Any:
    """A plan with every number rounded to nine digits.

    Sines and logarithms differ between machines in the last of 16 digits. Rounding before anything is
    rendered makes the plan, and with it the images, the same everywhere.
    """
    if isinstance(item, float):
        return float(f"{item:.9g}")
    if isinstance(item, tuple):
        return tuple(settled(part) for part in item)
    if is_dataclass(item) and not isinstance(item, type):
        return replace(item, **{part.name: settled(getattr(item, part.name)) for part in fields(item)})
    return item
