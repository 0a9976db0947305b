"""psnr-l: PSNR of linear values.

    10 log10(1 / mean((test - ref)^2)), all channels together

Domain: linear light as given, peak 1.0, no clipping, no normalisation: it depends on the scale anchor.
Unit: dB, higher is better; equal pictures give inf.
"""

from __future__ import annotations

from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr


def psnr_l(pair: Pair) -> float:
    """dB."""
    return psnr(pair.test, pair.ref)
