"""Tone matching: bring each frame onto the reference's tones where exposure or response are not quite as stated.

Shutter times are rounded and cameras bend their tone curves in ways that no file declares. Unmatched, a merge shows
a seam wherever it changes from one frame to the next. The difference of two frames as a function of brightness
alone, where both are properly exposed, is that error; it is taken out when it is clearly there, and reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from openhdr.bracketing.tone_difference import tone_curve
from openhdr.camera.response import Response

LEAST_STOPS = 0.04  # errors below this are left alone: they are no more than the measurement's
LEAST_MISSTATED = (
    0.1  # stops that a stated exposure is off by before it is corrected: shutter times are rounded by less
)
MOST_UNEVEN = 0.15  # standard deviation over brightness of an error of the exposure, as a share of it
LEAST_LEVELS = 3  # of brightness, to tell an exposure from a curve
MOST_STOPS = 2.0
TINY = np.float32(1e-20)  # keeps logarithms finite
LEAST_SAMPLES = 1000  # values that are properly exposed in both


@dataclass(frozen=True)
class Match:
    """Correction of one frame in stops by brightness; empty = the frame needs none.

    One curve for all channels: cameras bend red, green and blue alike, and a curve for each would tint whatever
    lies beyond the levels that both frames show.
    levels: (K,) log2 of light (1.0 = clips), rising. stops: (K,) what to add there.
    """

    levels: np.ndarray = field(default_factory=lambda: np.zeros(0))
    stops: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def mean(self) -> float:
        """Mean correction in stops."""
        return float(self.stops.mean()) if len(self.stops) else 0.0

    @property
    def size(self) -> float:
        """Largest correction in stops."""
        return float(np.abs(self.stops).max()) if len(self.stops) else 0.0

    @property
    def of_exposure(self) -> Match:
        """The same correction at all levels if a misstated exposure explains it, else none.

        What differs by brightness is no exposure: there the curve is in doubt.
        """
        if len(self.stops) < LEAST_LEVELS or self.size >= MOST_STOPS:
            return Match()
        middle = float(np.median(self.stops))
        if abs(middle) < LEAST_MISSTATED or float(self.stops.std()) > MOST_UNEVEN * abs(middle):
            return Match()
        return Match(self.levels, np.full_like(self.stops, middle))

    def apply(self, light: np.ndarray) -> np.ndarray:
        """Light of any shape, corrected; beyond the measured levels the last correction goes on."""
        if not len(self.stops):
            return light
        level = np.log2(np.maximum(light, 1e-7))
        return light * np.exp2(np.interp(level, self.levels, self.stops)).astype(light.dtype)

    def correct(self, response: Response, encoding: str) -> tuple[Response, float]:
        """(response, stops to add to the frame's EV) that decode the frame with the correction in.

        A linear frame has no curve to bend: only its exposure is corrected.
        """
        if not len(self.stops):
            return response, 0.0
        if encoding == "linear":
            return response, -self.mean
        curve = np.maximum.accumulate(self.apply(response.curve), axis=0)
        top = float(curve.max())
        return Response(f"{response.name}, matched", curve / top), -float(np.log2(top))


def find_match(frame: np.ndarray, other: np.ndarray, light: np.ndarray, sure: np.ndarray) -> Match:
    """What brings a frame onto the tones of another picture.

    frame, other: (h, w, 3) light of both on one scale; light: the frame's own, 1.0 = clips; sure: (h, w, 3) bool,
    both properly exposed.
    """
    places = np.flatnonzero(sure)
    if len(places) < LEAST_SAMPLES:
        return Match()
    frame, other, light = (part.ravel()[places] for part in (frame, other, light))
    ratio = other / np.maximum(frame, TINY)
    levels, stops = tone_curve(np.log2(np.maximum(light, TINY)), np.log2(np.maximum(ratio, TINY)))
    return (
        Match(levels, np.clip(stops, -MOST_STOPS, MOST_STOPS))
        if np.abs(stops).mean() > LEAST_STOPS
        else Match()
    )
