"""What `openhdr simulate` writes: a folder a bracket (or the folder itself is one). See `data.simulated`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from openhdr.core.errors import FileError
from openhdr.data.dataset import Dataset, Entry, need_entries, subfolders
from openhdr.data.files import read_codes, read_json, read_linear
from openhdr.data.sample import Sample
from openhdr.data.simulated import FACTS, FORMAT, TRUTH

LAYOUT = "a folder a bracket with 0.png 1.png ..., gt.exr and scene.json"


def open_simulated(root: Path, split: str) -> Dataset:
    """All brackets."""
    folders = [root] if (root / FACTS).is_file() else subfolders(root)
    found = [folder for folder in folders if (folder / FACTS).is_file() or (folder / TRUTH).is_file()]
    entries = {
        folder.name: Entry((folder / FACTS, folder / TRUTH, folder / "0.png"), partial(_load, folder))
        for folder in found
    }
    return need_entries("simulated", root, LAYOUT, entries)


def shortest_ev(truth: Path) -> float | None:
    """Stops of a bracket's shortest frame relative to its reference; None where `truth` is no bracket's gt.exr."""
    if truth.name != TRUTH or not truth.with_name(FACTS).is_file():
        return None
    facts = _facts(truth.parent)
    return float(min(facts["ev"]) - facts["ev"][int(facts["reference_index"])])


def _facts(folder: Path) -> dict[str, Any]:
    facts = read_json(folder / FACTS)
    if facts.get("format") != FORMAT:
        raise FileError(folder / FACTS, f"has format {facts.get('format')!r}", f"expected '{FORMAT}'")
    return facts


def _load(folder: Path) -> Sample:
    facts = _facts(folder)
    frames = tuple(read_codes(folder / f"{number}.png") for number in range(len(facts["ev"])))
    truth = read_linear(folder / TRUTH)
    ev = tuple(float(stop) for stop in facts["ev"])
    return Sample(folder.name, frames, ev, int(facts["reference_index"]), facts["response"], truth)
