"""A camera's curve for the large areas, local contrast kept by a local Laplacian filter; the default.

In log2 of brightness x over middle grey, after an exposure chosen from the picture, the curve is

    highlights   y = D (1 - (1 - x / W)^p)              0 <= x <= W, the white of the scene;  p = m W / D
    shadows      y = s x - (m - s) (1 - 2^x)            x < 0: slope m at grey, s in the dark

D is the room between grey and white on the screen; a scene of much range leaves a part of it to detail. s brings the
darkest hundredth to a given darkness, within limits: shadows are never crushed or opened further, and below the noise
light is shown in proportion. `filters.local_laplacian` applies the curve to contrasts larger than `edge` and keeps
smaller ones, so that clouds, faces and what stands in a window keep theirs. It runs on a reduced picture, and a
guided filter carries its gain to full size.

Exposure: the mean of the scene's log and of its arithmetic average is brought to grey. Upwards only so far: 1.0 is
where a photo clips that somebody chose, so what lies far below 1.0 is dark on purpose. The limit rises with the light
above 1.0, and for pictures that do not come near 1.0 at all, which are on a scale of their own. Where 1.0 is known in
cd/m2, scenes darker than LIT get darker pictures: night stays night.

Brightness is the power norm of the channels, sum C^3 / sum C^2: the luminance of greys, the channel of a pure colour,
so that coloured lights and blue skies keep their colour where a curve over luminance would bleach them.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from openhdr.filters import guided
from openhdr.filters.local_laplacian import Curve
from openhdr.filters.local_laplacian import local_laplacian as filtered
from openhdr.tonemapping.options import LocalLaplacianOptions
from openhdr.tonemapping.rendering import DARKEST, render
from openhdr.tonemapping.statistics import MIDDLE_GREY

DEFAULTS = LocalLaplacianOptions()

WORKING_SIDE = 1024  # px, larger side of the picture that is filtered
RADIUS, FLATNESS = 3, 0.02  # of the guided filter, in pixels of that picture and in stops squared

GREY = math.log2(MIDDLE_GREY)
KEY = -2.0  # log2 of the light that the scene's average is brought to
LOG_SHARE = 0.75  # of the log average in it; the rest is the arithmetic one, which a camera's meter sees
LIFT, LIFT_BY_HIGHLIGHTS = 1.2, 0.4  # the limit upwards in stops, and what a stop of highlights adds to it
HIGHLIGHTS_FROM = -1.5  # log2
OWN_SCALE = -5.0  # log2 of the highlights of a picture that is on a scale of its own
LIT, BY_LIGHT, DARKEST_NIGHT = 1.0, 0.5, -2.0  # cd/m2; stops of picture for a stop of scene; stops

SLOPE = 1.2  # at grey, stops on the screen for one of the scene
LEAST_SHADOW_SLOPE, MOST_SHADOW_SLOPE = 0.6, 1.25
LEAST_WHITE = 2.9  # stops over grey; a photo's own white
STEEPEST = 1.2  # of the exponent p: a large range gets a flatter curve instead of a harder shoulder
WIDE_RANGE = 6.0  # stops over grey at which DETAIL_ROOM is left to detail in full
DETAIL_ROOM = 0.5  # stops under white
OVER_WHITE = 0.15  # stops by which the curve aims over white, and slope beyond the scene's white
BEYOND_SLOPE = 0.25
BLEACH_FROM, BLEACH = 0.6, 0.7  # display light; share of the saturation lost at white
ONES = np.ones((1, 3), np.float32)
NOISE_PIXELS = 1_000_000  # of the picture, whose noise stands for all
SHOULDER = 12.0  # the larger, the closer to white the last stretch bends


def local_laplacian(linear: np.ndarray, options: LocalLaplacianOptions = DEFAULTS) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) float32 0..1, sRGB-encoded, ready to quantise."""
    small = _reduced(linear)
    if not small.any():
        return np.zeros(linear.shape, np.float32)
    lit = np.log2(small[small > DARKEST]) if (small > DARKEST).any() else np.array([math.log2(DARKEST)])
    floor = np.float32(max(2.0 ** (np.percentile(lit, 0.1) - 1), noise_level(linear), float(DARKEST)))
    curve = curve_of(np.maximum(lit, np.log2(floor)), options)
    shades = np.log2(np.maximum(small, floor))
    tones = filtered(shades, curve, options.detail, options.edge)
    # the gain is carried to full size, not the tones: where a scene is nearly flat, its fine detail stays
    lines = guided.lines(shades, tones - np.float32(options.detail) * shades, RADIUS, FLATNESS)

    def tone(light: np.ndarray, rows: slice) -> np.ndarray:
        slope, offset = cv2.split(guided.enlarged(lines, linear.shape[:2], rows))
        shown = (slope + np.float32(options.detail)) * np.log2(np.maximum(light, floor)) + offset
        below_white = 1 + np.exp2(np.minimum(np.float32(-SHOULDER) * shown, 126))
        target: np.ndarray = cv2.pow(below_white, -1 / SHOULDER).reshape(light.shape)  # 2^shown, bent below 1
        return target * (np.minimum(light, floor) / floor)

    return render(linear, tone, replace(options, exposure=0.0), brightness=power_norm, colour=bleached)


def bleached(_: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Saturation of light that is shown nearly white: lamps turn white, the more so the paler they are."""
    top = np.maximum(np.maximum(shown[..., 0], shown[..., 1]), shown[..., 2])
    low = np.minimum(np.minimum(shown[..., 0], shown[..., 1]), shown[..., 2])
    near = np.clip((top - BLEACH_FROM) / np.float32(1 - BLEACH_FROM), 0, 1)
    return 1 - np.float32(BLEACH) * near * near * (3 - 2 * near) * low / np.maximum(top, DARKEST)


def power_norm(linear: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, >= 0 -> (H, W) float32: sum C^3 / sum C^2."""
    top = np.maximum(np.maximum(linear[..., 0], linear[..., 1]), linear[..., 2])
    share = (
        linear / np.maximum(top, DARKEST)[..., None]
    )  # cubes of light leave float32, of shares they do not
    squares = share * share
    total = cv2.transform(squares, ONES).reshape(top.shape)
    squares *= share
    return top * (cv2.transform(squares, ONES).reshape(top.shape) / np.maximum(total, np.float32(1e-9)))


def curve_of(lit: np.ndarray, options: LocalLaplacianOptions) -> Curve:
    """The curve of a scene: log2 of brightness -> log2 of display light, about 0 = white, for any shape.

    lit: (N,) log2 of the brightnesses that are not black.
    """
    dark, bright, highlights, white = np.percentile(lit, [1, 95, 99, 99.7])
    log_average = float(np.clip(lit, dark, white).mean())
    arithmetic = bright + math.log2(np.exp2(np.minimum(lit, bright) - bright).mean())
    average = LOG_SHARE * log_average + (1 - LOG_SHARE) * arithmetic
    gain = _gain(average, highlights) + _night(average, options.luminance)
    over_grey = (white if options.white is None else average + options.white) + gain - GREY
    over_grey = max(over_grey, LEAST_WHITE if options.white is None else 0.1)
    detail_room = DETAIL_ROOM * np.clip((over_grey - 3) / (WIDE_RANGE - 3), 0, 1)
    room = OVER_WHITE - GREY - detail_room
    power = min(max(SLOPE * over_grey / room, 1), STEEPEST)
    slope = power * room / over_grey
    in_shadow = (options.shadows + GREY) / max(GREY - dark - gain, 0.1)
    in_shadow = min(max(in_shadow, LEAST_SHADOW_SLOPE), MOST_SHADOW_SLOPE)
    shift = gain + options.exposure - GREY

    def curve(shades: np.ndarray) -> np.ndarray:
        x = shades + np.float32(shift)
        below, above = np.minimum(x, 0), np.maximum(x, 0)
        shadows = in_shadow * below - (slope - in_shadow) * (1 - np.exp2(below))
        light = room * (1 - (1 - np.minimum(above / over_grey, 1)) ** power)
        light += BEYOND_SLOPE * np.maximum(above - over_grey, 0)
        return (GREY + shadows + light).astype(np.float32)

    return curve


def _gain(average: float, highlights: float) -> float:
    """Stops that bring the average to KEY, upwards as far as the picture's scale allows."""
    wanted = KEY - average
    limit = LIFT + LIFT_BY_HIGHLIGHTS * max(highlights - HIGHLIGHTS_FROM, 0)
    limit += 2 * max(OWN_SCALE - highlights, 0)
    return wanted if wanted < 0 else limit * math.tanh(wanted / limit)


def _night(average: float, luminance: float | None) -> float:
    """Stops by which a scene of few cd/m2 is shown darker; 0 where 1.0 is not known in cd/m2."""
    if not luminance:
        return 0.0
    return max(DARKEST_NIGHT, min(BY_LIGHT * (average + math.log2(luminance / LIT)), 0))


def _reduced(linear: np.ndarray) -> np.ndarray:
    """(h, w) float32 brightness of a picture of at most WORKING_SIDE."""
    shrink = max(linear.shape[:2]) / WORKING_SIDE
    if shrink > 1:
        size = (max(round(linear.shape[1] / shrink), 1), max(round(linear.shape[0] / shrink), 1))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    return power_norm(np.ascontiguousarray(linear, np.float32))


def noise_level(linear: np.ndarray) -> float:
    """Brightness at which the noise of the dark parts is half of the light.

    The median difference between a pixel and the mean of its neighbours, over the darkest tenth, in the rows that
    stand for the picture.
    """
    height, width = linear.shape[:2]
    if min(height, width) < 3:
        return 0.0
    count = max(NOISE_PIXELS // width, 3)
    top = max((height - count) // 2, 0)
    light = power_norm(np.ascontiguousarray(linear[top : top + count], np.float32))
    mean = cv2.blur(light, (3, 3))
    dark = (mean <= np.percentile(mean, 10)) & (light > 0)
    return 2 * 1.4826 * float(np.median(np.abs(light - mean)[dark])) if dark.any() else 0.0
