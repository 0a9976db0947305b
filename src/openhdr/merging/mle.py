"""Maximum-likelihood merging under the camera's noise.

Each frame estimates the radiance X as light / 2^ev with variance V(light) / 4^ev, where

    V(l) = shot l + read^2 + (codes dl/dcode)^2

is photon noise, read noise, and what happens to a photo's codes after the sensor (Granados et al. 2010, eq. 9;
Hanji, Zhong & Mantiuk 2020, section 3; the last term is ours: it takes weight from codes near black and from the
shoulder of a camera's curve, where a code means much light). Weights are the inverse variances, for a sensor's frames
one for the three channels.

Which light stands inside the variance? For a sensor's noise it is one frame's at each pixel (the longest that does
not clip), the same for all: a weight computed from each sample's own noisy value would favour the strip that happen
to be low. For the errors of processed photos, which noise is the least part of, it is each frame's own, smoothed, and
the variance is relative to it: another frame's light is wrong wherever the two are not exactly registered.

Processed photos are off by a share of the light as well: glare, local tone mapping, rounded shutter times. Without it
the photo that shows a place in the steepest part of the curve speaks nearly alone. And codes are off in each channel by
themselves, so each has a weight of its own. Both hold where some photo shows all three well above black: elsewhere the
light of short ones is noise, relative to which that share says that they know black places as well as long ones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from openhdr.color.channels import darkest_channel, mean_channel, per_channel, where
from openhdr.color.luminance import REC709_LUMINANCE
from openhdr.geometry import steepness
from openhdr.merging.merger import StripMerger
from openhdr.merging.registered import Strip

TINY = np.float32(1e-12)  # weight of nothing
DARKEST = np.float32(1e-6)  # light below which relative errors mean nothing

# A resampled frame has lost some of its finest detail and may lie a little off: so many pixels of its slope.
RESAMPLING_PX = np.float32(0.1)

LIGHT_OFF = np.float32(0.02)  # share of the light by which processed photos contradict each other
SHOWN = 4.0, 16.0  # light, in black levels (`Strip.darkest`), between which a photo begins to show a channel


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
    if all(noise.processed for noise in strip.noise):
        return combine_processed(guide, strip)
    total = np.zeros_like(strip.light[0])
    weights = np.full(guide.level.shape, TINY, np.float32)
    for index, (light, usable) in enumerate(zip(strip.light, strip.usable, strict=True)):
        weight = usable / variance(guide, strip, index)
        weights += weight
        weight *= np.float32(2.0 ** -strip.ev[index])
        cv2.accumulateProduct(light, per_channel(weight), total)
    return cv2.multiply(total, per_channel(1 / weights)), weights - TINY


def combine_processed(guide: Guide, strip: Strip) -> tuple[np.ndarray, np.ndarray]:
    """`combine` of processed photos."""
    shown = shown_of(strip)
    total = np.zeros_like(strip.light[0])
    weights = np.full_like(total, TINY)
    for index, light in enumerate(strip.light):
        weight = precision(guide, shown, strip, index)
        weights += weight
        weight *= np.float32(2.0 ** -strip.ev[index])
        cv2.accumulateProduct(light, weight, total)
    total /= weights
    return total, mean_channel(weights) - TINY


def precision(guide: Guide, shown: np.ndarray, strip: Strip, index: int) -> np.ndarray:
    """(h, W, 3) float32 >= 0, one over the relative variance of a processed photo's light, as far as it is usable."""
    light = cv2.blur(strip.light[index], (3, 3))
    level = np.maximum(_luminance(light), DARKEST)
    variances = strip.noise[index].variances(light)
    off = LIGHT_OFF**2 * shown
    if strip.moved[index]:
        off += np.square(RESAMPLING_PX * steepness(level) / level)
    room = strip.usable[index] * np.square(_as_known(guide, strip, index, level) / level)
    together = np.square(level)
    together /= mean_channel(variances) + off * together
    together *= room * (1 - shown)
    each: np.ndarray = cv2.multiply(light, light)
    variances += cv2.multiply(each, per_channel(off))
    cv2.divide(each, variances, each)
    each *= per_channel(room * shown)
    each += per_channel(together)
    return each


def shown_of(strip: Strip) -> np.ndarray:
    """(h, W) float32 0..1, whether some usable photo shows all channels above black."""
    shown = np.zeros(strip.light[0].shape[:2], np.float32)
    for index in np.argsort(-strip.ev):
        least, darkest = darkest_channel(strip.light[index]), max(strip.darkest[index], float(DARKEST))
        least -= np.float32(SHOWN[0] * darkest)
        least *= strip.usable[index] / np.float32((SHOWN[1] - SHOWN[0]) * darkest)
        cv2.max(shown, least, shown)
        if shown.min() >= 1:
            break  # mostly by one of the longest
    return cv2.blur(np.minimum(shown, 1), (3, 3))


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
    result = mean_channel(noise.variances(light))
    level = _as_known(guide, strip, index, level)
    if strip.moved[index]:
        result += np.square(RESAMPLING_PX * steepness(level))
    result *= np.square(np.maximum(guide.level, DARKEST) / level)
    return result


def _as_known(guide: Guide, strip: Strip, index: int, level: np.ndarray) -> np.ndarray:
    """(h, W) the level of a processed photo, where it is black as a longer one knows it."""
    # black is no measurement of light: a longer frame shows how much less there is than the code says
    crushed = level < strip.darkest[index]
    if not crushed.any():
        return level
    known = np.maximum(guide.level * np.float32(2.0 ** strip.ev[index]), DARKEST)
    return where(crushed, np.minimum(level, known), level)


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
