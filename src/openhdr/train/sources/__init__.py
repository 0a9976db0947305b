"""Where training samples come from, one file a source.

A source has the methods of `openhdr.train.sources.contract.Source`.
"""

from __future__ import annotations

from openhdr.core.table import Row, Table

SOURCES: Table[Row] = Table(
    "source of data",
    Row(
        "simulated",
        "Brackets drawn from HDR scenes by the camera simulation.",
        "openhdr.train.sources.simulated:open_simulated",
    ),
    Row("patches", "Patches cut from a dataset on disk.", "openhdr.train.sources.patches:open_patches"),
    Row(
        "compared",
        "Simulated brackets, registered and compared once: for TrustNet.",
        "openhdr.train.sources.trustnet:open_compared",
    ),
)
