"""Write the list of a public benchmark: seeds and the hashes of the brackets that they give.

Run it only to publish a new benchmark; scores on the old one are then no longer comparable.

    python benchmarks/define_simulated.py PANORAMAS public | public-real-camera
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from openhdr.data.benchmark import LISTS, PUBLIC, REAL_CAMERA, Case, make_case
from openhdr.data.scenes import read_scene
from openhdr.data.simulated import digest_of

SCENES = (
    "circus_arena",
    "comfy_cafe",
    "dikhololo_night",
    "forest_slope",
    "lebombo",
    "pedestrian_overpass",
    "rooitou_park",
    "sepulchral_chapel_rotunda",
)
NUMBERS = {PUBLIC: {"dynamic": 24, "static": 8}, REAL_CAMERA: {"hand-held": 12, "tripod": 8}}
FIRST_SEEDS = {PUBLIC: 20240, REAL_CAMERA: 61500}
FOLDER = Path(__file__).parents[1] / "src/openhdr/data/splits"
ABOUT = "Brackets simulated from the public_test panoramas; see data/benchmark.py."


def main() -> None:
    panoramas, benchmark = Path(sys.argv[1]), sys.argv[2]
    scenes = [read_scene(panoramas / f"{name}.hdr") for name in SCENES]
    planned = [
        (f"{kind}-{k + 1:02d}", SCENES[k % len(SCENES)])
        for kind, number in NUMBERS[benchmark].items()
        for k in range(number)
    ]
    cases = []
    for offset, (name, scene) in enumerate(planned):
        case = Case(name, scene, FIRST_SEEDS[benchmark] + offset, "")
        cases.append(replace(case, sha256=digest_of(make_case(case, scenes))))
    text = json.dumps({"about": ABOUT, "cases": [asdict(case) for case in cases]}, indent=1)
    (FOLDER / LISTS[benchmark]).write_text(text + "\n")


if __name__ == "__main__":
    main()
