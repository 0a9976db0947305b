"""Peak signal-to-noise ratio of encoded pictures: what the PSNR metrics share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from openhdr.metrics.pair import mean_over_blocks


def psnr(
    test: np.ndarray,
    ref: np.ndarray,
    encode: Callable[[np.ndarray], np.ndarray] | None = None,
    peak: float = 1.0,
) -> float:
    """10 log10(peak^2 / mean((encode(test) - encode(ref))^2)) in dB over all values; inf when they are equal.

    test, ref: (H, W, ...) float. encode: works on float64 values of any shape.
    """

    def squared_error(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        gap = encode(ours) - encode(theirs) if encode else ours - theirs
        return gap * gap

    error = mean_over_blocks(test, ref, squared_error)
    return math.inf if error == 0 else 10 * math.log10(peak * peak / error)
