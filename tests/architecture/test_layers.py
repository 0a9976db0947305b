"""A module imports only what is below it; pyproject.toml holds the layers."""

from __future__ import annotations

import ast
import contextlib
import io
import os

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_layers_hold(root, monkeypatch) -> None:
    """Imports inside functions and under TYPE_CHECKING count too; no cycle can hide in them."""
    monkeypatch.chdir(root)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = lint_imports(cache_dir=None, is_debug_mode=False, show_timings=False)
    assert status == EXIT_STATUS_SUCCESS, said.getvalue()


def test_no_import_cycle_between_modules(root) -> None:
    import grimp

    graph = grimp.build_graph("openhdr", exclude_type_checking_imports=False, cache_dir=None)
    circles = []
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            way_back = graph.find_shortest_chain(imported, module)
            if way_back and module < imported:
                circles.append(" > ".join([module, *way_back]))
    assert circles == []


def test_every_package_has_its_layer(root, code) -> None:
    """A package that no layer names would be free to import anything."""
    import tomllib

    contract = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    named = {name.strip().split(".")[1] for line in contract["layers"] for name in line.split("|")}
    modules = {
        source.name.split("/")[2].removesuffix(".py")
        for source in code
        if source.name.startswith("src/openhdr/") and source.name != "src/openhdr/__init__.py"
    }
    assert modules - named == set()


def test_networks_touch_no_files(code) -> None:
    """A network is arithmetic; files and metadata are the runners' and the loader's business."""
    allowed = {"__init__", "checkpoints", "weights"}
    for source in code:
        stem = os.path.basename(source.name).removesuffix(".py")
        if not source.name.startswith("src/openhdr/models/") or stem in allowed:
            continue
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not {"open_source", "PIL", "OpenEXR", "pathlib"} & imported, source.name
