"""Mantiuk, Daly, Kerofsky, "Display Adaptive Tone Mapping", SIGGRAPH 2008: the least distorting curve.

The curve is piecewise linear from log10 scene luminance to log10 display luminance, with nodes 0.1 apart. Its
rises d >= 0 minimise, over all contrasts of the scene's Laplacian pyramid, the squared difference between the
response that a viewer has to the contrast in the scene and to the contrast on the display,

    sum over band f, background i, contrast G of
        count(f, i, G) * (T(S_out W) / |G| * (sum of d that G spans) - T(S_in W))^2

with sum of d <= log10 range of the display, W = 10^|G| - 1, T the contrast transducer and S the contrast
sensitivity of the eye: S_in at an assumed bright scene, S_out at the display luminance of the background, so
the program is solved again with the curve it gave. Being one rising curve it cannot make halos.

Choices where the paper leaves room or that differ from it: statistics come from a picture reduced to
STATISTICS_SIDE; the quadratic program is solved by accelerated projected gradients; a weak pull to an even
slope keeps luminances that hardly occur defined; the two ends are percentiles, beyond which
luminance goes in proportion to black and white; a scene with less range than
the display is placed so that its log-average is middle grey; colour follows Mantiuk 2009 with the saturation
that its eq. 5 gives for the slope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.tonemapping.operator_options import Mantiuk08Options
from openhdr.tonemapping.rendering import DARKEST, Depth, luminance_of, render
from openhdr.tonemapping.statistics import FLOAT32_MAX, MIDDLE_GREY, sample

NODE_STEP = 0.1  # log10
STATISTICS_SIDE = 1024  # px, larger side of the picture that contrasts are counted in
BANDS = 6
LARGEST_CONTRAST = 15  # nodes a contrast may span: a factor of 30
SCENE_ADAPTATION = 1000.0  # cd/m2 that the eye is adapted to in front of the scene
SOLVER_STEPS = 1500
CURVE_UPDATES = 3  # times that the display sensitivities follow the curve
LARGEST_RANGE = 12.0  # log10; more than any scene has, it bounds the program's size
TABLE_STEPS = 16  # entries of the look-up table per node
SATURATION_K1, SATURATION_K2 = 2.3892, 0.8552  # Mantiuk 2009, the luminance-preserving formula


DEFAULTS = Mantiuk08Options()


@dataclass(frozen=True)
class ToneCurve:
    """scene, display: (N,) float64 log10 luminances of the nodes, rising; display in cd/m2."""

    scene: np.ndarray
    display: np.ndarray


def mantiuk08(
    linear: np.ndarray, options: Mantiuk08Options = DEFAULTS, dtype: Depth = np.float32
) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    values = sample(linear)
    if values.size == 0:
        return np.zeros(linear.shape, dtype)
    curve = best_curve(linear, values, options)
    tones, saturations = _tables(curve, options)
    low, high = (np.float32(min(10**end, FLOAT32_MAX)) for end in curve.scene[[0, -1]])
    brightest = np.float32(min(float(high) * options.peak / options.black, FLOAT32_MAX))
    per_decade = np.float32(TABLE_STEPS / NODE_STEP)
    start = np.float32(curve.scene[0] * TABLE_STEPS / NODE_STEP)

    def look_up(table: np.ndarray, light: np.ndarray) -> np.ndarray:
        position = np.log10(np.maximum(light, low)) * per_decade - start
        np.clip(position, 0, len(table) - 1.001, out=position)
        below = position.astype(np.int32)
        left = np.take(table, below)
        return left + (position - below) * (np.take(table, below + 1) - left)

    def tone(light: np.ndarray, _: slice) -> np.ndarray:
        below = np.minimum(light, low) / low  # outside the nodes: in proportion, to black and to white
        above = np.clip(light, high, brightest) / high
        return look_up(tones, light) * below * above

    return render(linear, tone, options, dtype, colour=lambda light, _: look_up(saturations, light))


def best_curve(linear: np.ndarray, values: np.ndarray, options: Mantiuk08Options = DEFAULTS) -> ToneCurve:
    """The least distorting curve of a picture; values: (N,) float64, luminances > 0 that stand for it."""
    low, high = np.log10(np.percentile(values, [options.low_percentile, options.high_percentile]))
    if options.white is not None:
        high = max(np.log10(values).mean() + options.white * math.log10(2), low + NODE_STEP)
    low = max(low, high - LARGEST_RANGE, math.log10(DARKEST))
    count = max(math.ceil((high - low) / NODE_STEP), 1)
    nodes = low + NODE_STEP * np.arange(count + 1)
    contrasts = count_contrasts(_log_luminance(linear, low), nodes)
    middle = np.interp(np.log10(values), nodes, nodes).mean()
    room = math.log10(options.peak / options.black)
    display = _place(nodes, np.full(count, min(NODE_STEP, room / count)), middle, options)
    for _ in range(CURVE_UPDATES):
        rises = solve(*_program(contrasts, display, options), room)
        display = _place(nodes, rises, middle, options)
    return ToneCurve(nodes, display)


def _log_luminance(linear: np.ndarray, low: float) -> np.ndarray:
    """(h, w) float32 log10 luminance of a picture of at most STATISTICS_SIDE, not below `low`."""
    height, width = linear.shape[:2]
    shrink = max(height, width) / STATISTICS_SIDE
    if shrink > 1:
        size = (max(round(width / shrink), 1), max(round(height / shrink), 1))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    light = luminance_of(np.ascontiguousarray(linear, np.float32)).reshape(linear.shape[:2])
    return np.log10(np.maximum(light, np.float32(10**low)))


def count_contrasts(light: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """How often each contrast stands on each background: (BANDS, N, 2 * LARGEST_CONTRAST + 1), shares.

    light: (h, w) float32 log10 luminance. The last axis counts contrasts in node steps, from dark to bright.
    """
    counts = np.zeros((BANDS, len(nodes), 2 * LARGEST_CONTRAST + 1))
    for band in range(BANDS):
        if min(light.shape) < 4:
            break
        smaller = cv2.pyrDown(light)
        background = cv2.pyrUp(smaller, dstsize=light.shape[::-1])
        step = np.rint((light - background) / NODE_STEP).clip(-LARGEST_CONTRAST, LARGEST_CONTRAST)
        node = np.rint((background - nodes[0]) / NODE_STEP).clip(0, len(nodes) - 1)
        cell = node.astype(np.int64) * counts.shape[2] + (step.astype(np.int64) + LARGEST_CONTRAST)
        counts[band] = (
            np.bincount(cell.ravel(), minlength=counts[band].size).reshape(counts[band].shape) / cell.size
        )
        light = smaller
    return counts


def _program(
    counts: np.ndarray, display: np.ndarray, options: Mantiuk08Options
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and vector of the quadratic program: minimise d' matrix d / 2 - vector' d."""
    size = len(display) - 1
    matrix, vector = np.zeros((size, size)), np.zeros(size)
    for band, node, cell in zip(*np.nonzero(counts), strict=True):
        step = cell - LARGEST_CONTRAST
        spanned = slice(max(min(node, node + step), 0), min(max(node, node + step), size))
        if spanned.stop <= spanned.start:
            continue
        frequency = options.pixels_per_degree / 2 ** (band + 1)
        weber = 10 ** (abs(step) * NODE_STEP) - 1
        wanted = transducer(sensitivity(frequency, SCENE_ADAPTATION) * weber)
        shown = transducer(sensitivity(frequency, 10 ** display[node]) * weber) / (abs(step) * NODE_STEP)
        share = counts[band, node, cell]
        matrix[spanned, spanned] += share * shown**2
        vector[spanned] += share * shown * wanted
    pull = options.evenness * max(np.trace(matrix) / size, 1e-6)
    slope = min(math.log10(options.peak / options.black) / size, NODE_STEP)
    return matrix + pull * np.eye(size), vector + pull * slope


def solve(matrix: np.ndarray, vector: np.ndarray, room: float) -> np.ndarray:
    """argmin d' matrix d / 2 - vector' d with d >= 0 and sum d <= room, by Nesterov's projected gradient.

    matrix: (N, N) float64, positive definite; vector and the result: (N,), rises of the curve in log10 of cd/m2.
    """
    step = 1 / np.linalg.norm(matrix, 2)
    rises = ahead = _project(vector * step, room)
    momentum = 1.0
    for _ in range(SOLVER_STEPS):
        previous, rises = rises, _project(ahead - step * (matrix @ ahead - vector), room)
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = rises + (momentum - 1) / following * (rises - previous)
        momentum = following
    return rises


def _project(rises: np.ndarray, room: float) -> np.ndarray:
    """The nearest point with all entries >= 0 and a sum <= room."""
    positive = np.maximum(rises, 0)
    if positive.sum() <= room:
        return positive
    falling = np.sort(rises)[::-1]
    excess = (np.cumsum(falling) - room) / np.arange(1, len(falling) + 1)
    return np.maximum(rises - excess[np.nonzero(falling > excess)[0][-1]], 0)


def _place(nodes: np.ndarray, rises: np.ndarray, middle: float, options: Mantiuk08Options) -> np.ndarray:
    """Display log luminances of the nodes: `middle` at middle grey as far as both ends stay on the
    display."""
    display = np.concatenate([[0.0], np.cumsum(rises)])
    shift = math.log10(MIDDLE_GREY * options.peak) - np.interp(middle, nodes, display)
    highest = math.log10(options.peak) - display[-1]
    return display + min(max(shift, math.log10(options.black)), highest)


def _tables(curve: ToneCurve, options: Mantiuk08Options) -> tuple[np.ndarray, np.ndarray]:
    """Look-up tables over the scene's log luminance: linear display light 0..1, and saturation."""
    fine = np.linspace(curve.scene[0], curve.scene[-1], TABLE_STEPS * (len(curve.scene) - 1) + 1)
    light = 10 ** np.interp(fine, curve.scene, curve.display)
    tones = np.maximum((light - options.black) / (options.peak - options.black), 0)
    slope = np.gradient(curve.display, NODE_STEP)
    slope = np.convolve(np.pad(slope, 3, mode="edge"), np.ones(7) / 7, mode="valid") ** SATURATION_K2
    saturation = (1 + SATURATION_K1) * slope / (1 + SATURATION_K1 * slope)
    return tones.astype(np.float32), np.interp(fine, curve.scene, np.minimum(saturation, 1)).astype(
        np.float32
    )


def transducer(contrast: float) -> float:
    """Response to contrast in multiples of the threshold, in the form of Wilson 1980.

    The exponents 3 and 0.6 are chosen here: no response below threshold, about contrast^0.4 far above it.
    """
    return ((1 + contrast**3) ** (1 / 3) - 1) / ((2 ** (1 / 3) - 1) * (1 + contrast) ** 0.6)


def sensitivity(frequency: float, adaptation: float) -> float:
    """Contrast sensitivity of the eye, Daly 1993 (Visible Differences Predictor), normal to the screen.

    frequency: cycles per degree; adaptation: cd/m2. The size term is 1: pictures fill many degrees.
    """
    slope = 0.801 * (1 + 0.7 / adaptation) ** -0.2
    decay = 0.3 * (1 + 100 / adaptation) ** 0.15
    seen = 0.9 * frequency
    curve = slope * seen * math.exp(-decay * seen) * math.sqrt(1 + 0.06 * math.exp(decay * seen))
    return 250 * curve
