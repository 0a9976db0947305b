"""CIEDE2000 colour difference of CIELAB colours (CIE 142:2001; Sharma, Wu and Dalal 2005, equations 1-22)."""

from __future__ import annotations

import numpy as np

from openhdr.metrics.pair import Pair, mean_over_blocks

# Rec.709 primaries and the D65 white of the 2 degree observer, as scikit-image has them
XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
_LAB_BREAK, _LAB_SLOPE, _LAB_OFFSET = 0.008856, 7.787, 16 / 116
_POWER7 = 25.0**7


def delta_e_2000(pair: Pair) -> float:
    """Mean CIEDE2000 of the images as an sRGB display shows them: 0 = equal, lower is better, 1 is just visible.

        v = clip(x / p, 0, 1),  p = 99th percentile of the reference;  mean CIEDE2000(Lab(test v), Lab(ref v))

    The sRGB curve and its inverse on the way to CIELAB cancel and are left out. Raises RequestError where p is 0.
    """
    level = pair.ref_p99

    def lab(linear: np.ndarray) -> np.ndarray:
        return lab_from_linear(np.clip(linear / level, 0, 1))

    return mean_over_blocks(pair.test, pair.ref, lambda test, ref: ciede2000(lab(test), lab(ref)))


def lab_from_linear(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) linear Rec.709 in 0..1 -> CIELAB (L 0..100), D65."""
    xyz = rgb @ (XYZ_FROM_RGB / WHITE[:, None]).T
    f = np.where(xyz > _LAB_BREAK, np.cbrt(xyz), _LAB_SLOPE * xyz + _LAB_OFFSET)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(lab1: np.ndarray, lab2: np.ndarray) -> np.ndarray:
    """(..., 3) CIELAB twice -> (...) colour difference, >= 0; weights kL = kC = kH = 1."""
    l1, a1, b1 = np.moveaxis(lab1, -1, 0)
    l2, a2, b2 = np.moveaxis(lab2, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean7 / (mean7 + _POWER7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)
    mean_l, mean_c, mean_h = (l1 + l2) / 2, (c1 + c2) / 2, _mean_hue(h1, h2, c1 * c2)
    # the sign of the hue difference follows the short arc
    turn = np.mod(h2 - h1 + np.pi, 2 * np.pi) - np.pi
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * _hue_weight(mean_h)
    light, chroma, hue = d_l / s_l, d_c / s_c, d_h / s_h
    squared = light**2 + chroma**2 + hue**2 + _rotation(mean_c, mean_h) * chroma * hue
    return np.sqrt(np.maximum(squared, 0))


def _mean_hue(h1: np.ndarray, h2: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Mean hue angle in radians, across the short arc; the sum where a colour has no hue (equation 14)."""
    h1, h2 = h1 % (2 * np.pi), h2 % (2 * np.pi)
    mean = (h1 + h2) / 2
    mean = np.where(np.abs(h1 - h2) > np.pi, mean + np.where(h1 + h2 < 2 * np.pi, np.pi, -np.pi), mean)
    return np.where(product == 0, h1 + h2, mean)


def _hue_weight(hue: np.ndarray) -> np.ndarray:
    """T of equation 15; hue in radians."""
    return (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )


def _rotation(chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """R_T of equations 16, 17 and 21: chroma and hue interact in the blues."""
    angle = np.radians(30) * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    power = chroma**7
    return -2 * np.sqrt(power / (power + _POWER7)) * np.sin(2 * angle)
