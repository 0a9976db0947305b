"""Scale and clip: what one exposure of the scene looks like. For looking, not for compressing range."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.tonemapping.operator_options import ExposureOptions
from openhdr.tonemapping.rendering import Depth, developed_in_strips, encode, saturate, with_contrast
from openhdr.tonemapping.statistics import FLOAT32_MAX, measure

DEFAULTS = ExposureOptions()


def exposure(
    linear: np.ndarray, options: ExposureOptions = DEFAULTS, dtype: Depth = np.float32
) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8.

    Channels clip one by one, as in a camera: clipped colours change hue.
    """
    scale = measure(linear).scale() if options.exposure is None else 2.0**options.exposure
    highest = np.float32(min(1 / scale, FLOAT32_MAX))  # keeps the product finite

    def develop(rows: slice) -> np.ndarray:
        shown = with_contrast(np.minimum(linear[rows], highest) * np.float32(scale), options.contrast)
        if options.saturation != 1:
            planes = cv2.split(shown)
            saturate(planes, np.float32(options.saturation))
            shown = cv2.merge(planes)
        return encode(shown)

    return developed_in_strips(develop, linear.shape, dtype)
