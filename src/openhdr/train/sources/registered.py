"""Brackets of three frames as a merge gives them to a network: registered by homographies, tones matched.

They are the prepared brackets that TrustNet trains on (`trustnet`), of which three frames are chosen as a merge
chooses them. What registration leaves, and what a measured response gets wrong, is in them; nothing is drawn twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError, RequestError
from openhdr.data.sample import Sample, truth_of
from openhdr.merging.registered import CLIPPED_SHARE
from openhdr.models.inference.selection import choose_three
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import shuffled
from openhdr.train.sources.simulated import picture_of
from openhdr.train.sources.trustnet import ComparedSource, open_compared
from openhdr.train.trustnet_sample import FACTS, ComparedBracket, compare_sample, compared_bracket


@dataclass(frozen=True)
class RegisteredSource:
    """Those of the prepared brackets that have a shorter and a longer frame than the reference."""

    compared: ComparedSource
    numbers: tuple[int, ...]

    @property
    def epoch(self) -> int:
        return len(self.numbers) * self.compared.config.cuts

    def sample(self, index: int) -> Sample:
        return picture_of(self, index // self.compared.config.cuts)

    def picture(self, index: int) -> Sample:
        number = self.numbers[shuffled(self.compared.seed, index, len(self.numbers))]
        return three_frames(self.compared.bracket(number))

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        samples, what = self.compared.validation(config)
        brackets = [compared_bracket(compare_sample(one), truth_of(one), one.name) for one in samples]
        three = [three_frames(one) for one in brackets if has_three(one.ev, one.reference)]
        return three, f"{len(three)} with three frames or more, registered, of {what}"


def has_three(ev: tuple[float, ...], reference: int) -> bool:
    """Whether a three-frame network can merge such a bracket."""
    try:
        choose_three(ev, reference)
    except RequestError:
        return False
    return True


def three_frames(bracket: ComparedBracket) -> Sample:
    """The light of three frames, 1.0 = that frame clips, with the truth.

    As in a merge by a network: where a frame does not reach, it shows what it would have recorded of the reference's
    light, or, where that clips, its own border repeated, if that is brighter.
    """
    parts = bracket.parts()
    chosen = choose_three(bracket.ev, bracket.reference)
    top = np.array(bracket.top, np.float32)[:, None, None]
    reference = np.minimum(parts["light"][bracket.reference] / top, 1)
    frames = []
    for index in chosen:
        light = np.minimum(parts["light"][index] / top * np.float32(2.0 ** bracket.ev[index]), 1)
        recorded = np.minimum(reference * np.float32(2.0 ** bracket.ev[index]), 1)
        bound = (reference >= CLIPPED_SHARE) & (parts["inside"][index] > 0).any()
        guess = np.where(bound, np.maximum(light, recorded), recorded)
        frames.append(np.where(parts["inside"][index] > 0, light, guess).transpose(1, 2, 0))
    ev = tuple(bracket.ev[index] for index in chosen)
    return Sample(bracket.name, tuple(frames), ev, 1, "linear", parts["truth"].transpose(1, 2, 0))


def open_registered(config: DataConfig, seed: int, cache: Path) -> RegisteredSource:
    """As `open_compared`. Raises FileError where no bracket has three frames."""
    source = open_compared(config, seed, cache)
    facts = [json.loads(source.brackets.piece(number, FACTS)) for number in range(source.brackets.samples)]
    numbers = tuple(k for k, one in enumerate(facts) if has_three(tuple(one["ev"]), one["reference"]))
    if not numbers:
        raise FileError(config.path, "has no bracket of three frames", "raise data.brackets")
    return RegisteredSource(source, numbers)
