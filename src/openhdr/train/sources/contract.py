"""What a source of training samples offers."""

from __future__ import annotations

from typing import Protocol, TypeVar

from openhdr.data.sample import Sample
from openhdr.train.recipe import ValidationConfig

SampleT_co = TypeVar("SampleT_co", covariant=True)


class Source(Protocol[SampleT_co]):
    """Training samples by number: the same sample every time, whatever was asked before. A run that is resumed, or
    spread over processes, sees exactly the samples of one that is not.
    """

    @property
    def epoch(self) -> int:
        """Samples until all data were seen once (about, where samples are drawn)."""
        ...

    def sample(self, index: int) -> SampleT_co:
        """Sample number `index` >= 0."""
        ...

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        """Held-out samples, and a line that says what they are."""
        ...
