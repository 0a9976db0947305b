"""What TrustNet sees of a bracket: the classical comparison, frame by frame, as pictures.

Everything is in the reference's geometry and on its scale, at the size at which frames were compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from openhdr.color.transfer import mu_law
from openhdr.merging import mle
from openhdr.merging.ghosts import Comparison, Composite, contradiction, deviation
from openhdr.merging.samples import Samples

FRAME_CHANNELS = 13
SHARED_CHANNELS = 11


@dataclass(frozen=True)
class Features:
    """frames: (K, 13, h, w) float32, one a frame beside the reference; shared: (11, h, w) float32.

    A frame's channels: its light (3) and its difference from the composite (3), mu-coded; the logarithm of that
    difference in standard deviations; headroom; inside the frame; classical trust; share of clipped channels; EV / 4;
    the logarithm of its variance. Shared: the reference's light (3) and headroom, the composite (3) and its share of
    clipped channels, the backdrop (3). others: the frames' indices in the bracket.
    """

    frames: np.ndarray
    shared: np.ndarray
    others: tuple[int, ...]


def mu_code(light: np.ndarray) -> np.ndarray:
    """log(1 + mu x) / log(1 + mu) of light on the reference's scale: 1.0 where it clips, above 1 beyond."""
    return mu_law(np.maximum(light, 0))


def features_of(comparison: Comparison) -> Features:
    """The features of a bracket that was compared with ghosts in mind."""
    small, composite = comparison.small, comparison.composite
    samples = small.samples(slice(0, small.shape[0]))
    trust = comparison.stack.trust
    trusted = [inside * one for inside, one in zip(samples.trust, trust, strict=True)]
    guide = mle.guide_of(replace(samples, trust=trusted))
    others = tuple(index for index in range(len(trust)) if index != samples.reference)
    frames = [
        np.concatenate(
            [
                _chosen(samples, index, comparison.frames[index], composite),
                trust[index][None],
                comparison.frames[index].bound.mean(axis=2, dtype=np.float32)[None],
                np.full((1, *small.shape), samples.ev[index] / 4, np.float32),
                np.log2(mle.variance(guide, samples, index))[None] / 20 + np.float32(0.5),
            ]
        )
        for index in others
    ]
    reference = samples.reference
    shared = np.concatenate(
        [
            _planes(mu_code(samples.light[reference])),
            samples.headroom[reference][None],
            _planes(mu_code(composite.light)),
            composite.bound.mean(axis=2, dtype=np.float32)[None],
            _planes(mu_code(comparison.stack.backdrop)),
        ]
    )
    return Features(np.stack(frames), shared, others)


def _chosen(samples: Samples, index: int, frame: Composite, composite: Composite) -> np.ndarray:
    """(9, h, w): light, difference, deviations, headroom, inside."""
    gain = np.float32(2.0 ** samples.ev[index])
    return np.concatenate(
        [
            _planes(mu_code(samples.light[index] / gain)),
            np.clip(
                8 * _planes(contradiction(mu_code(frame.light) - mu_code(composite.light), frame, composite)),
                -4,
                4,
            ),
            np.log1p(deviation(frame, composite)).mean(axis=2)[None],
            samples.headroom[index][None],
            samples.trust[index][None],
        ]
    )


def _planes(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
