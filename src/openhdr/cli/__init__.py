"""The `openhdr` command: one row a subcommand, each imported only when it is called."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
from shlex import quote
from typing import Any

import click

from openhdr.cli.shared.process import prepare, silence_stdout
from openhdr.core.errors import PARAMETER, OpenHDRError, printable
from openhdr.core.table import Row, Table
from openhdr.core.version import __version__

COMMANDS: Table[Row] = Table(
    "command",
    Row("demo", "Merge the built-in bracket and show the result.", "openhdr.cli.demo:demo"),
    Row("merge", "Merge a bracket of exposures into an HDR image.", "openhdr.cli.merge:merge"),
    Row("calibrate", "Recover a camera's response from a bracket.", "openhdr.cli.calibrate:calibrate"),
    Row("expand", "Turn one photo into an HDR image.", "openhdr.cli.expand:expand"),
    Row("batch", "Merge everything on a card; started again, it goes on.", "openhdr.cli.batch:batch"),
    Row("serve", "Open a page in the browser that does all this.", "openhdr.cli.serve:serve"),
    Row("tonemap", "Turn an HDR image into a displayable one.", "openhdr.cli.tonemap:tonemap"),
    Row("convert", "Convert between image formats.", "openhdr.cli.convert:convert"),
    Row("info", "Describe images and how they group into brackets.", "openhdr.cli.info:info"),
    Row("metrics", "Score an HDR image against a reference.", "openhdr.cli.metrics:metrics"),
    Row("models", "List the networks and their trained weights.", "openhdr.cli.models:models"),
    Row(
        "simulate",
        "Make hand-held brackets with exact truth from HDR scenes.",
        "openhdr.cli.simulate:simulate",
    ),
    Row("train", "Train a network by a recipe.", "openhdr.cli.train:train"),
    Row("export", "Write a network as ONNX, checked against PyTorch.", "openhdr.cli.export:export"),
    Row("bench", "Run methods on scenes with known truth; write a report.", "openhdr.cli.bench:bench"),
    Row("figure", "Strips of crops with labels; what networks look at.", "openhdr.cli.figure:figure"),
)


SURROUNDINGS = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE, errno.ENFILE),
)
"""Errors of the system that are no fault of ours wherever they occur."""


class LazyGroup(click.Group):
    """A group whose commands are the rows of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return COMMANDS[name].load() if name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS.values()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            COMMANDS[args[0]]  # raises with the nearest name
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that names parameters names its options."""
        try:
            return super().invoke(ctx)
        except OpenHDRError as error:
            name = ctx.invoked_subcommand or ""
            called = COMMANDS[name].load() if name in COMMANDS else None
            if not (called and error.parameters):
                raise
            raise OpenHDRError(worded(error, called)) from error


def worded(error: OpenHDRError, command: click.Command) -> str:
    """The message with parameters as this command spells them: `ev='auto'` -> --ev auto."""
    known: dict[str, click.Parameter] = {}
    for one in [command, *(command.commands.values() if isinstance(command, click.Group) else ())]:
        known |= {option.name: option for option in one.params if option.name}

    def spelled(found: re.Match[str]) -> str:
        option, value = known.get(found[1]), found[2]
        if option is None or not isinstance(option, click.Option):
            return found[0]
        if option.is_flag:
            return max((option.secondary_opts if value == "False" else option.opts), key=len)
        return max(option.opts, key=len) + (f" {value}".replace("'", "") if value else "")

    return PARAMETER.sub(spelled, str(error))


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True
)
@click.version_option(__version__, message="openhdr %(version)s")
@click.pass_context
def group(context: click.Context) -> None:
    """High dynamic range images from ordinary photos.

    Start with: openhdr merge IMG1.jpg IMG2.jpg IMG3.jpg -o out.exr
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line. Exit 0: done; 2: the input or request is wrong, one line says how; 1: our fault."""
    prepare()
    try:
        group.main(prog_name="openhdr", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        fail(error.format_message() + hint(error, sys.argv[1:]))
    except click.ClickException as error:
        fail(error.format_message())
    except click.exceptions.Abort:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed again, it would end in a traceback
        fail("interrupted", code=130)
    except OpenHDRError as error:
        fail(str(error))
    except BrokenPipeError:
        silence_stdout()
        sys.exit(0)
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        silence_stdout()
        fail(refusal(error))


def hint(error: click.UsageError, words: list[str]) -> str:
    """What may have been meant where a number or a file's name looks like an option, or an option like a file, and what
    an option that is missing is for.

    words: of the command line.
    """
    if re.match(r"-[\d.]", getattr(error, "option_name", "")):
        return " The numbers of one option stand together: --ev -2,0,2"
    like = "-" if isinstance(error, click.MissingParameter) else getattr(error, "option_name", "")[:2]
    if isinstance(error, click.MissingParameter) and "--" in words and error.param is not None:
        for word in words[words.index("--") :]:
            if word.partition("=")[0] in error.param.opts:
                return f" All that follows -- is taken for files; write {word} before it."
    files = [word for word in words if like and word.startswith(like) and os.path.exists(word)]
    if files:
        return f" For the file of that name write {quote(f'./{files[0]}')}."
    missing = error.param if isinstance(error, click.MissingParameter) else None
    return f" {missing.help}" if isinstance(missing, click.Option) else ""


def refusal(error: OSError) -> str:
    """One of SURROUNDINGS in words."""
    return f"{error.filename or 'the output'}: cannot be used ({error.strerror})"


def fail(message: str, code: int = 2) -> None:
    """Print one line on stderr and exit."""
    with contextlib.suppress(OSError):  # nobody may be there to read it
        click.echo("openhdr: error: " + printable(" ".join(message.split())), err=True)
    sys.exit(code)
