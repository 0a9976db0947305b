"""psnr-mu-curve: PSNR after the mu-law of what the best rising curve makes of the light.

    psnr(c(test), T(ref)),  T(x) = log(1 + 5000 x) / log(5001),  c = argmin over rising c of mean((c(test) - T(ref))^2)

One curve for the whole picture and all channels (`rising_curve`). A wrong response curve or scale costs nothing; what
is left are noise, ghosts, seams and wrong colours. Beside `psnr-mu` it says how much of an error is the curve.

Domain: linear light as given, peak 1.0. Unit: dB, higher is better; equal pictures give 50 and more, for the curve has
at most 512 knots.
"""

from __future__ import annotations

import numpy as np

from openhdr.color.transfer import mu_law
from openhdr.metrics.pair import Pair
from openhdr.metrics.psnr import psnr
from openhdr.metrics.rising_curve import rising_curve


def psnr_mu_curve(pair: Pair) -> float:
    """dB."""
    coded = mu_law(pair.ref.astype(np.float64))
    curve = rising_curve(pair.test.ravel(), coded.ravel())
    return psnr(np.interp(pair.test, *curve), coded)
