"""Options, declared once: as fields of the frozen dataclasses that the library takes.

    @dataclass(frozen=True)
    class BlurOptions:
        radius: float = option("Standard deviation in pixels.", 1.5)

The command line makes `--radius` of such a field (`openhdr.cli.shared.command`), and the reference pages its help. A
field declared otherwise is for Python only. `checked` refuses values outside of a field's bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from openhdr.core.errors import RequestError

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True)
class Declared:
    """What a command needs to know of a field.

    help: one sentence. flags: as the command line spells it, empty = `--name`. kind: a click type where the
    annotation does not say enough. metavar: what stands for the value in the help. positional: not an option but an
    argument. bounds: least and largest value of a number. heading: under which the help lists it; empty = the first.
    idle_with: other options of the dataclass that leave this one without effect.
    """

    help: str
    flags: tuple[str, ...] = ()
    kind: Any = None
    metavar: str | None = None
    positional: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    heading: str = ""
    idle_with: tuple[str, ...] = ()


def option(
    help: str,
    default: Any = MISSING,
    *,
    flags: tuple[str, ...] = (),
    kind: Any = None,
    metavar: str | None = None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    heading: str = "",
    idle_with: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that a command offers; without a default it has to be given."""
    declared = Declared(help, flags, kind, metavar, False, bounds, heading, idle_with)
    return field(default=default, metadata={"option": declared})


def argument(metavar: str, *, kind: Any = None, default: Any = MISSING) -> Any:
    """A dataclass field that a command takes by position; `tuple[...]` takes one or more."""
    return field(default=default, metadata={"option": Declared("", (), kind, metavar, positional=True)})


def nested(config: type, *, without: tuple[str, ...] = ()) -> Any:
    """A dataclass field that is itself such a dataclass; its options stand among the command's own."""
    return field(default_factory=config, metadata={"nested": config, "without": without})


def choice(table: Iterable[str], default: str, more: str = "") -> str:
    """What an option of a table offers, for its help: `a, b or c.  [default: b]`."""
    *names, last = [*table, more] if more else table
    return f"{', '.join(names)} or {last}.  [default: {default}]"


def checked(options: OptionsT) -> OptionsT:
    """The options as they are. Raises RequestError for a number that is outside of its bounds, or none at all.

    Options without bounds are not looked at.
    """
    for one in fields(options):  # type: ignore[arg-type]  # a dataclass
        value = getattr(options, one.name)
        if "option" not in one.metadata or value is None:
            continue
        least, most = one.metadata["option"].bounds
        if (least, most) == (-math.inf, math.inf):
            continue
        if not isinstance(value, int | float) or not least <= value <= most:  # false for NaN, too
            raise RequestError(f"`{one.name}={value}`: expected a number from {least:g} to {most:g}")
    return options
