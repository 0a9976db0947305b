"""Scale and clip: what one exposure of the scene looks like. For looking, not for compressing range."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.tonemapping.operator_options import ExposureOptions
from openhdr.tonemapping.rendering import encode, in_strips, saturate, with_contrast
from openhdr.tonemapping.statistics import FLOAT32_MAX, measure

DEFAULTS = ExposureOptions()


def exposure(linear: np.ndarray, options: ExposureOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, sRGB-encoded, ready to quantise.

    Channels clip one by one, as in a camera: clipped colours change hue.
    """
    scale = measure(linear).scale() if options.exposure is None else 2.0**options.exposure
    highest = np.float32(min(1 / scale, FLOAT32_MAX))  # keeps the product finite
    display = np.empty(linear.shape, np.float32)

    def work(rows: slice) -> None:
        shown = with_contrast(np.minimum(linear[rows], highest) * np.float32(scale), options.contrast)
        if options.saturation != 1:
            planes = cv2.split(shown)
            saturate(planes, np.float32(options.saturation))
            shown = cv2.merge(planes)
        display[rows] = encode(shown)

    in_strips(work, linear.shape)
    return display
