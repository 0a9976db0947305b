"""Frames as a network takes them: whole pictures of light in the reference's geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openhdr.core.threads import in_threads
from openhdr.merging.samples import CLIPPED_SHARE, Samples, Stack
from openhdr.merging.strips import STRIP_PIXELS


def registered_light(stack: Stack, chosen: Sequence[int]) -> list[np.ndarray]:
    """(H, W, 3) float32 0..1 for each chosen frame, 1 = that frame clips.

    Where a frame does not reach, it shows what it would have recorded of the reference's light, or, where that
    clips, its own border repeated, if that is brighter.
    """
    plain = replace(stack, trust=[None] * len(stack.trust))  # ghosts are for the network to see
    height, width = stack.shape
    step = max(STRIP_PIXELS // width, 8)
    result = [np.empty((height, width, 3), np.float32) for _ in chosen]

    def work(rows: slice) -> None:
        samples = plain.samples(rows)
        for whole, index in zip(result, chosen, strict=True):
            whole[rows] = _completed(samples, index, stack.placements[index].status != "rejected")

    in_threads(work, [slice(top, min(top + step, height)) for top in range(0, height, step)])
    return result


def _completed(samples: Samples, index: int, same_scene: bool) -> np.ndarray:
    light = np.minimum(samples.light[index] / samples.top[index], 1)
    missing = samples.trust[index] <= 0
    if missing.any():
        reference = samples.light[samples.reference][missing] / samples.top[samples.reference]
        stops = samples.ev[index] - samples.ev[samples.reference]
        recorded = np.minimum(reference, 1) * np.float32(2.0**stops)
        # where the reference clips it is only a lower bound, and the frame's nearest light a better guess
        bound = same_scene & (reference >= np.float32(CLIPPED_SHARE))
        light[missing] = np.where(bound, np.maximum(light[missing], recorded), recorded)
    return np.minimum(light, 1, out=light)
