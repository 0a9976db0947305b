"""The progress bar on a terminal: a sign of life while the first step still runs, nothing for short work."""

from __future__ import annotations

import io
import time

import pytest

from openhdr.cli.shared import terminal
from openhdr.core import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In place of stderr; called in the test, because pytest puts its own there when a test begins."""
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    return shown


def waited_for(shown: Terminal, text: str) -> bool:
    until = time.monotonic() + 20
    while text not in shown.getvalue() and time.monotonic() < until:
        time.sleep(0.02)
    return text in shown.getvalue()


def test_it_is_there_within_a_second_before_any_step_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_terminal(monkeypatch)
    assert terminal.FIRST_SIGN_S < 1
    with terminal.progress_bar():
        assert waited_for(shown, "starting")
        with progress.task("registering", 3):
            assert waited_for(shown, "registering") and waited_for(shown, "0/3")


def test_steps_within_steps_are_shown_together(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_terminal(monkeypatch)
    with terminal.progress_bar(), progress.task("batch", 2) as advance:
        advance()
        with progress.task("merging", 5):
            assert waited_for(shown, "merging") and "1/2" in shown.getvalue()


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_terminal(monkeypatch)
    with terminal.progress_bar(), progress.task("reading", 1) as advance:
        advance()
    assert shown.getvalue().strip() == ""


def test_nothing_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    monkeypatch.setattr(terminal, "FIRST_SIGN_S", 0.0)
    with terminal.progress_bar(), progress.task("reading", 1):
        time.sleep(0.1)
    assert pipe.getvalue() == ""
