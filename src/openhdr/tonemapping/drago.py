"""Drago, Myszkowski, Annen, Chiba, "Adaptive Logarithmic Mapping for Displaying High Contrast Scenes", 2003.

    L_d = Ldmax * 0.01 / log10(L_max + 1) * ln(L + 1) / ln(2 + 8 (L / L_max)^(ln bias / ln 0.5))    (eq. 4)

with L the world luminance divided by its log-average, times an exposure, and Ldmax = 100 cd/m2, the reference
display: L_max maps to white. Deviations: L_max is a percentile instead of the maximum, which one sun pixel
would dominate, and lies at least 3.5 stops above the log-average, or a scene of little range would be all
white; the exposure, 1 in the paper, is chosen by the picture (`automatic_exposure`), or pictures would be
brighter and paler than photos of the same scene; the display transfer curve is sRGB instead of the paper's
adjusted Rec.709 curve.
"""

from __future__ import annotations

import math

import numpy as np

from openhdr.tonemapping.operator_options import DragoOptions
from openhdr.tonemapping.rendering import Depth, render
from openhdr.tonemapping.statistics import MIDDLE_GREY, measure, sample

DEFAULTS = DragoOptions()

LOWEST_EXPOSURE = MIDDLE_GREY
"""Diffuse things then lie on the nearly straight part of the logarithm, as in a photo."""

HIGHEST_EXPOSURE = math.sqrt(MIDDLE_GREY)
"""Halfway in stops between that, which leaves rooms with lamps dark, and the paper's 1, which makes skies milky."""


def tone(scaled: float, top: float, bias: float) -> float:
    """Display luminance of a scaled luminance, eq. 4; both in units of the exposure."""
    share = (scaled / top) ** (math.log(bias) / math.log(0.5))
    return math.log1p(scaled) / (math.log10(top + 1) * math.log(2 + 8 * share))


def automatic_exposure(white: float, bias: float) -> float:
    """The highest exposure, within limits, at which the log-average is shown no brighter than middle grey.

    white: as a multiple of the log-average. A scene of much range takes the highest; one that a photo could
    almost hold a lower one, which brightens its shadows less.
    """
    low, high = LOWEST_EXPOSURE, HIGHEST_EXPOSURE
    if tone(high, high * white, bias) <= MIDDLE_GREY:
        return high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if tone(middle, middle * white, bias) > MIDDLE_GREY else (middle, high)
    return low


def drago(linear: np.ndarray, options: DragoOptions = DEFAULTS, dtype: Depth = np.float32) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    scene = measure(linear)
    white = max(_white(linear, options.white_percentile), options.least_white * scene.log_average)
    if options.white is not None:
        white = scene.log_average * 2**options.white
    exposure = options.key
    if exposure is None:
        exposure = automatic_exposure(white / scene.log_average, options.bias)
    scale = scene.scale(exposure)
    top = white * scale
    power = np.float32(math.log(options.bias) / math.log(0.5))
    factor = np.float32(1 / math.log10(top + 1))

    def curve(light: np.ndarray, _: slice) -> np.ndarray:
        scaled = np.minimum(light * np.float32(scale), np.float32(top))
        return factor * np.log1p(scaled) / np.log(2 + 8 * (scaled * np.float32(1 / top)) ** power)

    return render(linear, curve, options, dtype)


def _white(linear: np.ndarray, percentile: float) -> float:
    values = sample(linear)
    if values.size == 0:
        return 1.0
    return float(values.max() if percentile >= 100 else np.percentile(values, percentile))
