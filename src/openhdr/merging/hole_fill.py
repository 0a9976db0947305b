"""What may lie where no frame measured: bright surroundings, carried on smoothly and never below what is known."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.color.channels import along_row, any_channel, per_channel
from openhdr.merging.composite import Composite
from openhdr.merging.registered import CLIPPED_SHARE

SURELY_BELOW = 0.97  # share of its clipping level below which a channel beside a clipped one is measured


def make_hole_fill(composite: Composite, top: np.ndarray) -> np.ndarray:
    """Radiance for places of which only a lower bound is known: carried over from the known bright surroundings.

    Channels that are measured keep their value; the others take the smooth continuation, never less than the bound.
    """
    if not composite.bound.any():
        return composite.light
    row = along_row(top, composite.light.shape[1])
    only_reference = any_channel(composite.bound & (composite.light <= row))
    beyond = ~only_reference & any_channel(composite.light > np.float32(CLIPPED_SHARE) * row)
    known = np.asarray(beyond, np.float32)
    smooth = pull_push(np.log(np.maximum(composite.light, 1e-6)), known)
    # a channel that is measured tells how bright the continuation may be in the others
    # (beside a clipped one, compression makes values near clipping worthless: `sure` fades them out)
    open_places = any_channel(composite.bound)
    light, bound = composite.light[open_places], composite.bound[open_places]
    smooth = np.exp(smooth[open_places])
    sure = np.where(bound, 0, np.clip((SURELY_BELOW - light / top) / 0.15, 0, 1))
    ratio = np.minimum(light / np.maximum(smooth, 1e-6), 1) ** sure
    smooth *= ratio.min(axis=1, keepdims=True)
    result = composite.light.copy()
    result[open_places] = light * np.maximum(smooth / np.maximum(light, 1e-6), 1) ** (1 - sure)
    return result


def pull_push(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fill the places of weight 0 from the nearest others, coarse to fine (Gortler et al. 1996, section 3.4).

    values: (h, w, 3) float32; weight: (h, w) float32 0..1. Where all weights are 0 the values come back.
    """
    if not weight.any():
        return values
    levels = [(values * per_channel(weight), weight)]
    while min(levels[-1][1].shape) > 1:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled = levels[-1][0] / per_channel(np.maximum(levels[-1][1], 1e-9))
    for total, known in reversed(levels[:-1]):
        # a place that any of its near neighbours speak for is theirs; a plain blend would let far ones shine through
        coarse = cv2.pyrUp(filled, dstsize=known.shape[::-1]).reshape(total.shape)
        own = total / per_channel(np.maximum(known, 1e-6))
        filled = coarse + per_channel(np.minimum(16 * known, 1)) * (own - coarse)
    return filled
