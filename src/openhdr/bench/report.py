"""The report of a benchmark: one HTML page, see assets/report.js."""

from __future__ import annotations

from pathlib import Path

from openhdr.bench.page import write_page
from openhdr.bench.results import Results
from openhdr.bench.run import Album


def write_report(results: Results, album: Album, path: Path) -> None:
    """Write the page; it appears whole or not at all."""
    facts = {
        "results": results.facts(),
        "scenes": album.scenes,
        "lossless": album.options.lossless,
    }
    write_page(path, "report", f"openhdr bench: {results.about['case']['title']}", facts, album.store)
