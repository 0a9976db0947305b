"""What holds for every row of every table, and that folder and table agree."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from openhdr.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "openhdr"


def test_every_table_has_contract_tests(tables, kinds) -> None:
    """A new kind of thing needs a contract. Weights are rows about files; training's tables have tests there."""
    elsewhere = {place for place in tables if place == "openhdr.models.weights:WEIGHTS" or ".train." in place}
    assert set(tables) - elsewhere == set(kinds.values())


def test_row_says_what_it_is(entry) -> None:
    _, row = entry
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.name)
    assert 8 <= len(row.summary) <= 120 and "\n" not in row.summary


def test_row_loads_and_is_documented(entry, loaded) -> None:
    place, row = entry
    if place.endswith(":WEIGHTS"):
        assert row.path.is_file()
        return
    target = loaded(row)
    own = target.__doc__ if inspect.isroutine(target) or inspect.isclass(target) else "its file tells"
    file = importlib.import_module(row.target.partition(":")[0]).__doc__
    assert own and file
    assert len(f"{own} {file}".split()) >= 8


def test_extra_can_be_installed(entry) -> None:
    _, row = entry
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert row.extra in ("", *extras)


def test_default_is_in_its_table(tables) -> None:
    for place, table in tables.items():
        default = getattr(importlib.import_module(place.partition(":")[0]), "DEFAULT", None)
        assert default is None or default in table


def test_unknown_name_is_refused_with_the_nearest(tables) -> None:
    from openhdr.core.errors import RequestError

    for table in tables.values():
        for name in list(table)[:1]:
            with pytest.raises(RequestError, match=f"did you mean '{name}'"):
                table[name + "x"]
    with pytest.raises(RequestError, match="choose one of"):
        next(iter(tables.values()))["no such thing at all"]


# --- every file that looks like an item has a row ---------------------------------------------------------


def _defines(*names: str) -> Callable[[str, ast.Module], bool]:
    def looks(stem: str, tree: ast.Module) -> bool:
        return any(isinstance(node, ast.FunctionDef) and node.name in names for node in tree.body)

    return looks


def _is_format(stem: str, tree: ast.Module) -> bool:
    assigned = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(ast.unparse(target) == "FORMAT" for target in assigned)


def _metrics_in(tree: ast.Module) -> list[str]:
    """Functions of one pair that give one number."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [
        f.name for f in functions if ast.unparse(f.args) == "pair: Pair" and ast.unparse(f.returns) == "float"
    ]


def _is_metric(stem: str, tree: ast.Module) -> bool:
    return bool(_metrics_in(tree))


def _is_operator(stem: str, tree: ast.Module) -> bool:
    return _defines(stem)(stem, tree)


def _is_network(stem: str, tree: ast.Module) -> bool:
    def assigns_config(node: ast.stmt) -> bool:
        return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "Config"

    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return any(assigns_config(statement) for one in classes for statement in one.body)


def _is_reader(stem: str, tree: ast.Module) -> bool:
    return _defines(f"open_{stem}")(stem, tree)


def _is_command(stem: str, tree: ast.Module) -> bool:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    decorators = [ast.unparse(one) for function in functions for one in function.decorator_list]
    return any(one.startswith(("click.command(", "group.command(", "command(")) for one in decorators)


def _has_merger(stem: str, tree: ast.Module) -> bool:
    """A file whose last line makes a merger of what stands above."""
    names = {ast.unparse(one) for node in tree.body if isinstance(node, ast.Assign) for one in node.targets}
    return "MERGER" in names or "(TRUSTNET, TRUSTNET_TINY)" in names or "TRUSTNET, TRUSTNET_TINY" in names


ITEMS = {
    "aligner": _defines("align"),
    "merger": _has_merger,
    "inverse_tone_mapper": _is_operator,
    "operator": _is_operator,
    "file_format": _is_format,
    "metric": _is_metric,
    "network": _is_network,
    "dataset": _is_reader,
    "command": _is_command,
}


@pytest.mark.parametrize("kind", list(ITEMS))
def test_folder_and_table_agree(kind, kinds, tables) -> None:
    """Each file with an item has a row, each row's file is in the folder and has the item."""
    place = kinds[kind]
    module = place.partition(":")[0]
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    if not folder.is_dir():  # a table in a file beside its items
        folder, module = folder.parent, module.rpartition(".")[0]
    # an item of several files is a folder of its own, as `merging/trustnet/`
    paths = [path for path in (*folder.glob("*.py"), *folder.glob("*/merger.py")) if path.stem != "__init__"]
    places = {".".join(path.relative_to(folder).with_suffix("").parts): path for path in paths}
    files = {place for place, path in places.items() if ITEMS[kind](path.stem, ast.parse(path.read_text()))}
    rows = {row.target.partition(":")[0] for row in tables[place].values()}
    assert {f"{module}.{place}" for place in files} == rows


def test_the_folder_of_commands_holds_nothing_else() -> None:
    """What several commands need is in `shared`, what one needs beside its file in `parts`."""
    files = {path.stem for path in (PACKAGE / "cli").glob("*.py")}
    assert files == {"__init__", *COMMANDS}


LISTED = re.compile(r"^ *([a-z][a-z0-9_]*/?(?:, [a-z][a-z0-9_]*/?)*) {2,}\S", re.MULTILINE)


def test_a_package_that_lists_its_files_lists_them_all(tables) -> None:
    """`name, folder/   what it is` in the docstring: none is gone, and none is missing but the rows of a table."""
    rows = {row.target.partition(":")[0] for table in tables.values() for row in table.values()}
    looked_at = 0
    for path in PACKAGE.rglob("__init__.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        listed = {name.rstrip("/") for line in LISTED.findall(docstring) for name in line.split(", ")}
        if not listed:
            continue
        looked_at += 1
        module = ".".join(["openhdr", *path.parent.relative_to(PACKAGE).parts])
        there = {one.stem for one in path.parent.iterdir() if one.suffix == ".py"} - {"__init__"}
        folders = {one.name for one in path.parent.iterdir() if one.is_dir() and one.name != "__pycache__"}
        assert listed - there - folders == set(), f"{module} lists what is gone"
        missing = {name for name in (there | folders) - listed if f"{module}.{name}" not in rows}
        assert missing == set(), f"{module} does not list"
    assert looked_at >= 10


def test_every_metric_has_a_row(tables) -> None:
    """A file may hold several metrics of one kind; each has a row."""
    written = {
        f"openhdr.metrics.{path.stem}:{name}"
        for path in (PACKAGE / "metrics").glob("*.py")
        for name in _metrics_in(ast.parse(path.read_text()))
    }
    assert written == {row.target for row in tables["openhdr.metrics:METRICS"].values()}


def test_readers_of_a_table_import_nothing_of_its_items(kinds) -> None:
    """A row's target is a name, not an import: `__init__` stays free of its own items."""
    for place in kinds.values():
        module = place.partition(":")[0]
        path = Path(str(importlib.import_module(module).__file__))
        items = {
            row.target.partition(":")[0]
            for row in getattr(importlib.import_module(module), place.partition(":")[2]).values()
        }
        tree = ast.parse(path.read_text())
        imported = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        assert imported & items == set(), module
