"""A camera's curve for the large areas, local contrast kept by a local Laplacian filter; the default.

In log2 of brightness x over middle grey, after an exposure chosen from the picture, the curve is

    highlights   y = D (1 - (1 - x / W)^p)              0 <= x <= W, the white of the scene;  p = m W / D
    shadows      y = s x - (m - s) (1 - 2^x)            x < 0: slope m at grey, s in the dark

D is the room between grey and white on the screen; a scene of much range leaves a part of it to detail. s brings the
darkest hundredth to a given darkness, within limits: shadows are never crushed or opened further, and below the noise
light is shown in proportion. `filters.local_laplacian` applies the curve to contrasts larger than `edge` and keeps
smaller ones, so that clouds, faces and what stands in a window keep theirs: raised a little in a scene that has few of
them, lowered in one that is full of them. It runs on a reduced picture, and a guided filter carries its gain to full
size.

Exposure: the mean of the log and of the arithmetic average of luminance is brought to grey. Upwards only so far: 1.0 is
where a photo clips that somebody chose, so what lies far below 1.0 is dark on purpose. The limit rises with the light
above 1.0, and for pictures that do not come near 1.0 at all, which are on a scale of their own. Where 1.0 is known in
cd/m2, scenes darker than LIT get darker pictures: night stays night.

Brightness is luminance with a share of the largest channel: a curve over luminance alone would bleach coloured lights
and blue skies, one over the largest channel would darken them.

The tones are then developed as a camera does it, by a curve of more contrast in the middle over the codes of every
channel (`camera_curve`): colours gain saturation, lamps turn white, and hues turn little (`developed`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from openhdr.color.transfer import srgb_encode
from openhdr.filters import guided
from openhdr.filters.local_laplacian import Curve
from openhdr.filters.local_laplacian import local_laplacian as filtered
from openhdr.tonemapping.operator_options import LocalLaplacianOptions
from openhdr.tonemapping.rendering import (
    DARKEST,
    Depth,
    developed_in_strips,
    encode,
    luminance_of,
    saturate,
    scaled,
    with_contrast,
)
from openhdr.tonemapping.statistics import MIDDLE_GREY

DEFAULTS = LocalLaplacianOptions()

WORKING_SIDE = 1024  # px, larger side of the picture that is filtered
RADIUS, FLATNESS = 3, 0.02  # of the guided filter, in pixels of that picture and in stops squared

TOP_SHARE = 0.65  # of the largest channel in brightness
GREY = math.log2(MIDDLE_GREY)
KEY = -1.9  # log2 of the light that the scene's average is brought to
LOG_SHARE = 0.8  # of the log average in it; the rest is the arithmetic one, which a camera's meter sees
LIFT, LIFT_BY_HIGHLIGHTS = 0.8, 0.8  # the limit upwards in stops, and what a stop of highlights adds to it
HIGHLIGHTS_FROM = -1.5  # log2
WHITE_PERCENTILE = 99.5
OWN_SCALE, OWN_AVERAGE = (
    -5.0,
    -7.5,
)  # log2 of the highlights or the average of a picture on a scale of its own
LIT, BY_LIGHT, DARKEST_NIGHT = 1.0, 0.5, -2.0  # cd/m2; stops of picture for a stop of scene; stops

SLOPE = 1.2  # at grey, stops on the screen for one of the scene
LEAST_SHADOW_SLOPE, MOST_SHADOW_SLOPE = 0.5, 1.4
SHADOW_COLOUR = 0.3  # saturation added to black, none at grey: a measured curve takes out what a camera added
LEAST_WHITE = 2.9  # stops over grey; a photo's own white
STEEPEST = 1.1  # of the exponent p: a large range gets a flatter curve instead of a harder shoulder
WIDE_RANGE = 6.0  # stops over grey at which DETAIL_ROOM is left to detail in full
DETAIL_ROOM = 0.8  # stops under white
NEIGHBOURHOOD = 180  # of a side, on either side of a pixel
USUAL_CONTRAST = 0.3  # stops, the mean difference from a neighbourhood
DETAIL_BOUNDS = 0.7, 1.25
OVER_WHITE = 0.12  # stops over the screen's white at which the scene's white is shown
BEYOND_SLOPE = 0.3  # beyond that
TOP = 1.1  # code of the light that the camera's curve shows as white: a third of a stop over the screen's
GREY_CODE = float(srgb_encode(np.array(MIDDLE_GREY)))
HIGHEST = 2.0**20  # light of a channel that the curve is asked for
CAMERA_HUE = 0.6  # share of a camera's hue in highlights, the rest keeps the hue of the light
SMALLEST = np.float32(1e-6)
NOISE_PIXELS = 1_000_000  # of the picture, whose noise stands for all


def local_laplacian(
    linear: np.ndarray, options: LocalLaplacianOptions = DEFAULTS, dtype: Depth = np.float32
) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) sRGB-encoded, float32 0..1 or uint8."""
    small = _reduced(linear)
    light = brightness(small)
    lit = light > DARKEST
    if not lit.any():
        return np.zeros(linear.shape, dtype)
    floor = np.float32(max(np.percentile(light[lit], 0.1) / 2, noise_level(linear), float(DARKEST)))
    shades, metered = (
        np.log2(np.maximum(plane, floor)) for plane in (light, luminance_of(small).reshape(lit.shape))
    )
    curve = curve_of(shades[lit], metered[lit], options)
    detail = options.detail * detail_factor(shades)
    tones = filtered(shades, curve, detail, options.edge)
    # the gain is carried to full size, not the tones: where a scene is nearly flat, its fine detail stays
    lines = guided.lines(shades, tones - np.float32(detail) * shades, RADIUS, FLATNESS)

    def develop(rows: slice) -> np.ndarray:
        strip = np.ascontiguousarray(linear[rows], np.float32)
        light = brightness(strip)
        slope, offset = cv2.split(guided.enlarged(lines, linear.shape[:2], rows))
        target = np.exp2(
            np.minimum((slope + np.float32(detail)) * np.log2(np.maximum(light, floor)) + offset, 20)
        )
        target *= np.minimum(light, floor) / floor
        planes = scaled(strip, target / np.maximum(light, DARKEST))
        in_shadow = np.maximum(1 - target * np.float32(1 / MIDDLE_GREY), 0)
        saturate(planes, np.float32(options.saturation) * (1 + np.float32(SHADOW_COLOUR) * in_shadow))
        shown = developed([encode(plane, HIGHEST) for plane in planes])
        return with_contrast(shown, options.contrast, GREY_CODE)

    return developed_in_strips(develop, linear.shape, dtype)


def developed(planes: Sequence[np.ndarray]) -> np.ndarray:
    """sRGB codes, not limited by 1 -> (h, w, 3) float32 0..1: by the camera's curve, between two ways of it.

    planes: red, green, blue, (h, w) float32.

    A curve over every channel, as cameras have it, turns bright orange to yellow and bright blue to cyan. Where the
    middle channel keeps its place between the other two, hue stays, and bright orange looks pink, bright blue violet.
    """
    shown = [camera_curve(plane) for plane in planes]
    (low, high), (shown_low, shown_high) = (
        (np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue))
        for red, green, blue in (planes, shown)
    )
    slope = (shown_high - shown_low) / np.maximum(high - low, SMALLEST)
    slope *= np.float32(1 - CAMERA_HUE)
    offset = np.float32(1 - CAMERA_HUE) * shown_low - slope * low
    for plane, camera in zip(planes, shown, strict=True):
        camera *= np.float32(CAMERA_HUE)
        camera += plane * slope
        camera += offset
        np.clip(camera, 0, 1, out=camera)
    return cv2.merge(shown)


def camera_curve(codes: np.ndarray) -> np.ndarray:
    """sRGB codes >= 0 of any shape -> 0..1: the cubic through 0, GREY_CODE and TOP, flat from TOP on."""
    grey = GREY_CODE / TOP
    toe = (GREY_CODE - grey**2 * (3 - 2 * grey)) / (grey * (1 - grey) ** 2)
    share = np.minimum(codes * np.float32(1 / TOP), 1)
    curve = share * np.float32(toe - 2)
    curve += np.float32(3 - 2 * toe)
    curve *= share
    curve += np.float32(toe)
    curve *= share
    return curve


def brightness(linear: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, >= 0 -> (H, W) float32: luminance and the largest channel, TOP_SHARE of it."""
    light = luminance_of(linear).reshape(linear.shape[:2])
    red, green, blue = cv2.split(linear)
    top = np.maximum(np.maximum(red, green), blue)
    light *= np.float32(1 - TOP_SHARE)
    light += np.float32(TOP_SHARE) * top
    return light


def curve_of(lit: np.ndarray, metered: np.ndarray, options: LocalLaplacianOptions) -> Curve:
    """The curve of a scene: log2 of brightness -> log2 of display light, about 0 = white, for any shape.

    lit, metered: (N,) log2 of brightness and of luminance where the scene is not black.
    """
    dark, bright, highlights, white = np.percentile(lit, [1, 95, 99, WHITE_PERCENTILE])
    log_average = float(np.clip(metered, dark, white).mean())
    arithmetic = bright + math.log2(np.exp2(np.minimum(metered, bright) - bright).mean())
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
    limit += 2 * max(OWN_SCALE - highlights, 0) + max(OWN_AVERAGE - average, 0)
    return wanted if wanted < 0 else limit * math.tanh(wanted / limit)


def _night(average: float, luminance: float | None) -> float:
    """Stops by which a scene of few cd/m2 is shown darker; 0 where 1.0 is not known in cd/m2."""
    if not luminance:
        return 0.0
    return max(DARKEST_NIGHT, min(BY_LIGHT * (average + math.log2(luminance / LIT)), 0))


def detail_factor(shades: np.ndarray) -> float:
    """Factor on detail: a scene of little contrast between neighbours gets more of it, a busy one less.

    shades: (h, w) log2 of brightness, at most WORKING_SIDE.
    """
    size = 2 * round(max(shades.shape) / NEIGHBOURHOOD) + 1
    contrast = float(np.abs(shades - cv2.blur(shades, (size, size))).mean())
    return float(np.clip(math.sqrt(USUAL_CONTRAST / max(contrast, 1e-6)), *DETAIL_BOUNDS))


def _reduced(linear: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32, at most WORKING_SIDE."""
    shrink = max(linear.shape[:2]) / WORKING_SIDE
    if shrink > 1:
        size = (max(round(linear.shape[1] / shrink), 1), max(round(linear.shape[0] / shrink), 1))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(linear, np.float32)


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
    light = brightness(np.ascontiguousarray(linear[top : top + count], np.float32))
    mean = cv2.blur(light, (3, 3))
    dark = (mean <= np.percentile(mean, 10)) & (light > 0)
    return 2 * 1.4826 * float(np.median(np.abs(light - mean)[dark])) if dark.any() else 0.0
