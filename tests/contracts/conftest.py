"""Finds every table of the package, and gives each contract test one row at a time.

A test with an argument `merger` runs once for each row of the table of mergers, and so on for KINDS; `entry`
runs over the rows of all tables. A new row is tested by being there.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from openhdr.core.errors import MissingExtraError
from openhdr.core.image import Image
from openhdr.core.table import Row, Table

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "openhdr"

KINDS = MappingProxyType(
    {
        "aligner": "openhdr.alignment:ALIGNERS",
        "merger": "openhdr.merging:MERGERS",
        "inverse_tone_mapper": "openhdr.expansion:INVERSE_TONE_MAPPERS",
        "operator": "openhdr.tonemapping:OPERATORS",
        "file_format": "openhdr.io.file_formats:FORMATS",
        "metric": "openhdr.metrics:METRICS",
        "network": "openhdr.models:MODELS",
        "dataset": "openhdr.data.readers:DATASETS",
        "command": "openhdr.cli:COMMANDS",
        "bench_case": "openhdr.bench:CASES",
        "dataset_case": "openhdr.bench:DATASET_CASES",
        "photo_case": "openhdr.bench:PHOTO_CASES",
        "picture_case": "openhdr.bench:PICTURE_CASES",
    }
)


def _table(place: str) -> Table:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def _tables() -> dict[str, Table]:
    """Every `NAME = Table(...)` of the package, by its place."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(["openhdr", *path.relative_to(PACKAGE).with_suffix("").parts])
        module = module.removesuffix(".__init__")
        for node in ast.parse(path.read_text()).body:
            if _makes_table(node):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                place = f"{module}:{ast.unparse(target)}"
                found[place] = _table(place)
    return found


def _makes_table(node: ast.stmt) -> bool:
    assigns = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
    return assigns and ast.unparse(node.value.func).partition("[")[0] == "Table"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "entry" in metafunc.fixturenames:
        entries = [(place, row) for place, table in _tables().items() for row in table.values()]
        names = [f"{place.partition(':')[2]}-{row.name}" for place, row in entries]
        metafunc.parametrize("entry", entries, ids=names)
    for kind, place in KINDS.items():
        if kind in metafunc.fixturenames:
            rows = list(_table(place).values())
            metafunc.parametrize(kind, rows, ids=[row.name for row in rows])


@pytest.fixture(scope="session")
def tables() -> dict[str, Table]:
    return _tables()


@pytest.fixture(scope="session")
def kinds() -> dict[str, str]:
    return dict(KINDS)


@pytest.fixture
def loaded():
    """Load a row's target; skip where its optional dependency is not installed."""

    def load(row: Row) -> object:
        try:
            return row.load()
        except MissingExtraError as error:
            pytest.skip(str(error))

    return load


@pytest.fixture
def scene(rng: np.random.Generator) -> np.ndarray:
    """(16, 16, 3) float32 linear: a ramp over 6 stops with texture, one bright lamp."""
    ramp = 2.0 ** np.linspace(-4, 2, 16)[None, :, None] * np.array([1.0, 0.9, 0.7])
    light = ramp * rng.uniform(0.8, 1.25, (16, 16, 3))
    light[4:7, 9:12] = 20.0
    return light.astype(np.float32)


@pytest.fixture
def shoot():
    """Take a linear scene at some exposures: a list of 8-bit sRGB Images."""
    from openhdr.color.transfer import srgb_encode

    def take(light: np.ndarray, stops: list[float]) -> list[Image]:
        exposed = [np.clip(light * np.float32(2.0**ev), 0, 1).astype(np.float32) for ev in stops]
        return [Image(np.rint(srgb_encode(one) * 255).astype(np.uint8), "srgb") for one in exposed]

    return take
