"""Reinhard et al., "Photographic Tone Reproduction for Digital Images", SIGGRAPH 2002: dodging and burning.

    V_i(s) = L blurred by a Gaussian of sigma a_i s / sqrt 2;  a_1 = 1 / (2 sqrt 2),  a_2 = 1.6 a_1
    V(s)   = (V_1(s) - V_2(s)) / (2^phi key / s^2 + V_1(s))              (eq. 5, 7)
    L_d    = L (1 + L / L_white^2) / (1 + V_1(s_m))                      (eq. 9 with the white of eq. 4)

s_m is the largest scale up to which |V| < epsilon (eq. 8). Scales grow by 1.6 from 1 to 43, so V_2 of one
scale is V_1 of the next. Deviations: the unit of s is the smaller side / 768 (at least one pixel) instead of
one pixel, so that the size of the neighbourhood follows the picture and not the sensor; V_1 and V_2 of large
scales are computed on reduced pictures. Key and white as in reinhard.py.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from openhdr.tonemapping.operator_options import ReinhardLocalOptions
from openhdr.tonemapping.reinhard import placed
from openhdr.tonemapping.rendering import Depth, luminance_of, render
from openhdr.tonemapping.statistics import measure

SCALE_RATIO = 1.6
SCALES = 8
SIGMA = 0.25  # standard deviation of the centre at s = 1: 1 / (2 sqrt 2) / sqrt 2
UNIT_SIDE = 768  # pixels of the smaller side at which s counts pixels
KERNEL_SIGMA_PX = 4.0  # a wider blur is done on a picture reduced until its sigma is about this

DEFAULTS = ReinhardLocalOptions()


def reinhard_local(
    linear: np.ndarray, options: ReinhardLocalOptions = DEFAULTS, dtype: Depth = np.float32
) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    scene = measure(linear)
    key, white = placed(scene, options)
    scale, inverse = np.float32(scene.scale(key)), np.float32(white**-2)
    light = luminance_of(np.ascontiguousarray(linear, np.float32)).reshape(linear.shape[:2]) * scale
    surround = adaptation(light, key, options)

    brighter = np.float32(2**options.exposure)

    def curve(_: np.ndarray, rows: slice) -> np.ndarray:
        exposed = light[rows] * brighter
        return exposed * (1 + exposed * inverse) / (1 + surround[rows] * brighter)

    return render(linear, curve, options, dtype)


def adaptation(light: np.ndarray, key: float, options: ReinhardLocalOptions) -> np.ndarray:
    """V_1(s_m): (H, W) float32 scaled luminance -> (H, W) float32, the mean of each pixel's neighbourhood."""
    unit_px = max(1.0, min(light.shape) / UNIT_SIDE)
    centre = _blur(light, SIGMA * unit_px)
    adapted = centre.copy()
    growing = np.ones(light.shape, bool)
    for index in range(SCALES):
        scale = SCALE_RATIO**index
        sigma = SIGMA * SCALE_RATIO * scale * unit_px
        surround = _blur(light, sigma)
        bias = np.float32(2**options.phi * key / scale**2)
        growing &= np.abs(centre - surround) < np.float32(options.epsilon) * (bias + centre)
        last = index == SCALES - 1
        if not last:
            np.copyto(adapted, surround, where=growing)
        centre = surround
    return adapted


def _blur(light: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; a wide one on a reduced picture, which then is smooth enough to be enlarged again."""
    factor = 2 ** max(math.floor(math.log2(sigma / KERNEL_SIGMA_PX)), 0)
    if factor == 1:
        return cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    height, width = light.shape
    small = cv2.resize(light, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
