"""The table of tone mapping operators and programs."""

from __future__ import annotations

import json

from benchmark_pages.markdown import table
from benchmark_pages.stored import FOLDER
from openhdr.tonemapping import DEFAULT

COLUMNS = {"tmqi": 3, "tmqi-naturalness": 3, "cpu_s": 2}
HEADS = ["operator or program", "TMQI", "its naturalness", "processor s"]


def toned_table() -> str:
    """Means over the scenes, highest TMQI first."""
    facts = json.loads((FOLDER / "tonemapping" / "results.json").read_text(encoding="utf-8"))
    names = sorted(facts["means"], key=lambda name: -facts["means"][name]["tmqi"])
    rows = [
        [f"`{name}`" + (" (default)" if name == DEFAULT else "")]
        + [f"{facts['means'][name][key]:.{digits}f}" for key, digits in COLUMNS.items()]
        for name in names
    ]
    return f"Means of {len(facts['scenes'])} public scenes, 1,024 pixels wide or high.\n\n" + table(
        HEADS, rows
    )
