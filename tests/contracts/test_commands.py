"""Every command: helps, and refuses a wrong request with one line and exit status 2."""

from __future__ import annotations

import sys

import click
import pytest

from openhdr import cli


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call `openhdr WORDS...` in an empty folder; gives (exit status, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["openhdr", *words])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_help_tells_every_option(command, run) -> None:
    status, said, _ = run(command.name, "--help")
    assert status == 0
    assert "Usage: openhdr " + command.name in said
    for option in [one for one in command.load().params if isinstance(one, click.Option)]:
        assert option.help, f"{option.opts} has no help"
        assert option.opts[-1] in said or option.opts[0] in said


def test_facts_can_be_had_as_json(command) -> None:
    names = {name for parameter in command.load().params for name in parameter.opts}
    assert "--json" in names


def test_unknown_option_is_one_line(command, run, tmp_path) -> None:
    status, out, err = run(command.name, "--no-such-option")
    assert (status, out) == (2, "")
    assert err.startswith("openhdr: error: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_missing_input_is_refused_by_name(command, run, tmp_path) -> None:
    """One and two files that do not exist: what the command cannot do is said, and at least once which file."""
    arguments = [one for one in command.load().params if isinstance(one, click.Argument)]
    if not arguments or not any(isinstance(one.type, click.Path) for one in arguments):
        pytest.skip("takes no input file")
    needs_output = any(one.required and "-o" in one.opts for one in command.load().params)
    output = ["-o", "out.exr"] if needs_output else []
    answers = [run(command.name, *["missing.png"] * count, *output) for count in (1, 2)]
    assert [status for status, _, _ in answers] == [2, 2]
    assert any("missing.png" in err for _, _, err in answers)
    assert not any("Traceback" in err for _, _, err in answers)
    assert not (tmp_path / "out.exr").is_file()


def test_unknown_command_names_the_nearest(run) -> None:
    status, out, err = run("merg")
    assert (status, out) == (2, "")
    assert "did you mean 'merge'" in err and err.count("\n") == 1


def test_version(run) -> None:
    from openhdr import __version__

    assert run("--version")[:2] == (0, f"openhdr {__version__}\n")
