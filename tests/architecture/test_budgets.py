"""Functions fit on a screen, signatures in a head, files in a sitting."""

from __future__ import annotations

import statistics

MEDIAN_LINES, NINETIETH_LINES, MOST_LINES = 12, 35, 60
MOST_PARAMETERS = 6
MOST_FILE_LINES, MOST_MODEL_LINES = 400, 600
MOST_EXCEPTIONS = 1  # may only fall


def test_typical_function_is_short(functions) -> None:
    lengths = sorted(function.lines for function in functions if "src/" in function.name)
    ninetieth = lengths[int(0.9 * len(lengths))]
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert ninetieth <= NINETIETH_LINES


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
