"""The public benchmarks of openhdr, simulated from the eight panoramas of the public_test split.

public             24 hand-held brackets in which something moves and 8 in which nothing does; 576 x 384, three
                   frames, a plain camera
public-real-camera 12 hand-held brackets in which something moves and 8 from a tripod, with leaves in the wind in
                   some; 720 x 480, three to nine frames, each by another real camera

A case is a scene, a seed and a hash (splits/); the brackets are made from them by one command and checked.
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
from openhdr.simulation.config import TRIPOD, ExposureConfig, ObjectConfig, SimulationConfig, real
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import Simulated, render
from openhdr.simulation.scene import Scene

PUBLIC, REAL_CAMERA = "public", "public-real-camera"
LISTS = {PUBLIC: "benchmark.json", REAL_CAMERA: "benchmark-real-camera.json"}
"""Benchmark -> its list of cases in splits/."""

_LARGER = SimulationConfig(size=(720, 480), nominal_width=720)
_TRIPOD_PATTERNS = (
    (-4.0, -2.0, 0.0, 2.0, 4.0),
    (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
    (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0),
    (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0),
)
_HAND_HELD_PATTERNS = (
    (-2.0, 0.0, 2.0),
    (-3.0, 0.0, 3.0),
    (-2.0, -1.0, 0.0, 1.0, 2.0),
    (-4.0, -2.0, 0.0, 2.0, 4.0),
    (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
)
KINDS = {
    "dynamic": replace(SimulationConfig(), objects=ObjectConfig(still_share=0.0)),
    "static": replace(SimulationConfig(), objects=ObjectConfig(still_share=1.0)),
    "hand-held": real(
        replace(
            _LARGER,
            exposure=ExposureConfig(ev_patterns=_HAND_HELD_PATTERNS),
            objects=ObjectConfig(still_share=0.0),
        )
    ),
    "tripod": real(
        replace(
            _LARGER,
            exposure=ExposureConfig(ev_patterns=_TRIPOD_PATTERNS),
            shake=TRIPOD,
            objects=ObjectConfig(still_share=0.5, most=2, kinds=("foliage",)),
        )
    ),
}
"""Kind of bracket -> the distributions that it is drawn from."""


@dataclass(frozen=True)
class Case:
    """One bracket of a benchmark."""

    name: str  # its kind and a number: dynamic-01, hand-held-12
    scene: str  # panorama
    seed: int
    sha256: str  # of the bracket, by `data.simulated.digest_of`

    @property
    def kind(self) -> str:
        return self.name.rpartition("-")[0]

    @property
    def group(self) -> str:
        """What the brackets that it is averaged with have in common."""
        return {"dynamic": "moving", "static": "still"}.get(self.kind, self.kind)


def cases(benchmark: str = PUBLIC) -> tuple[Case, ...]:
    """All cases of a benchmark in order."""
    text = resources.files("openhdr.data").joinpath("splits", LISTS[benchmark]).read_text()
    return tuple(Case(**case) for case in json.loads(text)["cases"])


def make_case(case: Case, scenes: Sequence[Scene]) -> Simulated:
    """The bracket of one case. scenes: all panoramas of the benchmark, in the order of their names."""
    scene = next(scene for scene in scenes if scene.name == case.scene)
    others = [scene for scene in scenes if scene.name != case.scene]
    return render(draw_plan(scene, others, KINDS[case.kind], case.seed), scenes)


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


def write_benchmark(paths: Sequence[Path], folder: Path, benchmark: str = PUBLIC) -> int:
    """Make all brackets of a benchmark in FOLDER/CASE/ and return their number.

    Raises FileError when a bracket differs from the published one: scores on it could not be compared.
    """
    scenes = read_scenes(paths)
    listed = cases(benchmark)
    with task("making the benchmark", len(listed)) as advance:
        for case in listed:
            result = make_case(case, scenes)
            if digest_of(result) != case.sha256:
                raise FileError(
                    folder / case.name,
                    "differs from the published bracket",
                    "use the versions in constraints.txt",
                )
            write_bracket(result, folder / case.name, KINDS[case.kind])
            advance()
    return len(listed)
