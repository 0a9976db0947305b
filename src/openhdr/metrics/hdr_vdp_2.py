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
from openhdr.metrics.hdrvdp.contrast import difference
from openhdr.metrics.hdrvdp.eye import see
from openhdr.metrics.hdrvdp.pyramid import Pyramid
from openhdr.metrics.pair import Pair
from openhdr.metrics.protocol import PPD

VERSION = "2.2.2"


def hdr_vdp_2(pair: Pair) -> float:
    """Q of a pair with a protocol."""
    test, ref = pair.luminance
    visible = visible_difference(test, ref, pair.protocol.ppd)
    return pooling.quality(visible, pooling.changed(test, ref), pair.protocol.ppd)


def visibility_map(pair: Pair) -> np.ndarray:
    """Probability that a difference is seen at each pixel: (H, W) float64, 0..1. Needs a protocol."""
    test, ref = pair.luminance
    return pooling.detection(visible_difference(test, ref, pair.protocol.ppd))


def visible_difference(test: np.ndarray, ref: np.ndarray, ppd: float = PPD) -> Pyramid:
    """(H, W, 3) float64 cd/m2 twice -> signed visible difference in every band."""
    return difference(see(test, ppd), see(ref, ppd), ppd)
