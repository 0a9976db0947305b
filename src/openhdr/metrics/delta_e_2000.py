"""delta-e-2000: mean CIEDE2000 of the pictures as an sRGB display shows them.

    v = clip(x / p, 0, 1), p = 99th percentile of the reference;  mean CIEDE2000(Lab(test v), Lab(ref v))

Domain: sRGB-encoded clipped colours; the sRGB curve and its inverse on the way to CIELAB cancel and are left
out. Unit: CIEDE2000, 0 = equal, lower is better, about 1 is just visible.
"""

from __future__ import annotations

import numpy as np

from openhdr.metrics.ciede2000 import ciede2000, lab_from_linear
from openhdr.metrics.pair import Pair, mean_over_blocks


def delta_e_2000(pair: Pair) -> float:
    """>= 0. Raises RequestError where p is 0."""
    level = pair.ref_p99

    def lab(linear: np.ndarray) -> np.ndarray:
        return lab_from_linear(np.clip(linear / level, 0, 1))

    return mean_over_blocks(pair.test, pair.ref, lambda test, ref: ciede2000(lab(test), lab(ref)))
