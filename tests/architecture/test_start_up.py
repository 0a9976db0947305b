"""Importing openhdr does no work and asking for help is quick."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import openhdr
from openhdr.cli import COMMANDS

HEAVY = {"torch", "cv2", "rawpy", "matplotlib", "OpenEXR", "imagecodecs", "tifffile", "scipy", "onnx", "rich"}
HELP_SECONDS = 0.3
TRIES = 5


def openhdr_command() -> Path:
    script = Path(sys.executable).with_name("openhdr.exe" if os.name == "nt" else "openhdr")
    if not script.exists():
        pytest.skip("openhdr is not installed as a command beside this Python")
    return script


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules that a fresh interpreter imports, by its own account."""
    done = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_import_loads_nothing_heavy() -> None:
    assert imported_by("-c", "import openhdr") & (HEAVY | {"numpy", "click"}) == set()


def test_importing_every_table_loads_nothing_heavy() -> None:
    tables = "alignment, merging, tonemapping, models, metrics, io, cli, expansion, data.readers"
    lines = "; ".join(f"import openhdr.{name.strip()}" for name in tables.split(","))
    assert imported_by("-c", lines) & HEAVY == set()


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_loads_nothing_heavy(command: str | None) -> None:
    words = [word for word in (command, "--help") if word]
    assert imported_by("-c", "from openhdr.cli import main; main()", *words) & HEAVY == set()


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_is_quick(command: str | None) -> None:
    """Best of five, because other work on the machine can only add time."""
    words = [str(openhdr_command()), *([command] if command else []), "--help"]
    best = min(_seconds(words) for _ in range(TRIES))
    floor = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(TRIES))
    assert best < HELP_SECONDS, f"{best:.3f} s, of which {floor:.3f} s are Python itself"


def _seconds(words: list[str]) -> float:
    """Processor time of the command: on an idle machine also what a user waits."""
    began = os.times()
    subprocess.run(words, check=True, capture_output=True)
    ended = os.times()
    return ended.children_user + ended.children_system - began.children_user - began.children_system


def test_public_names_load_and_are_listed() -> None:
    for name in openhdr.__all__:
        assert getattr(openhdr, name) is not None
    assert set(dir(openhdr)) == set(openhdr.__all__)
    with pytest.raises(AttributeError, match="no attribute 'mege'"):
        _ = openhdr.mege


def test_installed_command_is_this_package() -> None:
    """make leaves .venv/bin/openhdr behind."""
    said = subprocess.run([openhdr_command(), "--version"], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["openhdr", openhdr.__version__]
