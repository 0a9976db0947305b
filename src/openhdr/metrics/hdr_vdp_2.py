"""hdr-vdp-2: the quality score of HDR-VDP 2.2.2 (Mantiuk et al. 2011; Narwaria et al. 2015).

    Q = 100 - sum over bands and orientations of w_f ln(1 + e / 1e-12)

e is the visible difference in a band: light is scattered in the eye, turned into a response in just
noticeable steps, split into bands of a steerable pyramid, and differences are weighed against sensitivity
and masking. The stages are the files of hdrvdp/.

Domain: absolute display light, colours of an LCD with Rec.709 primaries, so a protocol has to be stated.
Unit: Q, 100 = no visible difference, higher is better. Scores depend strongly on scale and pixels per degree.
"""

from __future__ import annotations

import numpy as np

from openhdr.metrics.hdrvdp import pooling
from openhdr.metrics.pair import Pair


def hdr_vdp_2(pair: Pair) -> float:
    """Q of a pair with a protocol."""
    return pooling.quality(pair.visible_difference, pooling.changed(*pair.luminance), pair.declared.ppd)


def visibility_map(pair: Pair) -> np.ndarray:
    """Probability that a difference is seen at each pixel: (H, W) float64, 0..1. Needs a protocol.

    The published map (`pooling.detection`) spreads around a difference, because coarse bands and summation
    over the whole picture carry it; here, as in Q, only pixels that differ by more than 0.1 % count.
    """
    return pooling.detection(pair.visible_difference) * pooling.changed(*pair.luminance)
