"""Plain values of TOML and JSON: checked against the types of dataclass fields, and made of dataclasses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from openhdr.core.errors import RequestError, unknown_name

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}


def checked(label: str, value: Any, hint: Any) -> Any:
    """The value as a field of type `hint` holds it: lists as tuples, whole numbers as floats where one is wanted.

    label: what the value is, for messages: `recipe key 'run.batch'`. Raises RequestError for a value of another type
    (naming the nearest of a `Literal`). Types that are not checked, such as mappings, take any value.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in parts:
            raise unknown_name(f"value of {label},", str(value), map(str, parts))
        return value
    if origin is tuple:
        fixed = parts[-1] is not Ellipsis
        if not isinstance(value, list | tuple) or (fixed and len(value) != len(parts)):
            raise _wrong(label, value, f"a list of {len(parts)} values" if fixed else "a list")
        hints = parts if fixed else [parts[0]] * len(value)
        return tuple(checked(label, item, kind) for item, kind in zip(value, hints, strict=True))
    if origin is not None or hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _wrong(label, value, _WORDS.get(hint, hint.__name__))
    return value


def _wrong(label: str, value: Any, expected: str) -> RequestError:
    return RequestError(f"{label} is {value!r}; expected {expected}")


def plain(value: Any, number: Callable[[float], Any] = float, class_key: str = "") -> Any:
    """Dataclasses and mappings as dicts, sequences as lists, NumPy's scalars as Python's, paths as texts.

    number: what becomes of a float. class_key: key under which a dataclass is named; empty = it is not.
    """
    if is_dataclass(value) and not isinstance(value, type):
        named = {class_key: type(value).__name__} if class_key else {}
        return named | {one.name: plain(getattr(value, one.name), number, class_key) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item, number, class_key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, number, class_key) for item in value]
    if isinstance(value, Path):
        return str(value)
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    return number(value) if isinstance(value, float) else value
