"""Scale and clip: what one exposure of the scene looks like. For looking, not for compressing range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.tonemapping.rendering import encode, in_strips
from openhdr.tonemapping.statistics import FLOAT32_MAX, MIDDLE_GREY, measure


@dataclass(frozen=True)
class ExposureOptions:
    """ev: stops by which the scene is brightened before it is clipped at 1; None = chosen from the picture.

    key: linear display luminance that the log-average gets where ev is None.
    """

    ev: float | None = None
    key: float = MIDDLE_GREY


DEFAULTS = ExposureOptions()


def exposure(linear: np.ndarray, options: ExposureOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, sRGB-encoded, ready to quantise.

    Channels clip one by one, as in a camera: clipped colours change hue.
    """
    scale = measure(linear).scale(options.key) if options.ev is None else 2.0**options.ev
    highest = np.float32(min(1 / scale, FLOAT32_MAX))  # keeps the product finite
    display = np.empty(linear.shape, np.float32)

    def work(rows: slice) -> None:
        display[rows] = encode(np.minimum(linear[rows], highest) * np.float32(scale))

    in_strips(work, linear.shape)
    return display
