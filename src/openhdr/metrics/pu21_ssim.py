"""pu21-ssim: SSIM of the perceptually uniform luminance (Mantiuk and Azimi 2021).

    mean SSIM of V(Y(test)), V(Y(ref)), range 256; Y: Rec.709 luminance in cd/m2, V: pu21.py

Domain: absolute display light, so a protocol has to be stated. Unit: none, at most 1, higher is better.
"""

from __future__ import annotations

from openhdr.metrics.pair import Pair
from openhdr.metrics.pu21 import PEAK, luminance, pu21
from openhdr.metrics.ssim import ssim


def pu21_ssim(pair: Pair) -> float:
    """At most 1."""
    return ssim(*pair.luminance, PEAK, lambda rgb: pu21(luminance(rgb)))
