"""What TrustNet sees of a bracket: the classical comparison, frame by frame, as pictures.

Everything is in the reference's geometry and on its scale, at the size at which frames were compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from openhdr.color.transfer import mu_law
from openhdr.merging import mle
from openhdr.merging.ghosts import Composite, Evidence, contradiction, deviation, measured
from openhdr.merging.registered import Strip

FRAME_CHANNELS = 13
SHARED_CHANNELS = 11


@dataclass(frozen=True)
class Features:
    """frames: (K, 13, h, w) float32, one a frame beside the reference; shared: (11, h, w) float32.

    A frame's channels: its light (3) and its difference from the composite (3), mu-coded; the logarithm of that
    difference in standard deviations; saturation weight; inside the frame; classical consistency; share of clipped
    channels; EV / 4; the logarithm of its variance. Shared: the reference's light (3) and saturation weight, the
    composite (3) and its share of clipped channels, the hole fill (3). others: the frames' indices in the bracket.
    """

    frames: np.ndarray
    shared: np.ndarray
    others: tuple[int, ...]


def mu_code(light: np.ndarray) -> np.ndarray:
    """log(1 + mu x) / log(1 + mu) of light on the reference's scale: 1.0 where it clips, above 1 beyond."""
    return mu_law(np.maximum(light, 0))


def features_of(evidence: Evidence) -> Features:
    """The features of a bracket that was compared."""
    small, strip, composite = evidence.small, evidence.strip, evidence.composite
    consistency = evidence.consistency
    consistent = [inside * one for inside, one in zip(strip.consistency, consistency, strict=True)]
    guide = mle.guide_of(replace(strip, consistency=consistent))
    others = tuple(index for index in range(len(consistency)) if index != strip.reference)
    shown = {index: measured(small, strip, index, evidence.scales[index]) for index in others}
    frames = [
        np.concatenate(
            [
                _chosen(strip, index, shown[index], composite),
                consistency[index][None],
                shown[index].bound.mean(axis=2, dtype=np.float32)[None],
                np.full((1, *small.shape), strip.ev[index] / 4, np.float32),
                np.log2(mle.variance(guide, strip, index))[None] / 20 + np.float32(0.5),
            ]
        )
        for index in others
    ]
    reference = strip.reference
    shared = np.concatenate(
        [
            _planes(mu_code(strip.light[reference])),
            strip.saturation_weight[reference][None],
            _planes(mu_code(composite.light)),
            composite.bound.mean(axis=2, dtype=np.float32)[None],
            _planes(mu_code(evidence.hole_fill)),
        ]
    )
    return Features(np.stack(frames), shared, others)


def _chosen(strip: Strip, index: int, frame: Composite, composite: Composite) -> np.ndarray:
    """(9, h, w): light, difference, deviations, saturation weight, inside."""
    gain = np.float32(2.0 ** strip.ev[index])
    return np.concatenate(
        [
            _planes(mu_code(strip.light[index] / gain)),
            np.clip(
                8 * _planes(contradiction(mu_code(frame.light) - mu_code(composite.light), frame, composite)),
                -4,
                4,
            ),
            np.log1p(deviation(frame, composite)).mean(axis=2)[None],
            strip.saturation_weight[index][None],
            strip.consistency[index][None],
        ]
    )


def _planes(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
