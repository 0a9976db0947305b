"""Where training samples come from, one file a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from openhdr.core.table import Row, Table

if TYPE_CHECKING:
    import torch

    from openhdr.data.sample import Sample
    from openhdr.train.recipe import ValidationConfig

SampleT_co = TypeVar("SampleT_co", covariant=True)


class Source(Protocol[SampleT_co]):
    """Training samples by number: the same sample every time, whatever was asked before. A run that is resumed, or
    spread over processes, gets exactly the samples of one that is not.
    """

    @property
    def epoch(self) -> int:
        """Samples until all data were seen once (about, where samples are drawn)."""
        ...

    def sample(self, index: int) -> SampleT_co:
        """Sample number `index` >= 0."""
        ...

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        """Held-out samples, and a line that describes them."""
        ...


@runtime_checkable
class BatchSource(Protocol):
    """A source that makes whole batches where they are used; `sample` is not asked."""

    def batch(self, first: int, count: int, device: torch.device) -> dict[str, torch.Tensor]:
        """Samples `first` to `first + count`, which the objective's `of_batch` takes. Of brackets: frames
        (B, 3, 3, H, W) and truth (B, 3, H, W), gamma-coded; ev (B, 3).
        """
        ...


SOURCES: Table[Row] = Table(
    "source of data",
    Row(
        "simulated",
        "Brackets drawn from HDR scenes by the camera simulation.",
        "openhdr.train.sources.simulated:open_simulated",
    ),
    Row(
        "drawn",
        "Brackets drawn on the accelerator from packed panoramas.",
        "openhdr.train.sources.drawn:open_drawn",
        extra="torch",
    ),
    Row("patches", "Patches cut from a dataset on disk.", "openhdr.train.sources.patches:open_patches"),
    Row(
        "compared",
        "Simulated brackets, registered and compared once: for TrustNet.",
        "openhdr.train.sources.compared:open_compared",
    ),
    Row(
        "registered",
        "The same, three frames of each as a merge gives them to a network.",
        "openhdr.train.sources.registered:open_registered",
    ),
    Row(
        "views",
        "Views of HDR scenes, exposed anew as photos: for trustnet-single.",
        "openhdr.train.sources.views:open_views",
        extra="torch",
    ),
)
