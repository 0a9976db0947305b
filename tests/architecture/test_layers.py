"""A module imports only what is below it; pyproject.toml holds the layers."""

from __future__ import annotations

import ast
import contextlib
import io

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
    """A network is arithmetic; files and metadata are the loader's and the exporter's business."""
    package = "src/openhdr/models/"
    allowed = {f"{package}{name}.py" for name in ("__init__", "rows", "checkpoints", "inference/export")}
    looked_at = [one for one in code if one.name.startswith(package) and one.name not in allowed]
    assert len(looked_at) > 10
    for source in looked_at:
        imported = {
            name.partition(".")[0] if not name.startswith("openhdr") else name
            for node in ast.walk(source.tree)
            for name in _imported(node)
        }
        assert not {"pathlib", "os", "io", "PIL", "OpenEXR", "openhdr.io", "openhdr.core.files"} & imported, (
            source.name
        )


def test_networks_know_no_runner(code) -> None:
    """Networks and layers import nothing that runs, exports or loads them."""
    for source in code:
        folder, _, file = source.name.removeprefix("src/openhdr/models/").rpartition("/")
        if not source.name.startswith("src/openhdr/models/") or folder not in ("", "layers"):
            continue
        if file in ("__init__.py", "rows.py", "checkpoints.py"):
            continue
        names = {name for node in ast.walk(source.tree) for name in _imported(node)}
        inside = {name for name in names if name.startswith("openhdr.models")}
        assert all(name.startswith("openhdr.models.layers") for name in inside), source.name


def _imported(node: ast.AST) -> list[str]:
    """Modules, and what is taken from them: `from openhdr import io` is openhdr and openhdr.io."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
