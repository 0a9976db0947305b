"""Layer 4: classical mergers, one row each, and deghosting.

A radiance merger is a function `(samples) -> (radiance, weight)` for one strip; a display merger a function
`(stack) -> codes` for the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openhdr.core.table import Row, Table


@dataclass(frozen=True)
class MergerRow(Row):
    """output: `radiance` (scene-linear, needs exposures) or `display` (a picture to look at)."""

    output: Literal["radiance", "display"] = "radiance"


MERGERS: Table[MergerRow] = Table(
    "merge method",
    MergerRow("mle", "Maximum likelihood under photon and read noise.", "openhdr.merging.mle:combine"),
    MergerRow("debevec", "Debevec & Malik 1997: mean of log radiance.", "openhdr.merging.debevec:combine"),
    MergerRow("robertson", "Robertson et al. 2003: Gaussian weights.", "openhdr.merging.robertson:combine"),
    MergerRow(
        "mertens",
        "Mertens et al. 2007: exposure fusion for display.",
        "openhdr.merging.mertens:fuse",
        output="display",
    ),
)

DEFAULT = "mle"
