"""TOML tables -> frozen dataclasses, strictly: unknown keys and wrong types are errors that say what to write."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast, get_type_hints

from openhdr.core.config import checked
from openhdr.core.errors import RequestError, unknown_name

ConfigT = TypeVar("ConfigT")


def build(config: type[ConfigT], table: Mapping[str, Any], where: str = "") -> ConfigT:
    """A dataclass from a table of the differences to its defaults.

    where: the table's dotted name, for messages. Raises RequestError for a key that is not a field (naming the
    nearest) or a value of another type than the field's.
    """
    hints = get_type_hints(config)
    known = [field.name for field in fields(cast(Any, config))]
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{where}.{key}".strip(".")
        if key not in known:
            raise unknown_name(f"key of recipe table [{where}]" if where else "recipe key", key, known)
        if not is_dataclass(hints[key]):
            values[key] = checked(f"recipe key '{name}'", value, hints[key])
        elif isinstance(value, Mapping):
            values[key] = build(hints[key], value, name)
        else:
            raise RequestError(f"recipe key '{name}' is {value!r}; expected a table [{name}]")
    return config(**values)


def override(table: dict[str, Any], assignment: str) -> None:
    """Apply `a.b=value` to nested tables. The value is TOML; a bare word is a string."""
    name, equals, text = assignment.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or not all(keys):
        raise RequestError(f"`changes={assignment}`: expected KEY=VALUE, such as optimiser.lr=1e-4")
    for depth, key in enumerate(keys[:-1]):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise RequestError(f"`changes={assignment}`: '{'.'.join(keys[: depth + 1])}' is not a table")
    try:
        table[keys[-1]] = tomllib.loads(f"value = {text.strip()}")["value"]
    except (ValueError, RecursionError):
        table[keys[-1]] = text.strip()


def differences(
    one: Mapping[str, Any], other: Mapping[str, Any], where: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Dotted names of values in which two plain configurations differ -> both values."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted(one.keys() | other.keys()):
        name = f"{where}.{key}".strip(".")
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found |= differences(a, b, name)
        elif a != b:
            found[name] = (a, b)
    return found
