"""Running commands inside the tests' own process, and files to run them on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openhdr import io
from openhdr.cli import main
from openhdr.core.image import Exposure


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Ran]:
    """`run("merge", path, "-o", path)`: what the installed command does; an escaping exception fails the test."""

    def command(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["openhdr", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def refused(run, tmp_path) -> Callable[..., str]:
    """`refused("merge", ...)`: exit 2, exactly one line on stderr, nothing new in the folder; returns the line."""

    def command(*words: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        ran = run(*words)
        assert ran.code == 2, ran
        assert ran.err.startswith("openhdr: error: ") and ran.err.count("\n") == 1, ran.err
        assert sorted(tmp_path.rglob("*")) == before
        return ran.err.removeprefix("openhdr: error: ").strip()

    return command


@pytest.fixture(scope="session")
def photos(tmp_path_factory, room, photo) -> Path:
    """A folder with a bracket as 0.jpg 1.jpg 2.jpg (with metadata), 0.png .. 2.png and 0.exr .. 2.exr (without)."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(3)
    light = room(72, 96)
    for n, (ev, time_s) in enumerate(zip((-2, 0, 2), (1 / 400, 1 / 100, 1 / 25), strict=True)):
        io.write(folder / f"{n}.jpg", photo(light, ev, rng, exposure=Exposure(time_s, 100, 8.0)))
        io.write(folder / f"{n}.png", photo(light, ev, rng))
        io.write(folder / f"{n}.exr", photo(light, ev, rng, bits=0))
    return folder
