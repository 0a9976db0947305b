"""Options of a method as text: `mle:align=none,deghost=off,response=calibrate`.

The names and types are those of the options' dataclasses (`pipeline.MergeOptions`, ...); options of the dataclasses
within count as theirs: `reference` of `ExposureRequest`, `device` of `RunOptions`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from openhdr.core.errors import RequestError, unknown_name

OptionsT = TypeVar("OptionsT")

_SWITCH = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}
_NOT_TEXT = ("ev", "times_s", "method")  # of the bracket, or said before the colon


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
    types_by_name = _options_of(kind)
    found = {}
    for key, text in texts.items():
        if key not in types_by_name:
            raise unknown_name("option of a method", key, types_by_name)
        found[key] = _value(key, text, types_by_name[key])
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


def _options_of(kind: type) -> dict[str, Any]:
    """{name: type} of the fields that text can give."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        if isinstance(hint, type) and is_dataclass(hint):
            found |= _options_of(hint)
        elif name not in _NOT_TEXT:
            found[name] = hint
    return found


def _value(key: str, text: str, hint: Any) -> Any:
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if bool in choices and text.lower() in _SWITCH:
        return _SWITCH[text.lower()]
    for number in (int, float):
        if number in choices:
            try:
                return number(text)
            except ValueError:
                continue
    literals = [name for choice in choices if get_origin(choice) is Literal for name in get_args(choice)]
    if literals and text not in literals:
        raise unknown_name(key, text, literals)
    if literals or str in choices:
        return text
    wanted = "on or off" if bool in choices else "a number"
    raise RequestError(f"option {key}={text}: expected {wanted}")
