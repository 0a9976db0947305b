"""Functions fit on a screen, signatures in a head, files in a sitting; and nothing is cut up to fit."""

from __future__ import annotations

import ast
import statistics
from collections import Counter

MEDIAN_LINES, NINETIETH_LINES, MOST_LINES = 15, 45, 80
MOST_USED_ONCE = 432  # private helpers with a single use in their file; may only fall
MOST_SHORT = 372  # of 1000 functions, those with a body of at most three lines; may only fall
MOST_SMALL_FILES = 12  # files of fewer than 30 lines, `__init__` aside; may only fall
MOST_PARAMETERS = 6
MOST_FILE_LINES, MOST_MODEL_LINES = 400, 600
MOST_EXCEPTIONS = 1  # may only fall


def test_typical_function_is_short(functions) -> None:
    lengths = sorted(function.lines for function in functions if "src/" in function.name)
    ninetieth = lengths[int(0.9 * len(lengths))]
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert ninetieth <= NINETIETH_LINES


def _used_once(source) -> list[str]:
    """Private functions of a file that are named once in it beside their definition."""
    named = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )
    private = [
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_") and not node.name.startswith("__")
    ]
    return [name for name in private if named[name] <= 1]


def test_helpers_used_once_become_fewer(code) -> None:
    """A helper with one caller is worth its name only where it names a concept; otherwise its lines stand there."""
    once = [
        f"{source.name}::{name}"
        for source in code
        if source.name.startswith("src/")
        for name in _used_once(source)
    ]
    assert len(once) <= MOST_USED_ONCE, "inline a helper that names no concept"


def test_functions_are_not_shredded(functions) -> None:
    own = [function.node for function in functions if function.name.startswith("src/")]
    bodies = [node.body[1:] if ast.get_docstring(node, clean=False) else node.body for node in own]
    short = [
        body for body, node in zip(bodies, own, strict=True) if body and node.end_lineno - body[0].lineno < 3
    ]
    assert 1000 * len(short) / len(own) <= MOST_SHORT


def test_small_files_become_fewer(code) -> None:
    small = [
        source.name
        for source in code
        if source.name.startswith("src/")
        and not source.name.endswith("__init__.py")
        and len(source.text.splitlines()) < 30
    ]
    assert len(small) <= MOST_SMALL_FILES, "an idea of a few lines stands with its kind"


def test_no_function_is_long(functions, exceptions) -> None:
    long = {function.name: function.lines for function in functions if function.lines > MOST_LINES}
    assert exceptions.excess("lines", long) == {}


def test_no_function_takes_many_parameters(functions, exceptions) -> None:
    """More belong together in a frozen dataclass."""
    many = {f.name: f.parameters for f in functions if f.parameters > MOST_PARAMETERS}
    assert exceptions.excess("parameters", many) == {}


def test_no_file_is_long(sources, exceptions) -> None:
    def most(name: str) -> int:
        return MOST_MODEL_LINES if name.startswith("src/openhdr/models/") else MOST_FILE_LINES

    lengths = {source.name: len(source.text.splitlines()) for source in sources}
    long = {name: lines for name, lines in lengths.items() if lines > most(name)}
    assert exceptions.excess("file lines", long) == {}


def test_exceptions_only_shrink(exceptions) -> None:
    assert sum(len(listed) for listed in exceptions.rules.values()) <= MOST_EXCEPTIONS
    rules = {"lines", "parameters", "file lines", "keywords", "broad except", "forbidden calls"}
    assert set(exceptions.rules) <= rules
    assert all(why.strip() for listed in exceptions.rules.values() for why in listed.values())


def test_the_written_budgets_are_these(root) -> None:
    text = " ".join((root / "ARCHITECTURE.md").read_text().split())
    assert (
        f"median at most {MEDIAN_LINES} lines, nine in ten at most {NINETIETH_LINES}, none over {MOST_LINES}; "
        f"at most {MOST_PARAMETERS} parameters by position. Files: at most {MOST_FILE_LINES} lines, a network "
        f"{MOST_MODEL_LINES}."
    ) in text
