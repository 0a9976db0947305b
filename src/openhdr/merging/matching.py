"""Tone matching: bring each frame onto the reference's tones where exposure or response are not quite as stated.

Shutter times are rounded and cameras bend their tone curves in ways that no file declares. Unmatched, a merge shows
a seam wherever it changes from one frame to the next. The difference of two frames as a function of brightness
alone, where both are properly exposed, is that error; it is taken out when it is clearly there, and reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.camera.response import Response
from openhdr.camera.tone_difference import tone_curve

LEAST_STOPS = 0.04  # errors below this are left alone: they are no more than the measurement's
MOST_STOPS = 2.0
LEAST_PIXELS = 400  # of one channel, both frames properly exposed


@dataclass(frozen=True)
class Match:
    """Correction of one frame in stops by brightness. Per channel: log2 of light (1.0 = clips), rising, and stops.

    Empty = the frame needs none.
    """

    levels: tuple[np.ndarray, ...] = ()
    stops: tuple[np.ndarray, ...] = ()

    @property
    def size(self) -> float:
        """Largest correction in stops."""
        return max((float(np.abs(channel).max()) for channel in self.stops), default=0.0)

    @property
    def mean(self) -> float:
        """Mean correction in stops."""
        return float(np.mean([channel.mean() for channel in self.stops])) if self.stops else 0.0

    def apply(self, light: np.ndarray) -> np.ndarray:
        """(..., 3) light -> corrected light; beyond the measured levels the last correction goes on."""
        if not self.stops:
            return light
        out = np.empty_like(light)
        for c in range(3):
            level = np.log2(np.maximum(light[..., c], 1e-7))
            out[..., c] = light[..., c] * np.exp2(np.interp(level, self.levels[c], self.stops[c]))
        return out

    def correct(self, response: Response, encoding: str) -> tuple[Response, float]:
        """(response, stops to add to the frame's EV) that decode the frame with the correction in.

        A linear frame has no curve to bend: only its exposure is corrected.
        """
        if not self.stops:
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
    levels, stops = [], []
    for c in range(3):
        use = sure[..., c]
        if use.sum() < LEAST_PIXELS:
            return Match()
        difference = np.log2(other[..., c][use] / frame[..., c][use])
        centres, offsets = tone_curve(np.log2(light[..., c][use]), difference)
        levels.append(centres)
        stops.append(np.clip(offsets, -MOST_STOPS, MOST_STOPS))
    match = Match(tuple(levels), tuple(stops))
    return match if np.mean([np.abs(channel).mean() for channel in stops]) > LEAST_STOPS else Match()
