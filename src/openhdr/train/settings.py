"""TOML tables -> frozen dataclasses, strictly: unknown keys and wrong types are errors that say what to write."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from openhdr.core.errors import RequestError, unknown_name

ConfigT = TypeVar("ConfigT")


def build(config: type[ConfigT], table: Mapping[str, Any], where: str = "") -> ConfigT:
    """A dataclass from a table of the differences to its defaults.

    where: the table's dotted name, for messages. Raises RequestError for a key that is not a field (naming the
    nearest) or a value of another type than the field's.
    """
    hints = _hints(config)
    values = {}
    for key, value in table.items():
        name = f"{where}.{key}".strip(".")
        if key not in hints:
            raise unknown_name(f"key of recipe table [{where}]" if where else "recipe key", key, list(hints))
        values[key] = _checked(name, value, hints[key])
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
    table[keys[-1]] = _value(text.strip())


def plain(config: Any) -> Any:
    """A configuration as tables, lists and values: what JSON and TOML can hold."""
    if is_dataclass(config) and not isinstance(config, type):
        return {field.name: plain(getattr(config, field.name)) for field in fields(config)}
    if isinstance(config, Mapping):
        return {key: plain(value) for key, value in config.items()}
    return [plain(item) for item in config] if isinstance(config, tuple | list) else config


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


def _hints(config: Any) -> dict[str, Any]:
    hints = get_type_hints(config)
    return {field.name: hints[field.name] for field in fields(config)}


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _checked(name: str, value: Any, hint: Any) -> Any:
    """The value as a field of type `hint` holds it."""
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise _wrong(name, value, f"a table [{name}]")
        return build(hint, value, name)
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise unknown_name(f"value of recipe key '{name}',", str(value), map(str, get_args(hint)))
        return value
    if origin is tuple:
        return _checked_tuple(name, value, get_args(hint))
    if origin is not None:
        return value
    return _checked_plain(name, value, hint)


def _checked_tuple(name: str, value: Any, parts: Sequence[Any]) -> tuple[Any, ...]:
    fixed = parts[-1] is not Ellipsis
    if not isinstance(value, list | tuple) or (fixed and len(value) != len(parts)):
        raise _wrong(name, value, f"a list of {len(parts)} values" if fixed else "a list")
    hints = parts if fixed else [parts[0]] * len(value)
    return tuple(_checked_plain(name, item, hint) for item, hint in zip(value, hints, strict=True))


def _checked_plain(name: str, value: Any, hint: type) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}
        raise _wrong(name, value, words.get(hint, hint.__name__))
    return value


def _wrong(name: str, value: Any, expected: str) -> RequestError:
    return RequestError(f"recipe key '{name}' is {value!r}; expected {expected}")
