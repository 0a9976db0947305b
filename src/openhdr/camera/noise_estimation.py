"""The noise of a photo, measured on its own flat places.

The finest diagonal detail of a picture, filtered by [1 -2 1] in both directions (Immerkaer 1996), is mostly noise
where the scene is smooth. Its spread is taken per block, the flattest blocks of each brightness class are kept,
and the photon transfer line variance = shot * light + read^2 is fitted through them.
"""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.noise import NoiseModel

BLOCK_PX = 8
CLASSES = 24  # brightness classes, evenly spaced in the square root of light
FLATTEST = 0.25  # share of a class's blocks that is taken as free of texture
# the mean of the lowest quarter of chi-square distributed block variances (63 degrees of freedom, less what
# neighbouring filter outputs share) is this share of the true variance; measured on pure noise
LOW_QUARTER_BIAS = 0.64
SHOT_LIMITS = (1e-6, 3e-2)
READ_LIMITS = (1e-5, 3e-2)


def estimate_noise(light: np.ndarray, unclipped: np.ndarray) -> NoiseModel:
    """Noise of one frame.

    light: (H, W, 3) float32 linear, 1.0 = clips, at full resolution (shrinking would hide noise).
    unclipped: (H, W) bool or 0..1. The green channel speaks for all.
    """
    green = np.ascontiguousarray(light[..., 1])
    detail = cv2.sepFilter2D(green, cv2.CV_32F, np.array([1, -2, 1.0]), np.array([1, -2, 1.0])) / 6
    mean, variance, usable = _blocks(green, detail, unclipped > 0.99)
    mean, variance = mean[usable & (mean > 0)], variance[usable & (mean > 0)]
    if len(mean) < 4 * CLASSES:
        return NoiseModel(shot=2e-4, read=1e-3)
    centres, floors = _flattest(mean, variance)
    return _fit_line(centres, floors / LOW_QUARTER_BIAS)


def _blocks(
    green: np.ndarray, detail: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of light and squared detail, and whether all is usable, of every block: (rows, columns) each."""
    rows, columns = (side // BLOCK_PX for side in green.shape)
    if not (rows and columns):
        return np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0), bool)

    def mean(values: np.ndarray) -> np.ndarray:
        values = values[: rows * BLOCK_PX, : columns * BLOCK_PX]
        return cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)

    return mean(green), mean(np.square(detail)), mean(usable.astype(np.float32)) > 0.999


def _flattest(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per brightness class: its mean light and the mean variance of its flattest blocks."""
    classes = np.minimum((np.sqrt(np.minimum(mean, 1)) * CLASSES).astype(int), CLASSES - 1)
    centres, floors = [], []
    for number in range(CLASSES):
        inside = np.flatnonzero(classes == number)
        if len(inside) >= 12:
            flat = inside[np.argsort(variance[inside])[: max(int(len(inside) * FLATTEST), 3)]]
            centres.append(mean[flat].mean())
            floors.append(variance[flat].mean())
    return np.array(centres), np.array(floors)


def _fit_line(light: np.ndarray, variance: np.ndarray) -> NoiseModel:
    """Relative least squares for variance = shot * light + read^2, both >= 0."""
    if len(light) == 0:
        return NoiseModel(shot=2e-4, read=1e-3)
    scale = 1 / np.maximum(variance, 1e-10)
    system = np.column_stack([light * scale, scale])
    shot, read2 = np.linalg.lstsq(system, np.ones(len(light)), rcond=None)[0]
    if shot < 0:
        shot, read2 = 0.0, 1 / scale.mean()
    if read2 < 0:
        shot, read2 = float(np.sum(light * scale) / np.sum(np.square(light * scale))), 0.0
    return NoiseModel(
        shot=float(np.clip(shot, *SHOT_LIMITS)), read=float(np.clip(np.sqrt(max(read2, 0)), *READ_LIMITS))
    )
