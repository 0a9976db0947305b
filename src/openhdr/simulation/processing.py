"""What a camera does to an image between its sensor and the file.

    recorded light -> local tone mapping -> bleached highlights -> picture style -> denoising -> sharpening -> codes

Images are worked on in strips of rows, so that memory stays small at any size; a strip holds enough of its
neighbours that the result does not depend on the strips.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.noise import NoiseModel
from openhdr.simulation.lens import Lens
from openhdr.simulation.picture_style import curves
from openhdr.simulation.texture import shrink

_STRIP = 1 << 19  # pixels
_HALO = 24  # rows that a strip holds beyond its own: more than all filters reach
_TONE_SAMPLES = (
    32  # pixels of the shorter side of the small image in which local tone mapping measures brightness
)
_TONE_FLOOR = 2.0**-8  # light below it is lifted no more
_BASE_SPREAD_SHARE = 0.04  # of the width: standard deviation over which brightness is local
_LUMA_RADIUS, _CHROMA_RADIUS = 1, 3  # pixels that denoising looks around
_CURVE_SAMPLES = 4096
_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])  # JFIF


@dataclass(frozen=True)
class Processing:
    """How one camera develops."""

    lens: Lens
    local_tone: float  # stops that dark surroundings are lifted by per stop below clipping
    bleach: float  # 0..1: how white a colour is made where one of its channels clips
    bleach_knee: float  # share of the clipping level from which on
    denoise_luma: float  # deviations up to so many standard deviations of the noise are smoothed
    denoise_chroma: float
    sharpen: float  # share of the detail that is added again
    sharpen_px: float  # standard deviation of the blur that detail is the difference from
    subsampling: str  # of colour in the JPEG: 4:4:4, 4:2:2 or 4:2:0


def develop(
    light: np.ndarray, processing: Processing, response: str, noise: NoiseModel, rng: np.random.Generator
) -> np.ndarray:
    """Light on the sensor, (H, W, 3) float32, 1.0 = the last channel clips -> codes (H, W, 3) uint8.

    `light` is overwritten by what the sensor records.
    """
    height, width = light.shape[:2]
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        light[top : top + rows] = np.clip(noise.add(light[top : top + rows], rng), 0, 1)
    lift = local_gain(light, processing.local_tone)
    curve = curves(response, np.linspace(0, 1, _CURVE_SAMPLES))
    out = np.empty(light.shape, np.uint8)
    for top in range(0, height, rows):
        first, last = max(0, top - _HALO), min(height, top + rows + _HALO)
        strip = light[first:last] * _rows_of(lift, (first, last), (height, width))
        strip = bleached(strip, curve[-1], processing.bleach, processing.bleach_knee)
        code = np.stack(
            [np.interp(strip[..., c], curve[:, c], np.linspace(0, 1, _CURVE_SAMPLES)) for c in range(3)], 2
        )
        code = sharpened(denoised(code, processing, noise, curve), processing.sharpen, processing.sharpen_px)
        kept = code[top - first : top - first + min(rows, height - top)]
        out[top : top + rows] = np.rint(np.clip(kept, 0, 1) * 255).astype(np.uint8)
    return out


def local_gain(light: np.ndarray, strength: float) -> np.ndarray:
    """(h, w, 1) float64 gain >= 1, of a small image: the brightness of the surroundings to the power -strength.

    What is bright stays; each frame of a bracket is lifted in its own way, which no curve explains.
    """
    small = shrink(light, max(1, min(light.shape[:2]) // _TONE_SAMPLES)).astype(np.float64).mean(axis=2)
    base = cv2.GaussianBlur(small, (0, 0), _BASE_SPREAD_SHARE * small.shape[1])
    return np.clip(base, _TONE_FLOOR, 1)[..., None] ** -strength


def bleached(light: np.ndarray, top: np.ndarray, share: float, knee: float) -> np.ndarray:
    """Colours on their way to white where a channel comes near its top. light: (..., 3); top: (3,) clipping levels."""
    relative = np.minimum(light / top, 1)
    brightest = relative.max(axis=-1, keepdims=True)
    t = np.clip((brightest - knee) / (1 - knee), 0, 1)
    return (relative + share * t * t * (3 - 2 * t) * (brightest - relative)) * top


def denoised(code: np.ndarray, processing: Processing, noise: NoiseModel, curve: np.ndarray) -> np.ndarray:
    """(H, W, 3) codes 0..1 smoothed by the guided filter, guide = image, colour over a wider radius than brightness.

    He, Sun and Tang, Guided image filtering, TPAMI 35(6), 2013, eq. 5-8, with eps = the variance that the noise has at
    each code times `denoise` squared.
    """
    codes = np.linspace(0, 1, len(curve))
    slope = np.gradient(codes, np.maximum(curve[:, 1], 0) + codes * 1e-6)
    expected = noise.variance(curve[:, 1]) * slope**2
    luma, *chroma = np.moveaxis(code @ _YCC.T, 2, 0)
    variance = np.interp(cv2.blur(luma, (3, 3)), codes, expected)
    planes = [
        _guided(luma, variance * processing.denoise_luma**2, _LUMA_RADIUS),
        *(_guided(plane, variance * processing.denoise_chroma**2, _CHROMA_RADIUS) for plane in chroma),
    ]
    return np.stack(planes, axis=2) @ np.linalg.inv(_YCC).T


def _guided(plane: np.ndarray, eps: np.ndarray, radius: int) -> np.ndarray:
    side = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(plane, side)
    variance = np.maximum(cv2.blur(plane * plane, side) - mean * mean, 0)
    a = variance / (variance + eps + 1e-12)
    return cv2.blur(a, side) * plane + cv2.blur((1 - a) * mean, side)


def sharpened(code: np.ndarray, share: float, spread_px: float) -> np.ndarray:
    """Unsharp masking of brightness: y + share (y - blurred y), added to all channels of (H, W, 3) codes."""
    luma = code @ _YCC[0]
    return code + share * (luma - cv2.GaussianBlur(luma, (0, 0), spread_px))[..., None]


def _rows_of(small: np.ndarray, rows: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """(last - first, W, 1) rows of a small image enlarged bilinearly to size (H, W)."""
    scale = size[0] / small.shape[0], size[1] / small.shape[1]
    y = np.clip((np.arange(*rows) + 0.5) / scale[0] - 0.5, 0, small.shape[0] - 1)
    x = np.clip((np.arange(size[1]) + 0.5) / scale[1] - 0.5, 0, small.shape[1] - 1)
    xs, ys = np.arange(small.shape[1]), np.floor(y).astype(int)
    below, down = np.minimum(ys + 1, small.shape[0] - 1), (y - ys)[:, None]
    wide = np.stack([np.interp(x, xs, row) for row in small[..., 0]])
    return (wide[ys] * (1 - down) + wide[below] * down)[..., None]
