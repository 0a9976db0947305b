"""What a merge method is: three steps of `openhdr.pipeline.merge_bracket`, of which two may do nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from openhdr.core.image import Bracket, Encoding
from openhdr.merging.ghosts import CompareOptions, Comparison
from openhdr.merging.registered import RegisteredBracket, Strip
from openhdr.merging.strips import Merged, merge_strips


class Merger(ABC):
    """A merge method, without state of its own.

    encoding: of what it makes: `linear` light, or an `srgb` picture for display.
    masks_ghosts: whether it leaves out what is marked as a ghost; a method that sees ghosts itself is shown all.
    compares_at: megapixels at which frames are compared for it, at most.
    """

    encoding: ClassVar[Encoding] = "linear"
    masks_ghosts: ClassVar[bool] = True
    compares_at: ClassVar[float] = CompareOptions.working_megapixels

    def frames_of(self, bracket: Bracket) -> tuple[int, ...]:
        """Indices of the frames that it merges. Raises RequestError when the bracket lacks one that it needs."""
        return tuple(range(len(bracket.frames)))

    def notes_on(self, bracket: Bracket) -> tuple[str, ...]:
        """What a user should know of this method on this bracket, one sentence each."""
        return ()

    def decide(self, comparison: Comparison) -> RegisteredBracket:
        """What was found out about the frames, corrected."""
        return comparison.registered

    @abstractmethod
    def merge(self, registered: RegisteredBracket) -> Merged:
        """One picture of all frames."""

    def refine(self, registered: RegisteredBracket, merged: Merged) -> Merged:
        """The merged picture, improved."""
        return merged


@dataclass(frozen=True)
class StripMerger(Merger):
    """A formula for one strip, which every strip of the picture goes through.

    combine: strip -> (radiance (h, W, 3) on the reference's scale, weight (h, W)); weight 0 = nothing usable was seen.
    """

    combine: Callable[[Strip], tuple[np.ndarray, np.ndarray]]

    def merge(self, registered: RegisteredBracket) -> Merged:
        return merge_strips(registered, self.combine)
