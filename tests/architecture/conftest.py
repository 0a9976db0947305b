"""What the architecture tests look at: every Python file of the repository, parsed once."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file. name: its path from the repository's root."""

    name: str
    text: str
    tree: ast.Module


@dataclass(frozen=True)
class Function:
    """One function or method. name: `file::Class.function`; lines: of its code, without its docstring."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def lines(self) -> int:
        first = self.node.body[0]
        documented = ast.get_docstring(self.node, clean=False) is not None
        docstring = first.end_lineno - first.lineno + 1 if documented else 0
        return self.node.end_lineno - self.node.lineno + 1 - docstring

    @property
    def parameters(self) -> int:
        """How many a call has to know by place; what is named at the call explains itself."""
        arguments = self.node.args
        placed = [*arguments.posonlyargs, *arguments.args]
        return len([argument for argument in placed if argument.arg not in ("self", "cls")])


class Exceptions:
    """exceptions.toml: per rule, what is let off and why. `excess` compares it with what was found."""

    def __init__(self) -> None:
        self.rules = tomllib.loads((Path(__file__).parent / "exceptions.toml").read_text())

    def excess(self, rule: str, found: dict[str, object]) -> dict[str, object]:
        """Offenders that are not let off, and names let off that offend no more; empty when all is well."""
        listed = self.rules.get(rule, {})
        stale = {name: "no longer offends: take it off the list" for name in listed if name not in found}
        return {name: what for name, what in found.items() if name not in listed} | stale


def tracked(*patterns: str) -> list[str]:
    """Files that git tracks or would, as paths from the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs git and a clone, to know which files belong to the repository")
    return sorted({name for name in listed.stdout.splitlines() if (ROOT / name).is_file()})


def functions_in(source: Source) -> Iterator[Function]:
    def below(node: ast.AST, scope: str) -> Iterator[Function]:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            inner = f"{scope}.{child.name}".strip(".") if named else scope
            if named and not isinstance(child, ast.ClassDef):
                yield Function(f"{source.name}::{inner}", child)
            yield from below(child, inner)

    yield from below(source.tree, "")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[str]:
    """Every file of the repository."""
    return tracked()


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of the repository, tests too."""
    texts = {name: (ROOT / name).read_text() for name in tracked("*.py")}
    return [Source(name, text, ast.parse(text)) for name, text in texts.items()]


@pytest.fixture(scope="session")
def code(sources: list[Source]) -> list[Source]:
    """The Python files that are not tests."""
    return [source for source in sources if not source.name.startswith("tests/")]


@pytest.fixture(scope="session")
def functions(code: list[Source]) -> list[Function]:
    return [function for source in code for function in functions_in(source)]


@pytest.fixture(scope="session")
def exceptions() -> Exceptions:
    return Exceptions()
