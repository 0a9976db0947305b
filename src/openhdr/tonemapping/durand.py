"""Durand and Dorsey, "Fast Bilateral Filtering for the Display of High-Dynamic-Range Images", SIGGRAPH 2002.

Log luminance = base (bilateral filter: spatial sigma 2 % of the picture, range sigma 0.4 in log10) + detail.
The base is compressed to a chosen contrast, the detail kept:

    log10 L_d = c (base - base_white) + detail,    c = log10(contrast) / (base_white - base_black)

Deviations: base_white and base_black are percentiles instead of extremes, so that the sun does not flatten
the rest; base_white is at least 2.5 stops above the log-average, or a scene of little range would be all
white; c is at most 1; the paper's contrast of 5 leaves shadows grey on a display of today, so it is larger.
"""

from __future__ import annotations

import math

import numpy as np

from openhdr.filters.bilateral_grid import joint_bilateral
from openhdr.tonemapping.operator_options import DurandOptions
from openhdr.tonemapping.rendering import DARKEST, Depth, in_strips, luminance_of, render
from openhdr.tonemapping.statistics import MIDDLE_GREY, Statistics, measure

DEFAULTS = DurandOptions()


def durand(linear: np.ndarray, options: DurandOptions = DEFAULTS, dtype: Depth = np.float32) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    scene = measure(linear)
    light, floor = _log_luminance(linear, scene)
    base = joint_bilateral(light, light, max(options.spatial * max(light.shape), 1.0), options.tonal)
    step = math.ceil(math.sqrt(base.size / 500_000))
    ends = np.percentile(base[::step, ::step], [options.black_percentile, options.white_percentile])
    white = np.float32(max(ends[1], math.log10(scene.log_average / MIDDLE_GREY)))
    if options.white is not None:
        white = np.float32(math.log10(scene.log_average) + options.white * math.log10(2))
    compression = np.float32(min(math.log10(options.base_contrast) / max(white - ends[0], 1e-6), 1))

    brighter = np.float32(options.exposure * math.log10(2))

    def curve(_: np.ndarray, rows: slice) -> np.ndarray:
        exponent = compression * (base[rows] + brighter - white) + (light[rows] - base[rows])
        return np.exp(np.minimum(exponent, 0) * np.float32(math.log(10))) * (light[rows] > floor)

    return render(linear, curve, options, dtype)


def _log_luminance(linear: np.ndarray, scene: Statistics) -> tuple[np.ndarray, np.float32]:
    """(H, W) float32 log10 luminance, and its floor, 2 decades below the 1st percentile, for black pixels."""
    floor = np.float32(max(float(scene.low * 1e-2), float(DARKEST)))
    light = np.empty(linear.shape[:2], np.float32)

    def work(rows: slice) -> None:
        strip = np.ascontiguousarray(linear[rows], np.float32)
        light[rows] = np.log10(np.maximum(luminance_of(strip).reshape(strip.shape[:2]), floor))

    in_strips(work, linear.shape)
    return light, np.log10(floor)
