"""Liang, Xu, Zhang, Yue, Zhang, "A Hybrid l1-l0 Layer Decomposition Model for Tone Mapping", CVPR 2018.

Written from the paper's model; details it leaves open are settled by measured outputs of the authors'
program. Sides that are multiples of four agree with them: pixels to float32 rounding (3e-8), means to 1e-10.
Other sides were not compared. Log luminance is split into a base and two details (filters/l1_l0.py) and put together
again with a compressed base and a slightly boosted, compressed first detail. Luminance is the largest channel (the V
of HSV); hue is kept and saturation multiplied by 0.6. The split is float64.

Limits: the offset of the logarithm is absolute, so the scale of the image matters; the curve depends on the
image's extremes and percentiles. The operator splits a reduced copy of large pictures, the metrics never do.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from openhdr.color.channels import brightest_channel
from openhdr.color.transfer import srgb_decode
from openhdr.filters import guided, l1_l0
from openhdr.filters.guided import enlarged
from openhdr.tonemapping.operator_options import LiangOptions
from openhdr.tonemapping.rendering import DARKEST, Depth, developed_in_strips, encode, with_contrast

DEFAULTS = LiangOptions()

LARGEST_PX = 400_000  # pixels up to which a picture is split as it is
RADIUS, FLATNESS = (
    2,
    1e-4,
)  # of the guided filter, in pixels of the reduced picture and in log luminance of 0..1


def liang(linear: np.ndarray, options: LiangOptions = DEFAULTS, dtype: Depth = np.float32) -> np.ndarray:
    """(H, W, 3) float32 linear >= 0 -> (H, W, 3) display-ready as sRGB codes, float32 0..1 or uint8.

    Of a picture of more than LARGEST_PX a reduced copy is split; its tones are carried over by a guided filter.
    """
    height, width = linear.shape[:2]
    shrink = math.sqrt(height * width / LARGEST_PX)
    if shrink <= 1 or linear.max() <= 0:
        whole = _adjusted(liang_tonemap(linear, options).astype(np.float32), options)
        return developed_in_strips(lambda rows: whole[rows], linear.shape, dtype)
    value = cv2.resize(
        brightest_channel(linear),
        (round(width / shrink) or 1, round(height / shrink) or 1),
        interpolation=cv2.INTER_AREA,
    )
    tone = _compose(*l1_l0.decompose(value.astype(np.float64)), options).astype(np.float32)
    offset = np.float32(l1_l0.DEFAULTS.offset)
    maps = guided.lines(np.log(value + offset), tone, RADIUS, FLATNESS)

    def develop(rows: slice) -> np.ndarray:
        strip = np.ascontiguousarray(linear[rows], np.float32)
        bright = brightest_channel(strip)
        slope, start = cv2.split(enlarged(maps, linear.shape[:2], rows))
        shown = np.clip(slope * np.log(bright + offset) + start, 0, 1) * (bright > 0)
        return _adjusted(_coloured(strip, bright, shown, options), options)

    return developed_in_strips(develop, linear.shape, dtype)


def liang_tonemap(linear: np.ndarray, options: LiangOptions = DEFAULTS) -> np.ndarray:
    """The whole pipeline in float64 and full size, for the metrics tm-psnr and tm-ssim.

    linear: (H, W, 3) float, linear RGB >= 0, finite; the published results scale it to a maximum of 1.
    Returns (H, W, 3) float64, 0..1, display-ready. A black picture stays black; a constant one becomes 0.5.
    """
    rgb = np.asarray(linear, np.float64)
    value = rgb.max(axis=2)
    if value.max() <= 0:
        return np.zeros_like(rgb)
    return _coloured(rgb, value, _compose(*l1_l0.decompose(value), options), options)


def _coloured(rgb: np.ndarray, value: np.ndarray, tone: np.ndarray, options: LiangOptions) -> np.ndarray:
    """(H, W, 3): hue of the HSV of rgb kept, its saturation scaled, its value replaced by the tone."""
    share = options.saturation * (value[..., None] - rgb) / np.where(value > 0, value, 1)[..., None]
    return tone[..., None] * np.maximum(1 - share, 0).astype(rgb.dtype)  # below 0 where saturation is above 1


def _adjusted(display: np.ndarray, options: LiangOptions) -> np.ndarray:
    """Exposure and contrast, on the light that the codes show."""
    if options.exposure == 0 and options.contrast == 1:
        return display
    value = display.max(axis=2, keepdims=True)
    exposed = np.clip(srgb_decode(value) * np.float32(2**options.exposure), 0, 1)
    wanted = encode(with_contrast(exposed, options.contrast)[..., 0])[..., None]
    return display * (wanted / np.maximum(value, DARKEST))


def _compose(
    detail1: np.ndarray, detail2: np.ndarray, base2: np.ndarray, options: LiangOptions
) -> np.ndarray:
    """(H, W) float64 0..1: compressed base, detail, and the ends clipped."""
    tone = options.base_gain * np.maximum(base2, 0) ** (1 / options.base_gamma) + detail2
    tone += options.detail_gain * _compress_detail(detail1, options.detail_gamma)
    ordered = np.sort(tone, axis=None)
    low, high = (ordered[_half_up(share * tone.size) - 1] for share in (options.clip, 1 - options.clip))
    if high <= low:
        return np.full_like(tone, 0.5)
    return np.clip((tone - low) / (high - low), 0, 1)


def _compress_detail(detail: np.ndarray, gamma: float) -> np.ndarray:
    """sign(d) s (|d| / s)^gamma with s the largest detail; negative detail beyond -s stays as it is."""
    largest = detail.max()
    if largest <= 0:
        return detail
    size = np.abs(detail)
    return np.sign(detail) * np.where(
        size <= largest, largest * (np.minimum(size, largest) / largest) ** gamma, size
    )


def _half_up(position: float) -> int:
    return max(math.floor(position + 0.5), 1)
