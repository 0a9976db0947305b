"""Commands made of dataclasses, and messages that name options as the command spells them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import openhdr
from openhdr.cli import COMMANDS, worded
from openhdr.cli.merge import merge
from openhdr.cli.shared.command import command, parameters
from openhdr.core.errors import RequestError
from openhdr.core.options import argument, nested, option
from openhdr.models.inference.run_options import HEADING as NETWORKS
from openhdr.pipeline.pipeline_options import FILES, RAW, DeliveryOptions
from openhdr.tonemapping import OPERATORS


@dataclass(frozen=True)
class Inner:
    strength: float = option("How much.", 1.5)
    hidden: int = 3
    left_out: str = option("Not here.", "x")


@dataclass(frozen=True)
class Outer:
    files: tuple[Path, ...] = argument("FILE...")
    output: Path = option("Where.", flags=("-o", "--output"))
    inner: Inner = nested(Inner, without=("left_out",))
    ev: Sequence[float] | str | None = option("Stops.", None)
    reference: int | str | None = option("Which.", None)
    tags: tuple[str, ...] = option("Words.", (), flags=("--tag",))
    deghost: bool = option("Ghosts.", True)
    as_json: bool = option("Facts.", False, flags=("--json",))


def given(*words: str) -> Outer:
    got = []
    made = command("try", Outer)(lambda request: got.append(request))
    ran = CliRunner().invoke(made, words, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return got[0]


def test_defaults_are_the_dataclasses() -> None:
    assert given("a", "b", "-o", "c") == Outer((Path("a"), Path("b")), Path("c"))


def test_values_arrive_in_their_types() -> None:
    words = "a -o c --ev -2,0,1/2 --reference 2 --tag x --tag y --no-deghost --json --strength 2"
    expected = Outer((Path("a"),), Path("c"), Inner(2.0), [-2.0, 0.0, 0.5], 2, ("x", "y"), False, True)
    assert given(*words.split()) == expected
    assert given("a", "-o", "c", "--ev", "auto", "--reference", "b.jpg").ev == "auto"
    assert given("a", "-o", "c", "--reference", "b.jpg").reference == "b.jpg"


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(RequestError, match="--ev 1;2: expected numbers"):
        given("a", "-o", "c", "--ev", "1;2")


def test_messages_name_the_commands_options() -> None:
    made = command("try", Outer)(lambda request: None)
    error = RequestError("`ev='auto'` and `deghost=False`: see `as_json`, `output`, `files` and `unknown`")
    assert error.parameters == ("ev", "deghost", "as_json", "output", "files", "unknown")
    assert worded(error, made) == "--ev auto and --no-deghost: see --json, --output, `files` and `unknown`"


def test_python_call_takes_what_the_command_takes() -> None:
    """`openhdr.expand` and `openhdr.tonemap`: each option but those that say what is written, same default.

    What only some tone mapping operators take goes in as `options`.
    """
    writing = {
        "output",
        "preview",
        "operator",
        "keep_stack",
        "origin_map",
        "as_json",
        "isolate",
    }
    stored = {one.name for one in parameters(DeliveryOptions)}
    every = {one.name for row in OPERATORS.values() for one in fields(row.options)}
    own = every - {"exposure", "contrast", "saturation", "white"}
    pages = {"output", "as_json", "isolate", "sheet", "save_preset"}
    for name, aside in (("expand", writing | stored), ("tonemap", pages | own)):
        options = {
            one.name: one.default for one in COMMANDS[name].load().params if isinstance(one, click.Option)
        }
        call = inspect.signature(getattr(openhdr, name)).parameters
        offered = {key: one.default for key, one in list(call.items())[1:] if key != "options"}
        assert offered == {key: default for key, default in options.items() if key not in aside}, name


def test_help_has_options_under_their_headings() -> None:
    help = CliRunner().invoke(merge, ["--help"]).stdout
    parts = re.split(r"^(\S.*):$", help, flags=re.MULTILINE)
    under = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert [*under] == ["Options", NETWORKS, RAW, FILES]
    assert "--method" in under["Options"] and "--device" not in under["Options"]
    assert "--device" in under[NETWORKS] and "--dark" in under[RAW] and "--headroom" in under[FILES]
