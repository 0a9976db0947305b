"""One frame of a bracket, or what several told together, on the reference's scale: light, its variance, its bounds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.noise import NoiseModel
from openhdr.camera.noise_estimation import estimate_noise
from openhdr.color.channels import along_row, any_channel, mean_channel, per_channel, where
from openhdr.core.threads import in_threads
from openhdr.geometry import steepness
from openhdr.merging.registered import RegisteredBracket, Strip, strips_of, widened

CODE_NOISE = 0.6  # codes (of 0..255) by which rounding and compression make a sample wrong
MOST_GRAIN = 1.5  # ... at most, each pixel by itself; what is more the pixels of an area share
STATISTIC_PIXELS = 200_000  # of a picture, enough for a median or a tone curve
MARGIN_ROWS = 10  # rows beside a strip that a comparison looks at


@dataclass(frozen=True)
class Composite:
    """What is known so far, on the reference's scale: (h, w, 3) light, variance, and whether it is only a bound.

    bound: bool, the light is clipped, the truth is at least this. crushed: bool, the camera made it black, the truth
    is at most this. grain: (h, w), the part of the variance that neighbouring pixels do not share: noise, without the
    errors of a curve.
    """

    light: np.ndarray
    variance: np.ndarray
    bound: np.ndarray
    crushed: np.ndarray
    grain: np.ndarray

    @property
    def planes(self) -> tuple[np.ndarray, ...]:
        return self.light, self.variance, self.bound, self.crushed, self.grain

    def cut(self, rows: slice) -> Composite:
        """Some rows, as views."""
        return Composite(*(plane[rows] for plane in self.planes))

    def thinned(self) -> Composite:
        """Some hundred thousand pixels of it, enough for a statistic."""
        return Composite(*map(thinned, self.planes))

    def put(self, rows: slice, part: Composite) -> None:
        """Overwrite some rows."""
        for plane, values in zip(self.planes, part.planes, strict=True):
            plane[rows] = values


def thinned(image: np.ndarray) -> np.ndarray:
    """Every so many-th row and column of an image (h, w, ...), so that some hundred thousand pixels are left."""
    step = max(int((image.shape[0] * image.shape[1] / STATISTIC_PIXELS) ** 0.5), 1)
    # contiguous: NumPy's loops along three channels would cost more than the copy
    return np.ascontiguousarray(image[::step, ::step])


@dataclass(frozen=True)
class FrameScale:
    """What the comparison measured on a frame: its noise, and a factor for its light that mends its exposure."""

    noise: NoiseModel
    factor: np.float32 = np.float32(1)


def own_scale(strip: Strip, index: int) -> FrameScale:
    inside = (strip.saturation_weight[index] > 0.5) & (strip.consistency[index] > 0.5)
    return FrameScale(estimate_noise(strip.light[index], inside))


def measured(small: RegisteredBracket, strip: Strip, index: int, scale: FrameScale) -> Composite:
    """One frame on the reference's scale. strip: some rows of `small`, the bracket at working size."""
    light, gain = strip.light[index], np.float32(2.0 ** -strip.ev[index])
    codes = np.float32(max(CODE_NOISE, small.noise.codes))
    grain = min(codes, np.float32(MOST_GRAIN))
    # the light inside the variance is smoothed: a noisy low value must not claim to be precise
    variance = cv2.GaussianBlur(light, (0, 0), 1.0) * np.float32(scale.noise.shot)
    variance += np.float32(scale.noise.read**2)
    steps = np.square(small.code_step(index, light))
    own = mean_channel(variance + np.square(grain) * steps) * gain**2
    variance += np.square(codes) * steps
    variance *= gain**2
    darkest, top = (along_row(one, light.shape[1]) for one in (small.darkest(index), strip.top[index]))
    bound, crushed = strip.clipped(index), light < darkest
    seen = where(bound, np.broadcast_to(top, light.shape), np.maximum(light, darkest))
    seen *= gain * scale.factor
    return Composite(seen, variance, bound, crushed, own)


def whole_frame(small: RegisteredBracket, strip: Strip, index: int, scales: list[FrameScale]) -> Composite:
    """All rows of a frame on the reference's scale."""
    shape = strip.light[index].shape
    light, variance = (np.empty(shape, np.float32) for _ in range(2))
    bound, crushed = (np.empty(shape, bool) for _ in range(2))
    whole = Composite(light, variance, bound, crushed, np.empty(shape[:2], np.float32))

    def work(rows: slice) -> None:
        wide, inner = widened(rows, MARGIN_ROWS, shape[0])
        whole.put(rows, measured(small, strip.cut(wide), index, scales[index]).cut(inner))

    in_threads(work, strips_of(shape[0], shape[1]))
    return whole


def extend(composite: Composite, frame: Composite, consistency: np.ndarray) -> None:
    """Add a consistent frame to the composite: it replaces bounds and is averaged with measurements by precision."""

    def work(rows: slice) -> None:
        composite.put(rows, _extended(composite.cut(rows), frame.cut(rows), consistency[rows]))

    in_threads(work, strips_of(consistency.shape[0], consistency.shape[1]))


def _extended(composite: Composite, frame: Composite, consistency: np.ndarray) -> Composite:
    use = per_channel(consistency > 0.5)
    known, better = ~(frame.bound | frame.crushed), ~(composite.bound | composite.crushed)
    fresh = use & known & ~better
    tighter = composite.bound & frame.bound & (frame.light > composite.light)
    tighter |= composite.crushed & frame.crushed & (frame.light < composite.light)
    tighter &= use
    replaced = fresh | tighter
    share = composite.variance / (composite.variance + frame.variance)
    share *= use & known & better
    variance = where(replaced, frame.variance, composite.variance * (1 - share))
    grain = where(any_channel(replaced), frame.grain, composite.grain * (1 - mean_channel(share)))
    light = where(replaced, frame.light, composite.light + share * (frame.light - composite.light))
    return Composite(light, variance, composite.bound & ~fresh, composite.crushed & ~fresh, grain)


def contradiction(difference: np.ndarray, frame: Composite, composite: Composite) -> np.ndarray:
    """(h, w, 3) difference of a frame from what is known, as far as it contradicts it.

    Where only a lower bound is known, more light than that is no contradiction; nor is less where the frame clips.
    Where only an upper bound is known, less is none; nor is more where the frame is black.
    """
    low, high = composite.bound | frame.crushed, frame.bound | composite.crushed
    if low.any():
        difference = where(low, np.minimum(difference, 0), difference)
    if high.any():
        difference = where(high, np.maximum(difference, 0), difference)
    return difference


def deviation(frame: Composite, composite: Composite, slack: float = 0.03) -> np.ndarray:
    """(h, w, 3) float32 >= 0: how far a frame contradicts what is known, in standard deviations.

    slack: relative difference that errors of response and exposure may make.
    """
    difference = contradiction(frame.light - composite.light, frame, composite)
    spread = frame.variance + composite.variance
    spread += np.square(np.float32(slack) * composite.light)
    spread += np.square(np.float32(0.1) * steepness(composite.light))
    return np.abs(difference) / np.sqrt(spread)
