"""tm-ssim: SSIM after Liang's tone mapper (Liang et al. 2018).

    mean SSIM of M(test), M(ref) over windows and channels, range 1; M: tonemapping/liang.py

Domain: display values 0..1; M adapts to each picture. Unit: none, at most 1, higher is better.
"""

from __future__ import annotations

from openhdr.metrics.pair import Pair
from openhdr.metrics.ssim import ssim


def tm_ssim(pair: Pair) -> float:
    """At most 1."""
    return ssim(*pair.tone_mapped, 1.0)
