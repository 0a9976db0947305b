"""ssim-mu: SSIM after the mu-law.

    T(x) = log(1 + 5000 x) / log(5001);  mean SSIM of T(test), T(ref) over windows and channels, range 1

Domain: linear light as given, no clipping, no normalisation. Window and constants: ssim.py.
Unit: none, at most 1, higher is better.
"""

from __future__ import annotations

from openhdr.color.transfer import mu_law
from openhdr.metrics.pair import Pair
from openhdr.metrics.ssim import ssim


def ssim_mu(pair: Pair) -> float:
    """At most 1."""
    return ssim(pair.test, pair.ref, 1.0, mu_law)
