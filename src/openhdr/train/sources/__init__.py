"""Where training samples come from, one file a source.

A source answers `sample(index)` for any index >= 0 with the same sample every time, whatever was asked before:
a run that is resumed, or spread over processes, sees exactly the samples of one that is not.

    epoch                  samples until all data were seen once (about, where samples are drawn)
    sample(index)          a training sample
    validation(config)     held-out samples, and a line that says what they are
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
