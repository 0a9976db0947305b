"""The examples in the docstrings of public names run, and say what they show."""

from __future__ import annotations

import doctest
import inspect

import pytest

import openhdr
from openhdr import metrics, models

NAMED = {f"openhdr.{name}": getattr(openhdr, name) for name in openhdr.__all__ if name != "__version__"}
PUBLIC = {**NAMED, "openhdr.metrics.evaluate": metrics.evaluate, "openhdr.models.load": models.load}
TOLD = ("expand", "tonemap", "read", "write", "Image", "metrics.evaluate", "models.load")


@pytest.mark.parametrize("name", [name for name, item in PUBLIC.items() if not inspect.ismodule(item)])
def test_examples_run(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    item = PUBLIC[name]
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for test in finder.find(item, name, module=False, globs={}):
        if "torch" in (test.docstring or "") and ">>>" in (test.docstring or ""):
            pytest.importorskip("torch", reason="needs the torch extra")
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


@pytest.mark.parametrize("name", TOLD)
def test_the_main_names_have_examples(name: str) -> None:
    assert ">>>" in inspect.getdoc(PUBLIC[f"openhdr.{name}"])
