"""Commands made of dataclasses: every option is declared once, where the library takes it (`openhdr.core.options`)."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.options import Declared

RequestT = TypeVar("RequestT")


class Headed(click.Command):
    """A command whose help lists its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed: dict[str, list[tuple[str, str]]] = {}
        for one in self.get_params(ctx):
            record = one.get_help_record(ctx)
            if record:
                listed.setdefault(getattr(one, "heading", "") or "Options", []).append(record)
        for heading in sorted(listed, key=lambda heading: heading != "Options"):
            with formatter.section(heading):
                formatter.write_dl(listed[heading])


class HeadedOption(click.Option):
    """heading: see `Declared`."""

    heading = ""


def command(
    name: str, request: type[RequestT], cls: type[click.Command] = Headed
) -> Callable[[Callable[[RequestT], None]], click.Command]:
    """Turn a function of one dataclass into the command `name`; its docstring is the help."""

    def decorate(run: Callable[[RequestT], None]) -> click.Command:
        return cls(
            name,
            callback=lambda **given: run(made(request, given)),
            params=list(parameters(request)),
            help=inspect.getdoc(run),
        )

    return decorate


def given_options(without: Container[str]) -> dict[str, Any]:
    """Options that the command line gives to the running command, as JSON values. without: names that are left out."""
    context = click.get_current_context()
    values = {
        name: value
        for name, value in context.params.items()
        if name not in without and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def spelled(one: click.Option, value: Any) -> list[str]:
    """An option as the command line spells it."""
    flag = max(one.opts, key=len)
    if one.is_flag:
        if value:
            return [flag]
        return [max(one.secondary_opts, key=len)] if one.secondary_opts else []
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return [f"{flag}={text}"]


def parameters(config: type, without: tuple[str, ...] = ()) -> Iterator[click.Parameter]:
    """What click needs to ask for the declared fields of a dataclass, in their order."""
    for one in _declared(config, without):
        if "nested" in one.metadata:
            yield from parameters(one.metadata["nested"], one.metadata["without"])
            continue
        declared: Declared = one.metadata["option"]
        if declared.positional:
            count = -1 if _is_tuple(one) else 1
            yield click.Argument(
                [one.name],
                nargs=count,
                required=one.default is MISSING,
                metavar=declared.metavar,
                type=declared.kind or _kind(one),
            )
        else:
            yield _option(one, declared)


def made(config: type[RequestT], given: Mapping[str, Any], without: tuple[str, ...] = ()) -> RequestT:
    """The dataclass of what click was given."""
    values = {}
    for one in _declared(config, without):
        if "nested" in one.metadata:
            values[one.name] = made(one.metadata["nested"], given, one.metadata["without"])
        else:
            values[one.name] = given[one.name]
    return config(**values)


def _declared(config: type, without: tuple[str, ...]) -> list[Field[Any]]:
    every = [one for one in fields(config) if one.name not in without]
    return [one for one in every if one.metadata.keys() & {"option", "nested"}]


def _option(one: Field[Any], declared: Declared) -> click.Option:
    """A flag for a bool, `--x/--no-x` where it is on or undecided by default; else an option with a value."""
    name = one.name.replace("_", "-")
    is_flag = "bool" in _parts(one)
    flags = declared.flags or (
        (f"--{name}/--no-{name}",) if is_flag and one.default is not False else (f"--{name}",)
    )
    required = one.default is MISSING
    default: dict[str, Any] = {} if required or one.default == () else {"default": one.default}
    asked = HeadedOption(
        [one.name, *flags],
        help=declared.help,
        required=required,
        **default,
        show_default=one.default is not False and one.default not in (None, (), MISSING),
        is_flag=is_flag,
        multiple=_is_tuple(one),
        type=None if is_flag else declared.kind or _kind(one),
        metavar=declared.metavar,
    )
    asked.heading = declared.heading
    return asked


def _parts(one: Field[Any]) -> set[str]:
    """The annotation's alternatives, as written: `Path | None` -> Path."""
    return {part.strip() for part in str(one.type).split("|")} - {"None"}


def _is_tuple(one: Field[Any]) -> bool:
    return str(one.type).startswith("tuple[")


def _kind(one: Field[Any]) -> click.ParamType[Any]:
    parts = {part.removeprefix("tuple[").removesuffix(", ...]") for part in _parts(one)}
    for part in parts:
        if part.startswith("Literal["):
            return Names(ast.literal_eval(part.removeprefix("Literal")))
    if "Path" in parts:
        return click.Path(path_type=Path)
    if "Sequence[float]" in parts:
        return Numbers(words="str" in parts)
    if any(part.startswith("Sequence[Stroke") for part in parts):
        return Strokes()
    if "int" in parts:
        return Whole() if "str" in parts else click.INT
    return click.FLOAT if "float" in parts else click.STRING


class Names(click.Choice[str]):
    """One of some names; another is refused as the library refuses it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices:
            raise unknown_name(
                f"value of {param.opts[0] if param else 'the option'}", str(value), self.choices
            )
        return super().convert(value, param, ctx)


class Numbers(click.ParamType[Any]):
    """`-2,0,2` or `1/400,1/100` -> floats. words: a word such as `auto` is taken as it is."""

    name = "numbers"

    def __init__(self, words: bool) -> None:
        self.words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "TEXT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str) or (self.words and value.isalpha()):
            return value
        try:
            return [_number(part) for part in value.split(",")]
        except (ValueError, ZeroDivisionError) as error:
            option = param.opts[0] if param else "numbers"
            raise RequestError(
                f"{option} {value}: expected numbers with commas between, such as -2,0,2"
            ) from error


class Strokes(click.ParamType[Any]):
    """A JSON file with a list of strokes, or the list itself, as a sidecar holds it."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from openhdr.core.files import parsed
        from openhdr.merging.retouch import plain_strokes

        if isinstance(value, str):
            value = parsed(Path(value), json.loads, "a list of strokes (JSON)")
        return plain_strokes(value)


class Whole(click.ParamType[Any]):
    """A whole number, or a text taken as it is."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return int(value) if isinstance(value, str) and value.lstrip("+-").isdecimal() else value


def _number(text: str) -> float:
    """`2`, `-0.5` or `1/400`; in floats, because an exact 1e999999999 would take all memory."""
    top, slash, bottom = text.partition("/")
    return float(top) / float(bottom) if slash else float(top)
