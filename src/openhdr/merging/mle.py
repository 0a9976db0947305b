"""Maximum-likelihood merging under the camera's noise.

Each frame estimates the radiance X as light / 2^ev with variance V(light) / 4^ev, where

    V(l) = shot l + read^2 + (codes dl/dcode)^2 + (share l)^2

is photon noise, read noise, and what happens to a photo after the sensor (Granados et al. 2010, eq. 9; Hanji, Zhong &
Mantiuk 2020, section 3; the last two terms are ours). Weights are the inverse variances. Errors of codes take weight
from those near black and from the shoulder of a camera's curve, where a code means much light. Errors of light (glare,
local tone mapping, rounded shutter times) spread it: without them the photo that shows a place in the steepest part of
the curve would speak nearly alone.

Which light stands inside the variance? For a sensor's noise it is one frame's at each pixel (the longest that does
not clip), the same for all: a weight computed from each sample's own noisy value would favour the strip that happen
to be low. For the errors of processed photos, which noise is the least part of, it is each frame's own, smoothed, and
the variance is relative to it: another frame's light is wrong wherever the two are not exactly registered. There each
channel has a weight of its own, as each has a code of its own; noise alone has one for all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from openhdr.color.channels import mean_channel, where
from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.geometry import steepness
from openhdr.merging.merger import StripMerger
from openhdr.merging.registered import Strip

TINY = np.float32(1e-12)  # weight of nothing
DARKEST = np.float32(1e-6)  # light below which relative errors mean nothing

# A resampled frame has lost some of its finest detail and may lie a little off: so many pixels of its slope.
RESAMPLING_PX = np.float32(0.1)

# What a channel's weight takes from the others', a tenth of their mean. Where a channel is black in all frames, those
# whose noise lifts it would speak alone; so the frame that exposes the pixel best says how black it is.
WITH_OTHERS = np.eye(3, dtype=np.float32) + np.float32(0.1 / 3)


@dataclass(frozen=True)
class Guide:
    """What all frames take for the light of a pixel when they state their variance there.

    level: (h, W) float32 luminance on the reference's scale of the longest consistent, unsaturated frame.
    """

    level: np.ndarray

    @cached_property
    def slope(self) -> np.ndarray:
        """(h, W) float32, what a shift by a pixel may change."""
        return steepness(self.level)


def combine(strip: Strip) -> tuple[np.ndarray, np.ndarray]:
    """(radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen."""
    guide = guide_of(strip)
    total = np.zeros_like(strip.light[0])
    if strip.noise[0].processed:
        each = np.full_like(total, TINY)
        for index, light in enumerate(strip.light):
            own = precision(guide, strip, index)
            each += own
            own *= np.float32(2.0 ** -strip.ev[index])
            cv2.accumulateProduct(light, own, total)
        total /= each
        return total, mean_channel(each) - TINY
    weights = np.full(guide.level.shape, TINY, np.float32)
    for index, (light, usable) in enumerate(zip(strip.light, strip.usable, strict=True)):
        weight = usable / variance(guide, strip, index)
        weights += weight
        weight *= np.float32(2.0 ** -strip.ev[index])
        cv2.accumulateProduct(light, cv2.merge((weight, weight, weight)), total)
    scale = 1 / weights
    return cv2.multiply(total, cv2.merge((scale, scale, scale))), weights - TINY


def precision(guide: Guide, strip: Strip, index: int) -> np.ndarray:
    """(h, W, 3) float32 >= 0, what a processed photo tells of the light: one over its relative variance, if usable."""
    noise, room = strip.noise[index], strip.usable[index]
    light = cv2.blur(strip.light[index], (3, 3))
    result = noise.precision(light)
    level = np.maximum(_luminance(light), DARKEST)
    if strip.moved[index]:
        slope = np.square(RESAMPLING_PX * steepness(level) / level)
        result /= 1 + result * cv2.merge((slope, slope, slope))
    crushed = level < strip.darkest[index]
    if crushed.any():
        # black is no measurement of light: a longer frame shows how much less there is than the code says
        known = np.maximum(guide.level * np.float32(2.0 ** strip.ev[index]), DARKEST)
        room = np.where(crushed, room * np.square(np.minimum(known / level, 1)), room)
    result *= cv2.merge((room, room, room))
    return cv2.transform(result, WITH_OTHERS)


def variance(guide: Guide, strip: Strip, index: int) -> np.ndarray:
    """(h, w) float32 variance of a frame's light on the reference's scale. guide: from `guide_of`."""
    gain = np.float32(2.0 ** strip.ev[index])
    noise = strip.noise[index]
    if not noise.processed:
        result = noise.at_level(guide.level * gain)
        result *= 1 / gain**2
        if strip.moved[index]:
            result += np.square(RESAMPLING_PX * guide.slope)
        return result
    light = cv2.blur(strip.light[index], (3, 3))
    level = np.maximum(_luminance(light), DARKEST)
    result = noise.variance(light)
    # black is no measurement of light: a longer frame shows how much less there is than the code says
    crushed = level < strip.darkest[index]
    level = where(crushed, np.minimum(level, np.maximum(guide.level * gain, DARKEST)), level)
    if strip.moved[index]:
        result += np.square(RESAMPLING_PX * steepness(level))
    result *= np.square(np.maximum(guide.level, DARKEST) / level)
    return result


def guide_of(strip: Strip) -> Guide:
    """The guide of a strip's frames."""
    order = np.argsort(strip.ev)
    level = _luminance(strip.light[order[0]], strip.ev[order[0]])
    for index in order[1:]:
        seen = _luminance(strip.light[index], strip.ev[index])
        seen -= level
        seen *= strip.usable[index]
        level += seen
    return Guide(level)


def _luminance(light: np.ndarray, ev: float = 0.0) -> np.ndarray:
    # OpenCV's matrix product: NumPy's is many times slower with three columns
    return cv2.transform(light, REC709_LUMINANCE[None] * np.float32(2.0**-ev))


MERGER = StripMerger(combine)
