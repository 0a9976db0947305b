"""A three-frame network of `openhdr.models` as a merge method: it sees the frames registered and linearised, ghosts and
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from openhdr.core.image import Bracket
from openhdr.core.threads import in_threads
from openhdr.merging import DEFAULT
from openhdr.merging.merger import Merger
from openhdr.merging.registered import CLIPPED_SHARE, RegisteredBracket, Strip
from openhdr.merging.strips import Merged, strips_of
from openhdr.models import WEIGHTS
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.inference.selection import choose_three


@dataclass(frozen=True)
class NetworkMerger(Merger):
    """network: a row of `MODELS`. weights: a row of `WEIGHTS`, or a file. run: memory, device, precision ..."""

    masks_ghosts: ClassVar[bool] = False

    network: str
    weights: str | Path
    run: RunOptions

    def frames_of(self, bracket: Bracket) -> tuple[int, ...]:
        return choose_three(bracket.ev.tolist(), bracket.reference)

    def notes_on(self, bracket: Bracket) -> tuple[str, ...]:
        """Where the frames lie farther apart, or nearer, than the weights know."""
        steps = np.diff(bracket.ev[list(self.frames_of(bracket))])
        name = str(self.weights)
        suited = WEIGHTS[name].ev_steps if name in WEIGHTS else None
        if suited is None or WEIGHTS[name].suits(steps.tolist()):
            return ()
        least, most = suited
        found = " and ".join(f"{step:.1f}" for step in steps)
        return (
            f"the weights '{name}' were made for steps of {least:g} to {most:g} EV between the frames; here they "
            f"are {found} EV, and shadows may come out speckled ({DEFAULT}, the default method, takes any steps)",
        )

    def merge(self, registered: RegisteredBracket) -> Merged:
        from openhdr.models import load_for_use  # needs torch
        from openhdr.models.inference.three_frames import reconstruct

        network = load_for_use(self.network, self.weights)
        chosen = self.frames_of(registered.bracket)
        light = registered_light(registered, chosen)
        ev = registered.bracket.ev[list(chosen)]
        return Merged(reconstruct(network, light, ev.tolist(), reference=1, options=self.run))


def registered_light(registered: RegisteredBracket, chosen: Sequence[int]) -> list[np.ndarray]:
    """(H, W, 3) float32 0..1 for each chosen frame, 1 = that frame clips.

    Where a frame does not reach, it shows what it would have recorded of the reference's light, or, where that
    clips, its own border repeated, if that is brighter.
    """
    unmasked = replace(registered, consistency=[])  # ghosts are for the network to see
    height, width = registered.shape
    result = [np.empty((height, width, 3), np.float32) for _ in chosen]

    def work(rows: slice) -> None:
        strip = unmasked.strip(rows)
        for whole, index in zip(result, chosen, strict=True):
            whole[rows] = _completed(strip, index, registered.registrations[index].status != "rejected")

    in_threads(work, strips_of(height, width))
    return result


def _completed(strip: Strip, index: int, same_scene: bool) -> np.ndarray:
    light = np.minimum(strip.light[index] / strip.top[index], 1)
    missing = strip.consistency[index] <= 0
    if missing.any():
        reference = strip.light[strip.reference][missing] / strip.top[strip.reference]
        stops = strip.ev[index] - strip.ev[strip.reference]
        recorded = np.minimum(reference, 1) * np.float32(2.0**stops)
        # where the reference clips it is only a lower bound, and the frame's nearest light a better guess
        bound = same_scene & (reference >= np.float32(CLIPPED_SHARE))
        light[missing] = np.where(bound, np.maximum(light[missing], recorded), recorded)
    return np.minimum(light, 1, out=light)
