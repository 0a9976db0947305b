"""ntire-psnr-mu: the "mu-PSNR" of the NTIRE 2021/2022 HDR challenges.

    T(x) = log(1 + 5000 tanh(x / p)) / log(5001);  10 log10(1 / mean((T(test) - T(ref))^2))
    p = 99th percentile of the linear reference, all channels together, linear interpolation

Domain: linear light, normalised by p; tanh squeezes what is brighter, so lost highlights cost little.
Unit: dB, higher is better; equal pictures give inf.
"""

from __future__ import annotations

import numpy as np

from openhdr.color.transfer import mu_law
from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr


def ntire_psnr_mu(pair: Pair) -> float:
    """dB. Raises RequestError where p is 0."""
    level = pair.ref_p99
    return psnr(pair.test, pair.ref, lambda x: mu_law(np.tanh(x / level)))
