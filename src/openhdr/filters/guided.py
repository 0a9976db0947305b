"""Guided filter: He, Sun, Tang, "Guided Image Filtering", PAMI 2013; on a reduced picture, He and Sun 2015.

In every window the result is a line over the guide, result = slope * guide + offset, the one nearest to the input
(eq. 5 and 6). Where slope and offset are found on reduced pictures and enlarged, the result keeps every edge of
the guide at full size.
"""

from __future__ import annotations

import cv2
import numpy as np


def lines(guide: np.ndarray, values: np.ndarray, radius: int, flatness: float) -> np.ndarray:
    """(H, W, 2) float32, slope and offset at every pixel: values is about slope * guide + offset.

    guide, values: (H, W) float32. radius: of the square windows, in pixels. flatness: variance of the guide up to
    which a window counts as flat.
    """

    def mean(plane: np.ndarray) -> np.ndarray:
        return cv2.blur(plane, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)

    guide_mean, values_mean = mean(guide), mean(values)
    covariance = mean(guide * values) - guide_mean * values_mean
    variance = np.maximum(mean(guide * guide) - guide_mean**2, 0)
    slope = covariance / (variance + np.float32(flatness))
    return np.dstack((mean(slope), mean(values_mean - slope * guide_mean)))


def enlarged(maps: np.ndarray, shape: tuple[int, int], rows: slice) -> np.ndarray:
    """Some rows of (h, w, C) float32 maps enlarged bilinearly to `shape` (H, W): (rows, W, C) float32."""
    position = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * (len(maps) / shape[0]) - 0.5
    position = np.clip(position, 0, len(maps) - 1)
    above = np.minimum(position.astype(np.int32), max(len(maps) - 2, 0))
    share = (position - above)[:, None, None]
    between = maps[above] * (1 - share) + maps[np.minimum(above + 1, len(maps) - 1)] * share
    return cv2.resize(between, (shape[1], len(between)), interpolation=cv2.INTER_LINEAR)
