"""A file beside a result (.json) that says how it was made, and can be given back to make another like it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from openhdr.cli.shared.command import made
from openhdr.core.errors import FileError, RequestError
from openhdr.core.version import __version__

RequestT = TypeVar("RequestT")
MAX_BYTES = 1 << 24


def sidecar_of(output: Path) -> Path:
    """`photo.jpg` -> `photo.json`."""
    return output.with_suffix(".json")


def write_sidecar(output: Path, inputs: tuple[Path, ...], result: dict[str, Any]) -> None:
    """Write what the running command was given, and what came of it. Raises FileError."""
    from openhdr.core.files import sha256_of, write_whole

    context = click.get_current_context()
    content = {
        "openhdr": __version__,
        "command": context.command.name,
        "inputs": [{"file": path.name, "sha256": sha256_of(path)} for path in inputs],
        "options": {
            parameter.name: context.params[parameter.name]
            for parameter in context.command.params
            if parameter.expose_value  # not what only says how files are decoded
            if _repeatable(context, parameter)
        },
        "result": result,
    }
    write_whole(sidecar_of(output), (json.dumps(content, indent=1) + "\n").encode())


def _repeatable(context: click.Context, parameter: click.Parameter) -> bool:
    """Whether an option was given that another run can be given too: no file."""
    if not (isinstance(parameter, click.Option) and parameter.expose_value) or isinstance(
        parameter.type, click.Path
    ):
        return False
    changed = context.params[parameter.name] != parameter.get_default(context)
    return changed and parameter.name not in ("as_json", "sidecar")


def like(request: RequestT, path: Path) -> RequestT:
    """The request of the running command with the options of a sidecar, but for those given on the command line.

    Raises FileError for what is no sidecar of this command.
    """
    context = click.get_current_context()
    known = {parameter.name: parameter for parameter in context.command.params}
    given = dict(context.params)
    for name, value in options_of(path, str(context.command.name)).items():
        if name not in known or not isinstance(known[name], click.Option):
            raise FileError(path, f"gives '{name}', which {context.command.name} does not know")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            continue
        try:
            given[name] = None if value is None else known[name].type_cast_value(context, value)
        except (click.BadParameter, RequestError) as error:
            raise FileError(path, f"gives '{name}' a value that does not fit ({error})") from error
    return made(type(request), given)


def options_of(path: Path, command: str) -> dict[str, Any]:
    """The options that a sidecar of a command holds. Raises FileError for anything else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileError(path, "is too large for a sidecar")
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise FileError(path, "is no JSON", "give the .json that --sidecar wrote") from error
    options = content.get("options") if isinstance(content, dict) else None
    if not isinstance(options, dict) or content.get("command") != command:
        raise FileError(path, f"is no sidecar of openhdr {command}", "give the .json that --sidecar wrote")
    return options
