"""Drago, Myszkowski, Annen, Chiba, "Adaptive Logarithmic Mapping for Displaying High Contrast Scenes", 2003.

    L_d = Ldmax * 0.01 / log10(L_max + 1) * ln(L + 1) / ln(2 + 8 (L / L_max)^(ln bias / ln 0.5))    (eq. 4)

with L the world luminance divided by its log-average, times an exposure, and Ldmax = 100 cd/m2, the reference
display: L_max maps to white. Deviations: L_max is a percentile instead of the maximum, which one sun pixel
would dominate, and lies at least 2.5 stops above the log-average, or a scene of little range would be all
white; the exposure is 0.6 instead of 1, which keeps night scenes and skies from looking milky; the display
transfer curve is sRGB instead of the paper's adjusted Rec.709 curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openhdr.tonemapping.rendering import render
from openhdr.tonemapping.statistics import MIDDLE_GREY, measure, sample


@dataclass(frozen=True)
class DragoOptions:
    """bias: 0.5..1; larger = darker and more contrast in the highlights; the paper recommends 0.85.

    exposure: the log-average is brought to it; 1 as published, where the user may change it.
    white_percentile: of the luminances, shown as white; 100 = the maximum, as published.
    least_white: lower limit of that white, as a multiple of the log-average.
    """

    bias: float = 0.85
    exposure: float = 0.6
    white_percentile: float = 99.9
    least_white: float = 1 / MIDDLE_GREY
    saturation: float = 0.9


DEFAULTS = DragoOptions()


def drago(linear: np.ndarray, options: DragoOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, sRGB-encoded, ready to quantise."""
    scene = measure(linear)
    scale = scene.scale(options.exposure)
    white = max(_white(linear, options.white_percentile), options.least_white * scene.log_average)
    top = white * scale
    power = np.float32(math.log(options.bias) / math.log(0.5))
    factor = np.float32(1 / math.log10(top + 1))

    def curve(light: np.ndarray, _: slice) -> np.ndarray:
        scaled = np.minimum(light * np.float32(scale), np.float32(top))
        return factor * np.log1p(scaled) / np.log(2 + 8 * (scaled * np.float32(1 / top)) ** power)

    return render(linear, curve, options.saturation)


def _white(linear: np.ndarray, percentile: float) -> float:
    values = sample(linear)
    if values.size == 0:
        return 1.0
    return float(values.max() if percentile >= 100 else np.percentile(values, percentile))
