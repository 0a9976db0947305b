"""Reinhard, Stark, Shirley, Ferwerda, "Photographic Tone Reproduction for Digital Images", SIGGRAPH 2002.

    L  = key / L_average * L_world                                       (eq. 2)
    L_d = L (1 + L / L_white^2) / (1 + L)                                (eq. 4)

Key and white come from the picture as in Reinhard, "Parameter Estimation for Photographic Tone Reproduction",
Journal of Graphics Tools 2002:

    key   = 0.18 * 4^((2 log2 L_average - log2 L_min - log2 L_max) / (log2 L_max - log2 L_min))
    white = 1.5 * 2^(log2 L_max - log2 L_min - 5)

L_min and L_max are the 1st and 99th percentile. Deviation: white is at least 1, because below that eq. 4
makes a picture of little range brighter instead of compressing it.
"""

from __future__ import annotations

import numpy as np

from openhdr.tonemapping.operator_options import ReinhardOptions
from openhdr.tonemapping.rendering import Depth, render
from openhdr.tonemapping.statistics import MIDDLE_GREY, Statistics, measure

WHITE_LIMIT = 1e6  # beyond it eq. 4 is eq. 3

DEFAULTS = ReinhardOptions()


def automatic_key(scene: Statistics) -> float:
    """The key of the parameter estimation paper: 0.045 (low-key scene) to 0.72 (high-key)."""
    if scene.stops <= 0:
        return MIDDLE_GREY
    average, low, high = np.log2([scene.log_average, scene.low, scene.high])
    return float(MIDDLE_GREY * 4 ** ((2 * average - low - high) / (high - low)))


def automatic_white(scene: Statistics) -> float:
    """The white of the parameter estimation paper, at least 1."""
    return float(np.clip(1.5 * 2.0 ** min(scene.stops - 5, 64), 1, WHITE_LIMIT))


def placed(scene: Statistics, options: ReinhardOptions) -> tuple[float, float]:
    """Key, and the smallest scaled luminance shown as white."""
    key = automatic_key(scene) if options.key is None else options.key
    white = automatic_white(scene) if options.white is None else key * 2**options.white
    return key, min(white, WHITE_LIMIT)


def reinhard(
    linear: np.ndarray, options: ReinhardOptions = DEFAULTS, dtype: Depth = np.float32
) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    scene = measure(linear)
    key, white = placed(scene, options)
    scale, inverse = np.float32(scene.scale(key)), np.float32(white**-2)

    def curve(light: np.ndarray, _: slice) -> np.ndarray:
        scaled = light * scale
        return scaled * (1 + scaled * inverse) / (1 + scaled)

    return render(linear, curve, options, dtype)
