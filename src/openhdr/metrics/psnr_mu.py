"""psnr-mu: PSNR after the mu-law (Kalantari and Ramamoorthi 2017, section 3).

    T(x) = log(1 + 5000 x) / log(5001);  10 log10(1 / mean((T(test) - T(ref))^2)), all channels together

Domain: linear light as given, peak 1.0, no clipping, no normalisation. The challenge's score of the same name
normalises and squeezes first: see ntire_psnr_mu.py. Unit: dB, higher is better; equal pictures give inf.
"""

from __future__ import annotations

from openhdr.color.transfer import mu_law
from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr


def psnr_mu(pair: Pair) -> float:
    """dB."""
    return psnr(pair.test, pair.ref, mu_law)
