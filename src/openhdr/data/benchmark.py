"""The public benchmark of openhdr: 24 brackets in which something moves and 8 in which nothing does.

All are hand-held, 576 x 384, three frames, from the eight panoramas of the public_test split. A case is a
scene, a seed and a hash (splits/benchmark.json); the brackets are made from them by one command and checked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from openhdr.core.errors import FileError
from openhdr.core.files import sha256_of
from openhdr.core.progress import task
from openhdr.data.scenes import find_hdr_files, read_scene
from openhdr.data.simulated import digest_of, write_bracket
from openhdr.data.splits import panoramas
from openhdr.simulation.config import ObjectConfig, SimulationConfig
from openhdr.simulation.draw import draw_plan
from openhdr.simulation.render import Simulated, render
from openhdr.simulation.scene import Scene


@dataclass(frozen=True)
class Case:
    """One bracket of the benchmark."""

    name: str  # dynamic-01 ... dynamic-24, static-01 ... static-08
    scene: str  # panorama
    seed: int
    sha256: str  # of the bracket, by `data.simulated.digest_of`

    @property
    def moving(self) -> bool:
        return self.name.startswith("dynamic")


def cases() -> tuple[Case, ...]:
    """All cases in order."""
    text = resources.files("openhdr.data").joinpath("splits", "benchmark.json").read_text()
    return tuple(Case(**case) for case in json.loads(text)["cases"])


def laws_of(case: Case) -> SimulationConfig:
    """The distributions that a case is drawn from: the defaults, with or without anything that moves."""
    return replace(SimulationConfig(), objects=ObjectConfig(still_share=0.0 if case.moving else 1.0))


def make_case(case: Case, scenes: Sequence[Scene]) -> Simulated:
    """The bracket of one case. scenes: all panoramas of the benchmark, in the order of their names."""
    scene = next(scene for scene in scenes if scene.name == case.scene)
    others = [scene for scene in scenes if scene.name != case.scene]
    return render(draw_plan(scene, others, laws_of(case), case.seed), scenes)


def read_scenes(paths: Sequence[Path]) -> list[Scene]:
    """The benchmark's panoramas among files and folders, in the order of their names, checked by hash.

    Raises FileError when one is missing or is another file.
    """
    wanted = sorted({case.scene for case in cases()})
    found = {path.stem: path for path in find_hdr_files(paths)}
    for name in wanted:
        if name not in found:
            raise FileError(
                f"{paths[0]}/{name}.hdr", "is missing", "give the folder of the public_test panoramas"
            )
        if sha256_of(found[name]) != panoramas("public_test")[name]:
            raise FileError(found[name], "is not the published panorama of this name (its SHA-256 differs)")
    return [read_scene(found[name]) for name in wanted]


def write_benchmark(paths: Sequence[Path], folder: Path) -> int:
    """Make all brackets in FOLDER/CASE/ and return their number.

    Raises FileError when a bracket differs from the published one: scores on it could not be compared.
    """
    scenes = read_scenes(paths)
    with task("making the benchmark", len(cases())) as advance:
        for case in cases():
            result = make_case(case, scenes)
            if digest_of(result) != case.sha256:
                raise FileError(
                    folder / case.name, "differs from the published bracket", "use the pinned NumPy"
                )
            write_bracket(result, folder / case.name, laws_of(case))
            advance()
    return len(cases())
