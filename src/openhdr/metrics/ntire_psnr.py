"""ntire-psnr: the "PSNR" of the NTIRE 2021/2022 HDR challenges.

    both pictures x^(1/2.24) / max(ref^(1/2.24));  10 log10(1 / mean(d^2)), all channels together

Domain: gamma-coded (papers call it the linear score; the scorer takes the stored, gamma-coded files).
Unit: dB, higher is better; equal pictures give inf.
"""

from __future__ import annotations

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import RequestError
from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr


def ntire_psnr(pair: Pair) -> float:
    """dB. Raises RequestError for a black reference."""
    peak = float(pair.ref.max())
    if peak <= 0:
        raise RequestError(f"ref: its brightest value is {peak:g}; expected a picture that is not black")
    return psnr(pair.test, pair.ref, lambda x: (x / peak) ** (1 / NETWORK_GAMMA))
