"""Hable's filmic curve of Uncharted 2 ("Uncharted 2: HDR Lighting", Game Developers Conference 2010).

    f(x) = (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F
    L_d = f(2 L) / f(W)

Deviations: the exposure comes from the picture's log-average instead of the game's meter, and the curve acts
on luminance instead of on each channel, which keeps hue.
"""

from __future__ import annotations

import numpy as np

from openhdr.tonemapping.operator_options import HableOptions
from openhdr.tonemapping.rendering import Depth, render
from openhdr.tonemapping.statistics import measure

# shoulder strength, linear strength, linear angle, toe strength, toe numerator, toe denominator
A, B, C, D, E, F = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
EXPOSURE = 2.0  # factor before the curve
WHITE = 11.2  # curve input shown as white: 5 stops above middle grey

DEFAULTS = HableOptions()


def filmic(x: np.ndarray) -> np.ndarray:
    """The curve before white is scaled to 1; any shape, >= 0. f(0) = 0.

    (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F over one denominator: a difference of two numbers that are
    alike would leave the darks in steps.
    """
    return x * (A * (1 - E / F) * x + B * (C - E / F)) / (x * (A * x + B) + D * F)


def hable(linear: np.ndarray, options: HableOptions = DEFAULTS, dtype: Depth = np.float32) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    scale = np.float32(measure(linear).scale(options.key) * EXPOSURE)
    white = WHITE if options.white is None else options.key * EXPOSURE * 2**options.white
    factor = 1 / np.float32(filmic(np.array(white)))

    def curve(light: np.ndarray, _: slice) -> np.ndarray:
        return filmic(np.minimum(light * scale, np.float32(white))) * factor

    return render(linear, curve, options, dtype)
