"""Hand shake: how the camera stood in one frame, relative to the reference frame.

The scene is taken as a plane square to the reference camera, or as far away, so that a frame is a homography
of the reference view: the camera turns and takes a small step (Hartley and Zisserman, Multiple View Geometry,
2004, section 13.1: K (R - t n^T / d) K^-1). A turn alone is exact for any scene. Turning by the angle that
moves the centre by 10 of 576 pixels moves the edges of a 70 degree view by 15: real hand-held frames are
never related by a mere shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shake:
    """Pose of one frame. The default is the reference pose."""

    turn_x_px: float = 0.0  # the camera turns right by the angle that moves the view's centre so far
    turn_y_px: float = 0.0  # ... and down
    roll_deg: float = 0.0  # rotation about the optical axis
    step_x_px: float = 0.0  # the camera moves right by so many pixels of the scene plane
    step_y_px: float = 0.0  # ... and down
    zoom: float = 1.0  # a step forwards or back; above 1 = the scene looks larger

    def homography(self, size: tuple[int, int], focal_px: float) -> np.ndarray:
        """(3, 3) float64: pixel of this frame -> pixel of the reference frame; size = (width, height)."""
        lens = np.array([[focal_px, 0, (size[0] - 1) / 2], [0, focal_px, (size[1] - 1) / 2], [0, 0, 1.0]])
        pan, tilt = np.arctan2(self.turn_x_px, focal_px), np.arctan2(self.turn_y_px, focal_px)
        roll = np.radians(self.roll_deg)
        step = np.array(
            [
                [1 / self.zoom, 0, self.step_x_px / focal_px],
                [0, 1 / self.zoom, self.step_y_px / focal_px],
                [0, 0, 1.0],
            ]
        )
        matrix = lens @ step @ _turn(pan, tilt, roll) @ np.linalg.inv(lens)
        return matrix / matrix[2, 2]


def _turn(pan: float, tilt: float, roll: float) -> np.ndarray:
    """(3, 3): camera axes (right, down, ahead) of the turned camera -> those of the reference; radians."""
    right = np.array([[np.cos(pan), 0, np.sin(pan)], [0, 1, 0], [-np.sin(pan), 0, np.cos(pan)]])
    down = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    ahead = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return right @ down @ ahead


def map_points(homography: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points through a homography; elementwise, so that the result does not depend on a matrix library."""
    h = homography
    depth = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    return (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / depth, (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / depth
