"""Tables of scores as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark_pages.stored import DEFAULT_INVERSE_TONE_MAPPER, DEFAULT_MERGER, PHOTO, Stored


@dataclass(frozen=True)
class Head:
    """A column: its words, how a method's value is found, and which way is better (0 = neither)."""

    text: str
    value: Callable[[str], float | None]
    digits: int = 2
    better: int = 1


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def scores(stored: Stored, names: Sequence[str], heads: Sequence[Head]) -> str:
    """One row a method; the best of each column is bold."""
    best = {head.text: _best(head, names) for head in heads}
    rows = [
        [shown_name(stored, name), *(_cell(head.value(name), head, best[head.text]) for head in heads)]
        for name in names
    ]
    return table(["method", *(head.text for head in heads)], rows)


def _best(head: Head, names: Sequence[str]) -> str | None:
    """As text, so that equal as printed is equally bold."""
    values = [value for value in map(head.value, names) if value is not None]
    return (
        f"{max(head.better * value for value in values) * head.better:.{head.digits}f}"
        if head.better and values
        else None
    )


def _cell(value: float | None, head: Head, best: str | None) -> str:
    if value is None:
        return "-"
    text = f"{value:.{head.digits}f}"
    return f"**{text}**" if text == best else text


def shown_name(stored: Stored, name: str) -> str:
    chosen = stored.methods[name]["method"] in (DEFAULT_MERGER, DEFAULT_INVERSE_TONE_MAPPER)
    return f"`{name}`" + (" (default)" if chosen and not stored.is_variant(name) else "")


def metric_head(stored: Stored, key: str, group: str | None = None) -> Head:
    """A column of a metric's means."""
    column = stored.columns[key]
    unit = f", {column['unit']}" if column["unit"] else ""
    text = f"{key}{unit}" if group is None else group
    better = 1 if column["higher_is_better"] else -1
    return Head(text, lambda name: stored.mean(name, key, group), 2 if column["unit"] else 4, better)


def ordered(stored: Stored, key: str) -> list[str]:
    """Methods, best first; the photo last, because it is what the others are compared with."""
    sign = -1 if stored.columns[key]["higher_is_better"] else 1
    known = [name for name in stored.methods if stored.mean(name, key) is not None and name != PHOTO]
    return [*sorted(known, key=lambda name: sign * (stored.mean(name, key) or 0)), PHOTO]
