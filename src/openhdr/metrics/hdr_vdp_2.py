"""hdr-vdp-2: the quality score of HDR-VDP 2.2.2 (Mantiuk et al. 2011; Narwaria et al. 2015).

    Q = 100 - sum over bands and orientations of w_f ln(1 + e / 1e-12)

e is the visible difference in a band: light is scattered in the eye, turned into a response in just
noticeable steps, split into bands of a steerable pyramid, and differences are weighed against sensitivity
and masking. The stages are the files of hdrvdp/.

Domain: absolute display light, colours of an LCD with Rec.709 primaries, so a protocol has to be declared.
Unit: Q, 100 = no visible difference, higher is better. Scores depend strongly on scale and pixels per degree.
"""

from __future__ import annotations

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.color.transfer import mu_law
from openhdr.metrics.hdrvdp import pooling
from openhdr.metrics.pair import Pair

PROBABILITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
COLOURS = np.array([[70, 80, 200], [40, 140, 235], [60, 190, 90], [245, 205, 50], [220, 30, 40]], dtype=float)
"""sRGB codes at PROBABILITIES: blue is hardly seen, green by every second observer, red by all."""
_BLEND_FROM = 0.02  # probability below which the reference stays grey
_MU = 500.0  # the grey image shows shadows and highlights at once


def hdr_vdp_2(pair: Pair) -> float:
    """Q of a pair with a protocol."""
    return pooling.quality(pair.visible_difference, pooling.changed(*pair.luminance), pair.declared.ppd)


def visibility_map(pair: Pair) -> np.ndarray:
    """Probability that a difference is seen at each pixel: (H, W) float64, 0..1. Needs a protocol.

    The published map (`pooling.detection`) spreads around a difference, because coarse bands and summation
    over the whole image carry it; here, as in Q, only pixels that differ by more than 0.1 % count.
    """
    return pooling.detection(pair.visible_difference) * pooling.changed(*pair.luminance)


def visibility_picture(probability: np.ndarray, ref: np.ndarray) -> np.ndarray:
    """The reference in grey, coloured by the probability of detection: (H, W, 3) uint8 sRGB.

    probability: (H, W), 0..1. ref: (H, W, 3) linear.
    """
    light = np.maximum(luminance(ref.astype(np.float64)), 0)
    white = max(float(np.percentile(light, 99.5)), 1e-12)
    grey = 255 * np.clip(mu_law(light / white, _MU), 0, 1)
    colour = np.stack([np.interp(probability, PROBABILITIES, channel) for channel in COLOURS.T], axis=-1)
    share = np.clip((probability - _BLEND_FROM) / (PROBABILITIES[1] - _BLEND_FROM), 0, 1)[..., None]
    shade = 0.35 + 0.65 * grey[..., None] / 255  # keeps the image's structure readable under the colour
    return np.rint(grey[..., None] * (1 - share) + colour * shade * share).astype(np.uint8)
