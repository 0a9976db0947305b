"""What TrustNet sees of a bracket: the classical comparison, frame by frame, as pictures.

Everything is in the reference's geometry and on its scale, at the size at which frames were compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from openhdr.color.channels import mean_channel, share_of_channels
from openhdr.color.transfer import mu_law
from openhdr.merging import mle
from openhdr.merging.composite import contradiction, deviation, measured
from openhdr.merging.ghosts import Evidence
from openhdr.merging.registered import Strip

FRAME_CHANNELS = 13
SHARED_CHANNELS = 11
STEP = 16  # px of the working picture, of which heights and widths are multiples


@dataclass(frozen=True)
class Features:
    """frames: (K, 13, h, w) float32, one a frame beside the reference; shared: (11, h, w) float32.

    A frame's channels: its light (3) and its difference from the composite (3), mu-coded; the logarithm of that
    difference in standard deviations; saturation weight; inside the frame; classical consistency; share of clipped
    channels; EV / 4; the logarithm of its variance. Shared: the reference's light (3) and saturation weight, the
    composite (3) and its share of clipped channels, the hole fill (3).
    """

    frames: np.ndarray
    shared: np.ndarray


def mu_code(light: np.ndarray) -> np.ndarray:
    """log(1 + mu x) / log(1 + mu) of light on the reference's scale: 1.0 where it clips, above 1 beyond."""
    return mu_law(np.maximum(light, 0))


def features_of(evidence: Evidence, strip: Strip, others: Sequence[int], rows: slice) -> Features:
    """The features of some rows of a bracket that was compared.

    strip: these rows of `evidence.small`. others: the frames beside the reference. The size is rounded up to
    multiples of 16; the last row and column are repeated.
    """
    composite = evidence.composite.cut(rows)
    consistency = [one[rows] for one in evidence.consistency]
    consistent = [inside * one for inside, one in zip(strip.consistency, consistency, strict=True)]
    guide = mle.guide_of(replace(strip, consistency=consistent))
    composite_code = mu_code(composite.light)
    height, width = shape = guide.level.shape
    frames = np.empty(
        (len(others), FRAME_CHANNELS, -(-height // STEP) * STEP, -(-width // STEP) * STEP), np.float32
    )
    for planes, index in zip(frames, others, strict=True):
        frame = measured(evidence.small, strip, index, evidence.scales[index])
        gain = np.float32(2.0 ** strip.ev[index])
        difference = contradiction(mu_code(frame.light) - composite_code, frame, composite)
        channels = [
            *cv2.split(mu_code(strip.light[index] / gain)),
            *cv2.split(np.clip(8 * difference, -4, 4)),
            mean_channel(np.log1p(deviation(frame, composite))),
            strip.saturation_weight[index],
            strip.consistency[index],
            consistency[index],
            share_of_channels(frame.bound),
            np.float32(strip.ev[index] / 4),
            np.log2(mle.variance(guide, strip, index)) / 20 + np.float32(0.5),
        ]
        _fill(planes, channels, shape)
    reference = strip.reference
    channels = [
        *cv2.split(mu_code(strip.light[reference])),
        strip.saturation_weight[reference],
        *cv2.split(composite_code),
        share_of_channels(composite.bound),
        *cv2.split(mu_code(evidence.hole_fill[rows])),
    ]
    shared = np.empty((SHARED_CHANNELS, *frames.shape[2:]), np.float32)
    _fill(shared, channels, shape)
    return Features(frames, shared)


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
