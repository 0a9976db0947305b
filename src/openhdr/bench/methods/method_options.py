"""Options of a method as text: `mle:align=none,deghost=off,response=calibrate`.

The names and types are those of the options' dataclasses (`pipeline.MergeOptions`, ...); options of the dataclasses
within count as theirs: `device` of `RunOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from openhdr.core.errors import RequestError, unknown_name

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True)
class NoOptions:
    """Of a task that has none."""


_SWITCH = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}
_NOT_TEXT = ("ev", "times", "method")  # of the bracket, or said before the colon


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """`mle:align=none,deghost=off` -> the name and its options. Raises RequestError for what is no KEY=VALUE."""
    name, _, rest = text.partition(":")
    found = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise RequestError(f"method '{text}': '{part}' is no option; expected NAME:KEY=VALUE,KEY=VALUE")
        found[key.strip().replace("-", "_")] = value.strip()
    return name.strip(), found


def typed_options(kind: type, texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of texts as the fields of a dataclass want them. Raises RequestError naming what is expected."""
    known = options_of(kind)
    found = {}
    for key, text in texts.items():
        if key not in known:
            raise unknown_name("option of a method", key, known)
        found[key] = _value(key, text, known[key])
    return found


def with_options(options: OptionsT, changes: Mapping[str, Any]) -> OptionsT:
    """The same options with some changed, those of the dataclasses within too."""
    changed = {}
    for field in fields(options):  # type: ignore[arg-type]
        value = getattr(options, field.name)
        if field.name in changes:
            changed[field.name] = changes[field.name]
        elif is_dataclass(value) and not isinstance(value, type):
            changed[field.name] = with_options(value, changes)
    return replace(options, **changed)  # type: ignore[type-var]


def options_of(kind: type) -> dict[str, set[str]]:
    """{name: its type's alternatives, as written} of the fields that text can give."""
    found: dict[str, set[str]] = {}
    for one in fields(kind):
        value = one.default if one.default_factory is MISSING else one.default_factory()
        if is_dataclass(value):
            found |= options_of(type(value))
        elif one.name not in _NOT_TEXT:
            found[one.name] = {part.strip() for part in str(one.type).split("|")}
    return found


def _value(key: str, text: str, kinds: set[str]) -> Any:
    """A text as the first kind that takes it: a switch, a number, the text itself."""
    if "bool" in kinds and text.lower() in _SWITCH:
        return _SWITCH[text.lower()]
    for name, number in (("int", int), ("float", float)):
        if name in kinds:
            try:
                return number(text)
            except ValueError:
                continue
    if kinds & {"bool", "int", "float"} and "str" not in kinds:
        raise RequestError(f"option {key}={text}: expected {'on or off' if 'bool' in kinds else 'a number'}")
    return text
