"""Habits that make code hard to trust, kept out by name."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re

from openhdr.core.table import Row, Table

UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:home|root|Users|work|tmp|mnt|opt|var/folders)/\w|\b[A-Z]:\\\\?Users"
)
PATHS_ALLOWED = {".gitignore", "LICENSE"}


def test_no_broad_except(sources, exceptions) -> None:
    """Only what a call is known to raise is caught."""
    found = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
                continue  # passes on whatever it was
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught):
                found[f"{source.name}:{node.lineno}"] = "catches everything"
    assert exceptions.excess("broad except", found) == {}


def test_what_scripts_and_benchmarks_import_exists(sources) -> None:
    """They are run by hand and rarely: a renamed module or function would be missed for long."""
    missing = []
    for source in sources:
        if not source.name.startswith(("scripts/", "benchmarks/")):
            continue
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "openhdr"):
                continue
            module = importlib.import_module(node.module)
            for name in (one.name for one in node.names):
                package = hasattr(module, "__path__")
                if hasattr(module, name) or (package and importlib.util.find_spec(f"{node.module}.{name}")):
                    continue
                missing.append(f"{source.name}: {node.module}.{name}")
    assert missing == []


def test_no_eval_or_exec(sources, exceptions) -> None:
    found = {
        f"{source.name}:{node.lineno}": ast.unparse(node)
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("eval", "exec", "builtins.eval", "builtins.exec")
    }
    assert exceptions.excess("forbidden calls", found) == {}


def test_weights_are_loaded_without_running_code(code) -> None:
    """torch.load only with weights_only=True, NumPy files without pickles, nothing unpickled."""
    for source in code:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call):
                continue
            called, where = ast.unparse(node.func), f"{source.name}:{node.lineno}"
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert not called.startswith(("pickle.", "dill.", "joblib.")), where
            assert called != "torch.load" or given.get("weights_only") == "True", where
            assert given.get("allow_pickle", "False") == "False", where


def test_no_open_keyword_arguments(functions, exceptions) -> None:
    """A signature says what a function takes. Only click hands options over by name: into a dataclass."""
    open_ended = {
        f.name: f"**{f.node.args.kwarg.arg}" for f in functions if f.node.args.kwarg and not _click(f.node)
    }
    assert exceptions.excess("keywords", open_ended) == {}


def _click(node: ast.FunctionDef) -> bool:
    """Whether a function is a click command that uses its open keywords once, as `Dataclass(**options)`."""
    decorated = any(
        ast.unparse(one).startswith(("click.command(", "group.command(")) for one in node.decorator_list
    )
    name = node.args.kwarg.arg
    uses = [one for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == name]
    handed = re.findall(rf"\b(?:\w+\.)*[A-Z]\w+\(\*\*{name}\)", ast.unparse(node))
    return decorated and len(uses) == len(handed) == 1


def test_no_unfinished_work(sources) -> None:
    left = [
        f"{source.name}: {line.strip()}"
        for source in sources
        for line in source.text.splitlines()
        if UNFINISHED.search(line)
    ]
    assert left == []


def test_no_print_in_the_package(code) -> None:
    """The command line writes with click.echo; nothing else writes."""
    printing = [
        f"{source.name}:{node.lineno}"
        for source in code
        if source.name.startswith("src/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "pprint", "pprint.pprint")
    ]
    assert printing == []


def test_errors_of_the_library_name_parameters(code) -> None:
    """`ev`, not --ev: the command line spells it in its own way. A whole command to run may be named."""
    found = []
    for source in code:
        if not source.name.startswith("src/openhdr/") or source.name.startswith("src/openhdr/cli/"):
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                texts = [one.value for one in ast.walk(node.exc) if isinstance(one, ast.Constant)]
                found += [
                    f"{source.name}:{node.lineno}: {text}"
                    for text in texts
                    if isinstance(text, str) and re.search(r"(?<!\S)--[a-z]", text) and "openhdr " not in text
                ]
    assert found == []


def test_no_path_of_a_machine(root, files) -> None:
    found = []
    for name in files:
        if name in PATHS_ALLOWED:
            continue
        data = (root / name).read_bytes()
        if b"\0" in data[:8192]:
            continue
        lines = data.decode(errors="replace").splitlines()
        found += [
            f"{name}:{n}: {line.strip()[:80]}" for n, line in enumerate(lines, 1) if MACHINE_PATH.search(line)
        ]
    assert found == []


def test_a_row_is_cheap_to_read() -> None:
    """Making a table imports none of its targets."""
    table = Table("thing", Row("ghost", "not there", "openhdr.no_such_module:thing"))
    assert list(table) == ["ghost"]
