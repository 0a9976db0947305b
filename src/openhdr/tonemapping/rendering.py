"""From a tone curve to a picture: exposure, contrast, colour, gamut and sRGB, strip by strip in threads.

Colour follows Mantiuk et al. 2009, "Color correction for tone mapping", eq. 3:

    C_out = ((C / L - 1) * saturation + 1) * T(L)

which keeps luminance for every saturation, and hue: with saturation 1 the ratios of the linear channels,
below 1 the colour on its straight way to grey. A colour brighter than the display can show loses chroma in Oklab
until it just fits, so that light sources turn white as on film, with their hue, and not yellow or cyan as by clipping
channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.color.oklab import fit_gamut
from openhdr.color.transfer import SRGB_GAMMA, SRGB_LINEAR_BREAK, SRGB_OFFSET, SRGB_SLOPE
from openhdr.core.threads import in_threads
from openhdr.tonemapping.operator_options import Look
from openhdr.tonemapping.statistics import FLOAT32_MAX, MIDDLE_GREY

STRIP_PIXELS = 200_000  # large enough that threads seldom wait for each other between two calls of NumPy
DARKEST = np.float32(1e-30)  # luminance below which a pixel is black; keeps ratios within float32

Depth = type[np.float32] | type[np.uint8]
"""Of a picture for a display: float32 0..1, or uint8."""

Curve = Callable[[np.ndarray, slice], np.ndarray]
"""(luminance of a strip (h, W) float32, rows of the strip) -> display luminance (h, W) float32, linear,
0..1."""

Colour = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(luminance before the curve (h, W), linear display light (h, W, 3)) -> factor on the saturation (h, W)."""


def luminance_of(linear: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 -> (H, W) float32, relative luminance; faster than color.luminance on large
    pictures."""
    return cv2.transform(linear, REC709_LUMINANCE[None])


def in_strips(work: Callable[[slice], None], shape: tuple[int, ...]) -> None:
    """Call `work(rows)` for slices of rows that cover a picture of `shape` (H, W, ...), in threads."""
    height, width = shape[:2]
    step = max(STRIP_PIXELS // width, 1)
    strips = [slice(top, min(top + step, height)) for top in range(0, height, step)]
    in_threads(work, strips)


def developed_in_strips(
    develop: Callable[[slice], np.ndarray], shape: tuple[int, ...], dtype: Depth
) -> np.ndarray:
    """A picture of `shape` (H, W, 3) whose rows are `develop(rows)`, (h, W, 3) float32 0..1.

    As uint8, 0..255, no picture of floats is ever held.
    """
    display = np.empty(shape, dtype)

    def work(rows: slice) -> None:
        shown = develop(rows)
        if dtype is np.uint8:
            cv2.convertScaleAbs(shown, display[rows], 255)  # rounds
        else:
            display[rows] = shown

    in_strips(work, shape)
    return display


def render(
    linear: np.ndarray,
    curve: Curve,
    look: Look,
    dtype: Depth = np.float32,
    colour: Colour | None = None,
) -> np.ndarray:
    """Apply a tone curve and finish for a display.

    linear: (H, W, 3) float32, linear Rec.709, >= 0. look: its exposure comes before the curve, its contrast after it.
    colour: a factor on the saturation of every pixel. Returns (H, W, 3), sRGB-encoded, float32 0..1 or uint8.
    """
    linear = np.ascontiguousarray(linear, np.float32)
    brighter = np.float32(2.0**look.exposure)
    highest = np.float32(min(FLOAT32_MAX * 2.0**-look.exposure, FLOAT32_MAX))  # keeps the product finite

    def develop(rows: slice) -> np.ndarray:
        strip = linear[rows]
        light = luminance_of(strip).reshape(strip.shape[:2])
        exposed = np.minimum(light, highest) * brighter
        target = with_contrast(np.clip(curve(exposed, rows), 0, 1), look.contrast)
        planes = scaled(strip, target / np.maximum(light, DARKEST))
        if colour is not None or look.saturation != 1:
            share = 1 if colour is None else colour(exposed, cv2.merge(planes))
            saturate(planes, np.float32(look.saturation) * share)
        shown = cv2.merge(planes)
        fit_gamut(shown)
        return encode(shown)

    return developed_in_strips(develop, linear.shape, dtype)


def scaled(strip: np.ndarray, gain: np.ndarray) -> Sequence[np.ndarray]:
    """(h, w, 3) float32 times (h, w): the three planes, which NumPy computes with several times as fast."""
    planes = cv2.split(strip)
    for plane in planes:
        plane *= gain
    return planes


def saturate(planes: Sequence[np.ndarray], saturation: np.ndarray | np.float32) -> None:
    """Scale the distance from grey of the same luminance, in place, as far as no channel falls below 0.

    planes: red, green, blue, (h, w) float32.
    """
    red, green, blue = planes
    of_red, of_green, of_blue = REC709_LUMINANCE.astype(np.float32)
    grey = red * of_red + green * of_green + blue * of_blue
    lowest = np.minimum(np.minimum(red, green), blue)
    saturation = np.minimum(saturation, grey / np.maximum(grey - lowest, DARKEST))
    grey *= 1 - saturation
    for plane in planes:
        plane *= saturation
        plane += grey


def with_contrast(target: np.ndarray, contrast: float, grey: float = MIDDLE_GREY) -> np.ndarray:
    """Values 0..1 by a curve of slope `contrast` at grey: black, middle grey and white stay, nothing clips.

    Above 1 their odds are raised to a power. Below 1 that would be endlessly steep at both ends, where a sky that just
    clips would show an edge; a parabola on either side of grey is not.
    """
    if contrast == 1:
        return target
    if contrast < 1:
        inside = np.minimum(target * np.float32(1 / grey), (1 - target) * np.float32(1 / (1 - grey)))
        return target + np.float32(contrast - 1) * (target - np.float32(grey)) * inside
    target = np.clip(
        target, 0, 1
    )  # more saturation leaves values a rounding error below black, which have no power
    odds = (grey / (1 - grey)) ** np.float32(contrast - 1)
    lit, dark = target ** np.float32(contrast), (1 - target) ** np.float32(contrast)
    return lit / (lit + odds * dark)


def encode(linear: np.ndarray, highest: float = 1.0) -> np.ndarray:
    """Linear light 0..highest -> sRGB codes, 0..1 where highest is 1, float32, within 1e-5 of color.srgb_encode.

    It has no branch: left of the break the power curve lies below the line of the dark part, but for 1e-5 just beside
    the break (a 400th of an 8-bit step), so the larger of the two is right.
    """
    linear = np.clip(linear, 0, np.float32(highest))
    curve = np.log(
        np.maximum(linear, DARKEST)
    )  # NumPy's logarithm and exponential use vectors, its power does not
    curve *= np.float32(1 / SRGB_GAMMA)
    np.exp(curve, out=curve)
    curve *= np.float32(1 + SRGB_OFFSET)
    curve -= np.float32(SRGB_OFFSET)
    np.maximum(curve, np.minimum(linear, np.float32(SRGB_LINEAR_BREAK)) * np.float32(SRGB_SLOPE), out=curve)
    return np.clip(curve, 0, np.float32(highest), out=curve)
