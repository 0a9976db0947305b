"""From visible differences to one number or a map.

Sources: Mantiuk et al. 2011, sections 3.6 and 4 (map), Narwaria et al. 2015 (quality, weights of 2.2).
"""

from __future__ import annotations

import numpy as np

from openhdr.filters.resize import resize
from openhdr.metrics.hdrvdp.constants import constants
from openhdr.metrics.hdrvdp.pyramid import Pyramid, put_together

_LEAST = 1e-12  # keeps the logarithm finite
_SAME = 1e-3  # relative difference of a channel up to which pixels count as equal


def changed(test: np.ndarray, ref: np.ndarray) -> np.ndarray:
    """(H, W, 3) cd/m2 twice -> (H, W) float64, 1 where any channel differs by more than 0.1 %."""
    # multiplied out: a channel that is zero in both images is no difference
    return (np.abs(test - ref) > _SAME * ref).any(axis=2).astype(np.float64)


def band_errors(visible: Pyramid, where: np.ndarray) -> list[list[float]]:
    """Error of every band and orientation: root of the sum of squares over the count (not its root)."""
    out = []
    for band in visible.bands:
        mask = resize(where, band.shape[1:], "cubic")
        out.append([float(np.sqrt(np.square(plane * mask).sum())) / plane.size for plane in band])
    return out


def quality(visible: Pyramid, where: np.ndarray, ppd: float) -> float:
    """Q: 100 = no visible difference, lower is worse (may fall below 0)."""
    c = constants()
    total = 0.0
    for index, errors in enumerate(band_errors(visible, where)):
        frequency = visible.frequency(index, ppd)
        weight = np.interp(frequency, c.quality_frequency[::-1], c.quality_weight[::-1])
        total += weight * sum(np.log(error + _LEAST) - np.log(_LEAST) for error in errors)
    return 100.0 - float(total)


def detection(visible: Pyramid) -> np.ndarray:
    """Probability that an observer sees a difference at each pixel: (H, W) float64, 0..1.

    The bands are put together again, the result is raised by spatial summation over the whole image, and
    turned into a probability by the psychometric function; one threshold is seen half of the time.
    """
    local = np.abs(put_together(visible))
    pooled = local * (local.sum() / (local.max() + _LEAST))
    return 1 - np.exp2(-pooled)
