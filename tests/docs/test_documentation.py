"""The written pages cannot go stale: every command, option, path, link and name in them exists."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from openhdr.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text()) if language in languages]


def short(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- what the pages say ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_commands_shown_exist(page: Path) -> None:
    """Every `openhdr ...` line uses a command and options that there are, and parses."""
    for line in "".join(blocks(page, "sh", "")).splitlines():
        words = shlex.split(re.split(r"\s{3,}|  #", line)[0], comments=True)
        if not words or Path(words[0]).name != "openhdr" or len(words) < 2 or words[1] == "IMG...":
            continue
        if any(word in ("[OPTIONS]", "demo.html") for word in words):
            continue  # a usage line of the reference
        assert words[1] in COMMANDS, line
        _parse(COMMANDS[words[1]].load(), words[2:], line)


def _parse(command: click.Command, words: list[str], line: str) -> None:
    try:
        command.make_context(f"openhdr {command.name}", words, resilient_parsing=False)
    except click.exceptions.Exit:
        return  # --help
    except click.UsageError as error:
        if "does not exist" not in error.format_message():  # the files are the reader's
            pytest.fail(f"{line}: {error.format_message()}")


def test_every_page_is_in_the_index_and_on_the_site() -> None:
    docs = ROOT / "docs"
    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} - {"README.md"}
    indexed = {target.partition("#")[0] for target in LINK.findall((docs / "README.md").read_text())}
    (project,) = tomllib.loads((ROOT / "zensical.toml").read_text()).values()
    assert pages - indexed == set()
    assert pages - set(re.findall(r"[\w/-]+\.md", str(project["nav"]))) == set()


@pytest.mark.parametrize("page", WRITTEN, ids=short)
def test_make_targets_shown_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in "".join(blocks(page, "sh")).splitlines():
        if line.startswith("make "):
            assert line.split()[1] in targets, line


@pytest.mark.parametrize("page", WRITTEN, ids=short)
def test_python_shown_is_valid(page: Path) -> None:
    """It parses, and what it takes from openhdr is there. Rows shown alone end in a comma."""
    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openhdr"):
                module = __import__(node.module, fromlist=["x"])
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("openhdr."):
                _resolve(ast.unparse(node))


def _resolve(dotted: str) -> None:
    import openhdr

    found: object = openhdr
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)


# --- the README ------------------------------------------------------------------------------------------


def test_file_tree_is_the_tree() -> None:
    """Every package and folder of the repository is in the README's tree, with a comment, and nothing else is."""
    tree = next(text for text in blocks(ROOT / "README.md", "") if "src/openhdr/" in text)
    lines = [line.split(None, 1) for line in tree.splitlines() if line.strip()]
    assert all(len(parts) == 2 for parts in lines if parts[0] != "src/openhdr/")
    inside = [line.split()[0] for line in tree.splitlines() if line.startswith("  ")]
    outside = [line.split()[0] for line in tree.splitlines() if line and not line.startswith(" ")]
    package = ROOT / "src" / "openhdr"
    folders = {
        f"{path.name}/"
        for path in package.iterdir()
        if path.is_dir() and path.name != "__pycache__" and any(path.rglob("*.*"))
    }
    assert {name for name in inside if name.endswith("/")} == folders
    assert all((package / name).exists() for name in inside)
    assert all((ROOT / name).exists() for name in outside)


def test_readme_starts_with_a_picture_that_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    picture = re.search(r"!\[[^\]]+\]\((docs/images/[^)]+)\)", readme)
    assert picture and readme.index(picture.group()) < 200
    assert (ROOT / picture.group(1)).is_file()


def test_readme_names_its_commands() -> None:
    (commands,) = [text for text in blocks(ROOT / "README.md", "sh") if "make demo" in text]
    assert len(commands.strip().splitlines()) == 3
    assert "make test" in commands and "openhdr merge" in commands
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_version_is_said_once() -> None:
    import tomllib

    import openhdr

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]  # read from openhdr/core/version.py
    assert f"version: {openhdr.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {openhdr.__version__}" in (ROOT / "CHANGELOG.md").read_text()
