"""What TrustNet sees of a bracket: the classical comparison, frame by frame, as pictures.

Everything is in the reference's geometry and on its scale, at the size at which frames were compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from openhdr.color.channels import all_channels, mean_channel, share_of_channels
from openhdr.color.transfer import MU
from openhdr.core.threads import in_threads
from openhdr.merging import mle
from openhdr.merging.composite import contradiction, deviation, measured
from openhdr.merging.ghosts import Evidence
from openhdr.merging.registered import strips_of

FRAME_CHANNELS = 13
SHARED_CHANNELS = 11
STEP = 16  # px of the working picture, of which heights and widths are multiples


def mu_code(light: np.ndarray) -> np.ndarray:
    """log(1 + mu x) / log(1 + mu) of light on the reference's scale: 1.0 where it clips, above 1 beyond."""
    scaled = np.maximum(light, 0) * np.float32(MU) + 1
    return cv2.log(scaled) * np.float32(1 / math.log1p(MU))


def seen_by_all(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) float32, the level of `mle.Guide` by all frames; (h, w) bool, where all clip in every channel."""
    small = evidence.small
    level, clipped = np.empty(small.shape, np.float32), np.empty(small.shape, bool)

    def work(rows: slice) -> None:
        strip = small.strip(rows)
        pairs = zip(strip.consistency, evidence.consistency, strict=True)
        consistent = replace(strip, consistency=[inside * one[rows] for inside, one in pairs])
        level[rows] = mle.guide_of(consistent).level
        clipping = [all_channels(strip.clipped(index)) for index in range(len(strip.light))]
        clipped[rows] = np.logical_and.reduce(clipping)

    in_threads(work, strips_of(*small.shape))
    return level, clipped


class Features:
    """Some rows of a bracket that was compared, as a network sees them.

    level: (h, w), by `seen_by_all`. Heights and widths are rounded up to multiples of 16; the last row and column are
    repeated.
    """

    def __init__(self, evidence: Evidence, level: np.ndarray, rows: slice = slice(None)) -> None:
        self._evidence, self._rows = evidence, rows
        self._composite = evidence.composite.cut(rows)
        self._composite_code = mu_code(self._composite.light)
        self._guide = mle.Guide(level[rows])

    def frames(self, asked: Sequence[int] = ()) -> np.ndarray:
        """(K, 13, h, w) float32 of the frames that are asked about; by default all beside the reference.

        Light (3) and its difference from the composite (3), mu-coded; the logarithm of that difference in standard
        deviations; saturation weight; inside the frame; classical consistency; share of clipped channels; EV / 4; the
        logarithm of its variance.
        """
        evidence, composite = self._evidence, self._composite
        reference = evidence.small.bracket.reference
        asked = asked or [index for index in range(len(evidence.scales)) if index != reference]
        small = evidence.small.only([reference, *asked])
        strip = small.whole(self._rows)
        planes = self._planes(len(asked), FRAME_CHANNELS)

        def work(place: int) -> None:
            index, own = asked[place], place + 1
            frame = measured(small, strip, own, evidence.scales[index])
            gain = np.float32(2.0 ** strip.ev[own])
            difference = contradiction(mu_code(frame.light) - self._composite_code, frame, composite)
            channels = [
                *cv2.split(mu_code(strip.light[own] / gain)),
                *cv2.split(np.clip(8 * difference, -4, 4)),
                mean_channel(cv2.log(1 + deviation(frame, composite))),
                strip.saturation_weight[own],
                strip.consistency[own],
                evidence.consistency[index][self._rows],
                share_of_channels(frame.bound),
                np.float32(strip.ev[own] / 4),
                np.log2(mle.variance(self._guide, strip, own)) / 20 + np.float32(0.5),
            ]
            _fill(planes[place], channels, self._guide.level.shape)

        in_threads(work, range(len(asked)))
        return planes

    def shared(self) -> np.ndarray:
        """(11, h, w) float32: the reference's light (3) and saturation weight, the composite (3) and its share of
        clipped channels, the hole fill (3); light is mu-coded.
        """
        small = self._evidence.small
        light, room, _ = small.frame_strip(small.bracket.reference, self._rows)
        (planes,) = self._planes(1, SHARED_CHANNELS)
        channels = [
            *cv2.split(mu_code(light)),
            room,
            *cv2.split(self._composite_code),
            share_of_channels(self._composite.bound),
            *cv2.split(mu_code(self._evidence.hole_fill[self._rows])),
        ]
        _fill(planes, channels, self._guide.level.shape)
        return planes

    def _planes(self, count: int, channels: int) -> np.ndarray:
        height, width = (-(-length // STEP) * STEP for length in self._guide.level.shape)
        return np.empty((count, channels, height, width), np.float32)


def _fill(planes: np.ndarray, channels: Sequence[np.ndarray | np.float32], shape: tuple[int, int]) -> None:
    """Write channels of a shape, or numbers, into larger planes (C, H, W); the last row and column are repeated."""
    height, width = shape
    for plane, channel in zip(planes, channels, strict=True):
        plane[:height, :width] = channel
    repeat_edges(planes, height, width)


def repeat_edges(planes: np.ndarray, height: int, width: int) -> None:
    """Fill planes (C, H, W) beyond `height` and `width` with the last row and column before these."""
    planes[:, :height, width:] = planes[:, :height, width - 1 : width]
    planes[:, height:] = planes[:, height - 1 : height]
