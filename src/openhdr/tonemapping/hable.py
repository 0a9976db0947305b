"""Hable's filmic curve of Uncharted 2 ("Uncharted 2: HDR Lighting", Game Developers Conference 2010).

    f(x) = (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F
    L_d = f(2 L) / f(W)

Deviations: the exposure comes from the picture's log-average instead of the game's meter, and the curve acts
on luminance instead of on each channel, which keeps hue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.tonemapping.rendering import render
from openhdr.tonemapping.statistics import MIDDLE_GREY, measure

# shoulder strength, linear strength, linear angle, toe strength, toe numerator, toe denominator
A, B, C, D, E, F = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30


@dataclass(frozen=True)
class HableOptions:
    """key: scene luminance that the log-average gets. exposure: factor before the curve, 2 in the talk.

    white: curve input shown as white, 11.2 in the talk (5 stops above middle grey).
    """

    key: float = MIDDLE_GREY
    exposure: float = 2.0
    white: float = 11.2
    saturation: float = 0.9


DEFAULTS = HableOptions()


def filmic(x: np.ndarray) -> np.ndarray:
    """The curve before white is scaled to 1; any shape, >= 0. f(0) = 0."""
    return (x * (A * x + C * B) + D * E) / (x * (A * x + B) + D * F) - E / F


def hable(linear: np.ndarray, options: HableOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, sRGB-encoded, ready to quantise."""
    scale = np.float32(measure(linear).scale(options.key) * options.exposure)
    factor = 1 / np.float32(filmic(np.array(options.white)))

    def curve(light: np.ndarray, _: slice) -> np.ndarray:
        return filmic(np.minimum(light * scale, np.float32(options.white))) * factor

    return render(linear, curve, options.saturation)
