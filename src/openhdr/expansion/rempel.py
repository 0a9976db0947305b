"""Rempel et al., Ldr2Hdr: on-the-fly reverse tone mapping, SIGGRAPH 2007: a smooth boost around clipped areas.

Pixels with a channel above a threshold form a mask; blurred widely it gives the brightness enhancement
(section 4.2), which an edge-stopping function keeps within the bright object: the area that can be reached
from clipped pixels without crossing a strong edge (section 4.3). Light is multiplied by up to `peak`.

The paper's blur of 150 pixels is for 1920 x 1080; here it scales with the diagonal. The flood fill works on a
reduced picture, as the paper's GPU version does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.color.luminance import luminance
from openhdr.expansion.photo import Photo

WORK_SIDE = 512  # longest side of the reduced picture, pixels


@dataclass(frozen=True)
class RempelOptions:
    threshold: float = 0.98  # code from which a channel counts as clipped (the paper's 250 of 255)
    peak: float = 4.0  # greatest boost; the paper's
    blur: float = 0.068  # sigma over the diagonal: 150 pixels at 1920 x 1080
    edge: float = 0.03  # gradient of code per reduced pixel that stops the boost
    steps: int = 64  # of the flood fill, reduced pixels


def rempel(photo: Photo, options: RempelOptions = RempelOptions()) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    height, width = photo.shape
    shrink = min(1.0, WORK_SIDE / max(height, width))
    size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
    mask = np.any(photo.code >= options.threshold, axis=2).astype(np.float32)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    level = cv2.resize(luminance(photo.code), size, interpolation=cv2.INTER_AREA)
    sigma = options.blur * float(np.hypot(*size))
    enhance: np.ndarray = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    top = float(enhance.max())
    enhance = enhance / top if top > 0 else enhance
    enhance = np.maximum(enhance * _reach(small, level, options), small)
    boost = 1 + (options.peak - 1) * cv2.resize(enhance, (width, height), interpolation=cv2.INTER_LINEAR)
    return photo.linear * boost.astype(np.float32)[..., None]


def _reach(mask: np.ndarray, level: np.ndarray, options: RempelOptions) -> np.ndarray:
    """(h, w) float32 0..1: what can be reached from the mask without crossing an edge."""
    across = cv2.Scharr(level, cv2.CV_32F, 1, 0) / 32
    down = cv2.Scharr(level, cv2.CV_32F, 0, 1) / 32
    open_to = (np.hypot(across, down) < options.edge).astype(np.float32)
    reached = (mask > 0.5).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(options.steps):
        reached = np.maximum(reached, cv2.dilate(reached, kernel) * open_to)
    return cv2.GaussianBlur(reached, (0, 0), 1.5)
