"""Where a virtual camera looks: a perspective cut out of a panorama, or a crop of a flat HDR image.

A view maps pixel coordinates of the reference frame to radiance. Coordinates may lie outside the frame: a
shaken frame looks there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from openhdr.simulation.texture import Texture


class View(Protocol):
    """Radiance of the still scene as the reference camera sees it."""

    def at(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(N,) pixel coordinates of the reference frame -> (3, N) float64 scene radiance."""

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) pixel coordinates of the reference frame -> those of the scene's image."""


@dataclass(frozen=True)
class PanoramaPose:
    """The direction and lens of a virtual camera inside an equirectangular panorama."""

    yaw_deg: float  # 0 = centre of the panorama, positive to the right
    pitch_deg: float  # positive = up
    roll_deg: float  # positive = the camera turns clockwise
    field_of_view_deg: float  # horizontal

    def focal_px(self, width: int) -> float:
        """Focal length in pixels of a frame `width` pixels wide."""
        return width / 2 / float(np.tan(np.radians(self.field_of_view_deg) / 2))


class PanoramaView:
    """A perspective view out of a panorama (equirectangular: 360 degrees wide, 180 high)."""

    def __init__(
        self, texture: Texture, pose: PanoramaPose, focal_px: float, centre: tuple[float, float]
    ) -> None:
        """centre: the pixel (x, y) on the optical axis."""
        self._texture, self._focal, self._centre = texture, focal_px, centre
        self._turn = _rotation(pose.yaw_deg, pose.pitch_deg, pose.roll_deg)

    @property
    def enlargement(self) -> float:
        """Frame pixels per panorama pixel at the centre of the view; above 1 the view is soft."""
        return self._focal / (self._texture.width / (2 * np.pi))

    def at(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._texture.at(*self.place(u, v))

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = (u - self._centre[0]) / self._focal
        y = (self._centre[1] - v) / self._focal
        turn = self._turn
        right, up, ahead = (turn[k, 0] * x + turn[k, 1] * y + turn[k, 2] for k in range(3))
        longitude = np.arctan2(right, ahead)
        latitude = np.arctan2(up, np.sqrt(right * right + ahead * ahead))
        column = (longitude / (2 * np.pi) + 0.5) * self._texture.width - 0.5
        row = (0.5 - latitude / np.pi) * self._texture.height - 0.5
        return column, row


@dataclass(frozen=True)
class CropPose:
    """A crop of a flat HDR image."""

    left_px: float  # image coordinates of the frame's first pixel
    top_px: float
    enlargement: float  # frame pixels per image pixel


class CropView:
    """A rectangle of a flat HDR image, enlarged or as it is; beyond the image its edge goes on."""

    def __init__(self, texture: Texture, pose: CropPose) -> None:
        self._texture, self._pose = texture, pose

    @property
    def enlargement(self) -> float:
        """Frame pixels per image pixel."""
        return self._pose.enlargement

    def at(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._texture.at(*self.place(u, v))

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        step = 1 / self._pose.enlargement
        return self._pose.left_px + u * step, self._pose.top_px + v * step


def _rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """(3, 3): camera axes (right, up, ahead) -> world axes; roll first, then pitch, then yaw."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    around_up = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    around_right = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    )
    around_ahead = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return around_up @ around_right @ around_ahead
