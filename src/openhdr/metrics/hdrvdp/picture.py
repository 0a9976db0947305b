"""A picture of where a difference is visible: the reference in grey, coloured by the probability of detection."""

from __future__ import annotations

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.color.transfer import mu_law

PROBABILITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
COLOURS = np.array([[70, 80, 200], [40, 140, 235], [60, 190, 90], [245, 205, 50], [220, 30, 40]], dtype=float)
"""sRGB codes at PROBABILITIES: blue is hardly seen, green by every second observer, red by all."""
_BLEND_FROM = 0.02  # probability below which the reference stays grey
_MU = 500.0  # the grey picture shows shadows and highlights at once


def visibility_picture(probability: np.ndarray, ref: np.ndarray) -> np.ndarray:
    """(H, W) probability 0..1 and (H, W, 3) linear reference -> (H, W, 3) uint8 sRGB."""
    light = np.maximum(luminance(ref.astype(np.float64)), 0)
    white = max(float(np.percentile(light, 99.5)), 1e-12)
    grey = 255 * np.clip(mu_law(light / white, _MU), 0, 1)
    colour = np.stack([np.interp(probability, PROBABILITIES, channel) for channel in COLOURS.T], axis=-1)
    share = np.clip((probability - _BLEND_FROM) / (PROBABILITIES[1] - _BLEND_FROM), 0, 1)[..., None]
    shade = 0.35 + 0.65 * grey[..., None] / 255  # keeps the picture's structure readable under the colour
    return np.rint(grey[..., None] * (1 - share) + colour * shade * share).astype(np.uint8)
