"""Brackets of three frames as a merge gives them to a network: registered by homographies, tones matched.

They are the prepared brackets that TrustNet trains on (`trustnet`), of which three frames are chosen as a merge
chooses them. What registration leaves, and what a measured response gets wrong, is in them; nothing is drawn twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError, RequestError
from openhdr.data.sample import Sample, truth_of
from openhdr.merging.registered import CLIPPED_SHARE
from openhdr.models.inference.selection import choose_three
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.compared import ComparedSource, open_compared
from openhdr.train.sources.shard_index import shuffled
from openhdr.train.sources.simulated import picture_of
from openhdr.train.trustnet_sample import ComparedBracket, compare_sample, compared_bracket

MOST_STOPS = 0.02  # by which exposed light of the reference may differ from the truth, as a median
FAINTEST = 0.03  # light below which noise decides
LOOK_AT_ROWS = 20  # every so many rows tell the curve

_MOST_KEPT = 1_500_000_000  # bytes of brackets in memory; one of 384 x 320 takes 6 million


@dataclass(frozen=True)
class RegisteredSource:
    """Those of the prepared brackets that suit. kept: what was read of them, by number."""

    compared: ComparedSource
    numbers: tuple[int, ...]
    kept: dict[int, Sample] = field(default_factory=dict, compare=False, repr=False)

    @property
    def epoch(self) -> int:
        return len(self.numbers) * self.compared.config.cuts

    def sample(self, index: int) -> Sample:
        return picture_of(self, index // self.compared.config.cuts)

    def picture(self, index: int) -> Sample:
        number = self.numbers[shuffled(self.compared.seed, index, len(self.numbers))]
        if number in self.kept:
            return self.kept[number]
        found = three_frames(self.compared.bracket(number))
        if sum(one.nbytes for one in (*self.kept.values(), found)) <= _MOST_KEPT:
            self.kept[number] = found
        return found

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        samples, what = self.compared.validation(config)
        brackets = [compared_bracket(compare_sample(one), truth_of(one), one.name) for one in samples]
        three = [three_frames(one) for one in brackets if suits(one)]
        return three, f"{len(three)} that suit, registered, of {what}"


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
    return Sample(bracket.name, tuple(frames), ev, 1, "linear", parts["truth"].transpose(1, 2, 0).copy())


def open_registered(config: DataConfig, seed: int, cache: Path) -> RegisteredSource:
    """As `open_compared`. Raises FileError where no bracket can be used."""
    source = open_compared(config, seed, cache)
    numbers = tuple(number for number in range(source.brackets.samples) if suits(source.bracket(number)))
    if not numbers:
        raise FileError(config.path, "has no bracket of three frames and known curve", "raise data.brackets")
    return RegisteredSource(source, numbers)


def suits(bracket: ComparedBracket) -> bool:
    """Whether it has three frames, and its reference shows the light of the truth wherever it is well exposed.

    A curve that was taken for another, or shadows that a camera lifted, cannot be told from pixels: from such
    brackets a network learns to bend all light a little.
    """
    if not has_three(bracket.ev, bracket.reference):
        return False
    parts = bracket.changed(lambda planes: planes[::LOOK_AT_ROWS]).parts()
    exposed = parts["saturation_weight"][bracket.reference] > 0.9
    exposed &= parts["truth"].min(axis=0) > FAINTEST
    if not exposed.any():
        return False
    shown, true = (light[:, exposed] for light in (parts["light"][bracket.reference], parts["truth"]))
    stops = np.median(np.log2(np.maximum(shown, 1e-4) / true), axis=1)
    return float(np.abs(stops).max()) < MOST_STOPS
