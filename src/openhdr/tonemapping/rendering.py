"""From a luminance curve to a picture: colour, gamut and sRGB, strip by strip in threads.

Colour follows Mantiuk et al. 2009, "Color correction for tone mapping", eq. 3:

    C_out = ((C / L - 1) * saturation + 1) * T(L)

which keeps luminance for every saturation, and hue: with saturation 1 the ratios of the linear channels,
below 1 the colour on its straight way to grey. A colour brighter than the display can show at its luminance
goes towards grey of that luminance until it just fits, so light sources turn white as on film, with their
hue, and not yellow or cyan as by clipping channels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.color.transfer import SRGB_GAMMA, SRGB_LINEAR_BREAK, SRGB_OFFSET, SRGB_SLOPE
from openhdr.core.threads import in_threads

STRIP_PIXELS = 120_000  # a strip and its temporaries stay in a core's cache
DARKEST = np.float32(1e-30)  # luminance below which a pixel is black; keeps ratios within float32

Curve = Callable[[np.ndarray, slice], np.ndarray]
"""(luminance of a strip (h, W) float32, rows of the strip) -> display luminance (h, W) float32, linear,
0..1."""


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


def render(linear: np.ndarray, curve: Curve, saturation: float | Curve = 1.0) -> np.ndarray:
    """Apply a luminance curve and finish for a display.

    linear: (H, W, 3) float32, linear Rec.709, >= 0. saturation: a number, or a function like `curve` that
    gives one per pixel. Returns (H, W, 3) float32, 0..1, sRGB-encoded.
    """
    linear = np.ascontiguousarray(linear, np.float32)
    display = np.empty_like(linear)

    def work(rows: slice) -> None:
        strip = linear[rows]
        light = luminance_of(strip).reshape(strip.shape[:2])
        target = np.clip(curve(light, rows), 0, 1)
        amount = saturation(light, rows) if callable(saturation) else np.array(saturation, np.float32)
        colour = _recolour(strip, light, target, amount)
        _fit_gamut(colour, target)
        display[rows] = encode(colour)

    in_strips(work, linear.shape)
    return display


def _recolour(strip: np.ndarray, light: np.ndarray, target: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    ratio = strip / np.maximum(light, DARKEST)[..., None]
    ratio *= (saturation * target)[..., None]
    ratio += ((1 - saturation) * target * (light > 0))[..., None]
    return ratio


def _fit_gamut(colour: np.ndarray, target: np.ndarray) -> None:
    """Move colours with a channel above 1 towards grey of their luminance, in place."""
    top = np.maximum(np.maximum(colour[..., 0], colour[..., 1]), colour[..., 2])
    outside = top > 1
    if not outside.any():
        return
    grey, top = target[outside], top[outside]
    share = (1 - grey) / np.maximum(top - grey, np.float32(1e-6))
    colour[outside] = grey[:, None] + share[:, None] * (colour[outside] - grey[:, None])


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light 0..1 -> sRGB codes 0..1, float32, within 1e-5 of color.srgb_encode, without a branch.

    Left of the break the power curve lies below the line of the dark part, but for 1e-5 just beside the break
    (a 400th of an 8-bit step), so the larger of the two is right.
    """
    linear = np.clip(linear, 0, 1)
    curve: np.ndarray = cv2.pow(linear, 1 / SRGB_GAMMA).reshape(linear.shape)
    curve *= np.float32(1 + SRGB_OFFSET)
    curve -= np.float32(SRGB_OFFSET)
    np.maximum(curve, np.minimum(linear, np.float32(SRGB_LINEAR_BREAK)) * np.float32(SRGB_SLOPE), out=curve)
    return np.clip(curve, 0, 1, out=curve)
