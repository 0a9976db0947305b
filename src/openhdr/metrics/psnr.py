"""Peak signal-to-noise ratio, and the metrics that take it of encoded images.

    10 log10(peak^2 / mean((E(test) - E(ref))^2))  over all values of all channels; E: the metric's encoding

Unit: dB, higher is better; equal images give inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from openhdr.camera.calibration import non_decreasing
from openhdr.color.transfer import NETWORK_GAMMA, mu_law
from openhdr.core.errors import RequestError
from openhdr.metrics.pair import Pair, mean_over_blocks
from openhdr.metrics.pu21 import PEAK, pu21

BINS = 512  # of equal counts of pixels, over whose means a rising curve is fitted


def psnr(
    test: np.ndarray,
    ref: np.ndarray,
    encode: Callable[[np.ndarray], np.ndarray] | None = None,
    peak: float = 1.0,
) -> float:
    """PSNR in dB of two images; inf when they are equal.

    test, ref: (H, W, ...) float. encode: works on float64 values of any shape.
    """

    def squared_error(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        gap = encode(ours) - encode(theirs) if encode else ours - theirs
        return gap * gap

    error = mean_over_blocks(test, ref, squared_error)
    return math.inf if error == 0 else 10 * math.log10(peak * peak / error)


def psnr_l(pair: Pair) -> float:
    """PSNR of linear light as given, in dB.

    Peak 1.0, no clipping, no normalisation: it depends on the scale anchor.
    """
    return psnr(pair.test, pair.ref)


def psnr_mu(pair: Pair) -> float:
    """PSNR after the mu-law (Kalantari and Ramamoorthi 2017, section 3), in dB.

        E(x) = log(1 + 5000 x) / log(5001)

    Of linear light as given, peak 1.0, no clipping, no normalisation. The challenge's score of the same name
    normalises and squeezes first: see `ntire-psnr-mu`.
    """
    return psnr(pair.test, pair.ref, mu_law)


def psnr_mu_curve(pair: Pair) -> float:
    """PSNR after the mu-law of what the best rising curve makes of the light, in dB.

        psnr(c(test), T(ref)),  T(x) = log(1 + 5000 x) / log(5001)
        c = argmin over rising c of mean((c(test) - T(ref))^2)

    One curve for the whole image and all channels (`rising_curve`). A wrong response curve or scale costs nothing;
    what is left are noise, ghosts, seams and wrong colours. Beside `psnr-mu` it says how much of an error is the
    curve. Equal images give 50 and more, for the curve has at most 512 knots.
    """
    coded = mu_law(pair.ref.astype(np.float64))
    curve = rising_curve(pair.test.ravel(), coded.ravel())
    return psnr(np.interp(pair.test, *curve), coded)


def rising_curve(light: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The knots (light, values), each (K,) float64, of the best rising curve; linear between, level beyond.

    light, values: (P,). Isotonic regression over the means of bins of equal counts; K <= BINS.
    """
    order = np.argsort(light, kind="stable")
    starts = np.unique(np.linspace(0, len(order), BINS, endpoint=False).astype(int))
    counts = np.diff(starts, append=len(order))
    x = np.add.reduceat(light[order].astype(np.float64), starts) / counts
    y = np.add.reduceat(values[order].astype(np.float64), starts) / counts
    return x, non_decreasing(y, counts)


def ntire_psnr(pair: Pair) -> float:
    """The "PSNR" of the NTIRE 2021/2022 HDR challenges, in dB.

        E(x) = x^(1/2.24) / max(ref^(1/2.24))

    Papers call it the linear score; the scorer takes the stored, gamma-coded files. Raises RequestError for a black
    reference.
    """
    peak = float(pair.ref.max())
    if peak <= 0:
        raise RequestError(f"ref: its brightest value is {peak:g}; expected an image that is not black")
    return psnr(pair.test, pair.ref, lambda x: (x / peak) ** (1 / NETWORK_GAMMA))


def ntire_psnr_mu(pair: Pair) -> float:
    """The "mu-PSNR" of the NTIRE 2021/2022 HDR challenges, in dB.

        E(x) = log(1 + 5000 tanh(x / p)) / log(5001)
        p = 99th percentile of the linear reference, all channels together

    tanh squeezes what is brighter than p, so lost highlights cost little. Raises RequestError where p is 0.
    """
    level = pair.ref_p99
    return psnr(pair.test, pair.ref, lambda x: mu_law(np.tanh(x / level)))


def pu21_psnr(pair: Pair) -> float:
    """PSNR of perceptually uniform R, G and B in cd/m2, peak 256 (Mantiuk and Azimi 2021), in dB.

    Of absolute display light, so a protocol has to be declared. E: `openhdr.metrics.pu21`.
    """
    return psnr(*pair.luminance, pu21, PEAK)


def tm_psnr(pair: Pair) -> float:
    """PSNR of display values 0..1 after Liang's tone mapper (Liang et al. 2018), in dB.

    The tone mapper adapts to each image, so scale hardly matters, but the whole image does. Papers that used
    Photomatix instead cannot be compared with it.
    """
    return psnr(*pair.tone_mapped)
