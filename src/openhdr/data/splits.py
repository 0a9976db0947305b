"""Splits: lists in `splits/*.json`, each with its source, and the helper that keeps held-out scenes out of training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from openhdr.core.errors import RequestError

TRAINABLE = ("train", "weak")
HELD_OUT = ("validation", "public_test")


@cache
def _lists(name: str) -> dict[str, Any]:
    return json.loads(resources.files("openhdr.data").joinpath("splits", f"{name}.json").read_text())


def panoramas(split: str) -> Mapping[str, str]:
    """Scene name -> SHA-256 of its file, of `train`, `weak`, `validation` or `public_test`."""
    known = (*TRAINABLE, *HELD_OUT)
    if split not in known:
        raise RequestError(f"unknown split '{split}'; choose one of: {', '.join(known)}")
    return _lists("panoramas")[split]


@dataclass(frozen=True)
class NumberedSplit:
    """Scenes by number. numbers: those listed; but: the split is all others. source: whose list it is, one sentence."""

    numbers: frozenset[int]
    but: bool
    source: str

    def __contains__(self, number: int) -> bool:
        return (number in self.numbers) != self.but


def numbered(dataset: str, split: str) -> NumberedSplit:
    """A listed split of `sice`, `sice-s` or `hdm`."""
    lists = _lists(dataset)
    facts = lists[split]
    ranges = (text.split("-") for text in lists[facts.get("all_but", split)]["numbers"])
    numbers = frozenset(n for ends in ranges for n in range(int(ends[0]), int(ends[-1]) + 1))
    return NumberedSplit(numbers, "all_but" in facts, facts["source"])


def held_out_in(names: Iterable[str], hashes: Iterable[str] = ()) -> dict[str, str]:
    """Held-out scenes among names (paths count by their stem) and file hashes -> the split that owns them."""
    owner = {name: split for split in HELD_OUT for name in panoramas(split)}
    owner |= {digest: split for split in HELD_OUT for digest in panoramas(split).values()}
    keys = [Path(name).stem for name in names] + list(hashes)
    return {key: owner[key] for key in keys if key in owner}


def refuse_held_out(names: Iterable[str], hashes: Iterable[str] = ()) -> None:
    """Raise RequestError when a training run would read a validation or test scene.

    Renaming a file does not help: hashes of the files are compared too where given.
    """
    found = held_out_in(names, hashes)
    if found:
        listed = ", ".join(f"{key[:24]} ({split})" for key, split in found.items())
        raise RequestError(f"training data holds scenes that are held out: {listed}; take them out")
