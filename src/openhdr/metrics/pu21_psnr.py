"""pu21-psnr: PSNR of perceptually uniform values (Mantiuk and Azimi 2021).

    10 log10(256^2 / mean((V(test) - V(ref))^2)) over R, G and B in cd/m2; V: pu21.py

Domain: absolute display light, so a protocol has to be stated. Unit: dB, higher is better; equal pictures
give inf.
"""

from __future__ import annotations

from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr
from openhdr.metrics.pu21 import PEAK, pu21


def pu21_psnr(pair: Pair) -> float:
    """dB."""
    return psnr(*pair.luminance, pu21, PEAK)
