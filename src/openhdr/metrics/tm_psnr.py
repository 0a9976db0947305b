"""tm-psnr: PSNR after Liang's tone mapper (Liang et al. 2018).

    10 log10(1 / mean((M(test) - M(ref))^2)), all channels together; M: tonemapping/liang.py

Domain: display values 0..1; M adapts to each picture, so scale hardly matters, but the whole picture does.
Papers that used Photomatix instead cannot be compared with it. Unit: dB, higher is better; equal pictures
give inf.
"""

from __future__ import annotations

from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr


def tm_psnr(pair: Pair) -> float:
    """dB."""
    return psnr(*pair.tone_mapped)
