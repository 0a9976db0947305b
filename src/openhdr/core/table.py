"""Tables of interchangeable things: one explicit row each, with cheap facts and a lazy target.

A folder of mergers, tone mappers, metrics, networks or formats lists its items in a `Table` in its
`__init__`. Reading a row imports nothing; `row.load()` imports the item's file. No scanning, no decorators.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from openhdr.core.errors import MissingExtraError, unknown_name


@dataclass(frozen=True)
class Row:
    """One item: its public name, a line of help, and where its code lives (`"package.module:attribute"`)."""

    name: str
    summary: str
    target: str
    extra: str = ""  # optional dependency group that the target needs

    def load(self) -> Any:
        """Import and return the target. Raises MissingExtraError when its extra is not installed."""
        module, attribute = self.target.split(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if not self.extra or (error.name or "").startswith("openhdr"):
                raise
            raise MissingExtraError(f"'{self.name}' needs '{error.name}', which", self.extra) from error


RowT = TypeVar("RowT", bound=Row)


class Table(Mapping[str, RowT], Generic[RowT]):
    """An ordered, read-only mapping from name to row; an unknown name is a RequestError with the nearest."""

    def __init__(self, kind: str, *rows: RowT) -> None:
        self.kind = kind
        self._rows = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError(f"two rows of the table of {kind}s share a name")

    def __getitem__(self, name: str) -> RowT:
        if name not in self._rows:
            raise unknown_name(self.kind, name, self._rows)
        return self._rows[name]

    def __contains__(self, name: object) -> bool:  # Mapping's own would need a KeyError from __getitem__
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
