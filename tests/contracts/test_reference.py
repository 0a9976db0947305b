"""Nothing is undocumented: every row and every option is on the generated pages, and those are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def test_reference_is_current() -> None:
    script = ROOT / "scripts" / "make_reference.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_row_is_in_the_reference(entry) -> None:
    """Commands, metrics, models, mergers, aligners, operators, formats, layouts; recipes are their own pages."""
    place, row = entry
    if ".train." in place:
        return
    text = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    assert f"`{row.name}`" in text or f"## openhdr {row.name}\n" in text


def test_every_option_is_in_the_reference(command) -> None:
    text = (REFERENCE / "commands.md").read_text()
    section = text.partition(f"## openhdr {command.name}\n")[2].partition("\n## ")[0]
    options = [one for one in command.load().params if isinstance(one, click.Option)]
    missing = [name for one in options for name in one.opts if name not in section]
    assert section and missing == []


def test_every_command_has_its_place_in_a_guide(command) -> None:
    """A command that neither README nor a guide shows would never be found."""
    pages = [
        *ROOT.glob("*.md"),
        *(page for page in (ROOT / "docs").rglob("*.md") if page.parent != REFERENCE),
    ]
    assert any(f"openhdr {command.name}" in page.read_text() for page in pages)
