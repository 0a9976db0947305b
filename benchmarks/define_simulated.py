"""Write the list of the public benchmark: seeds and the hashes of the brackets that they give.

Run it only to publish a new benchmark; scores on the old one are then no longer comparable.

    python benchmarks/define_simulated.py PANORAMAS
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from openhdr.data.benchmark import Case, make_case
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
MOVING, STILL = 24, 8
FIRST_SEED = 20240
TARGET = Path(__file__).parents[1] / "src/openhdr/data/splits/benchmark.json"
ABOUT = "The public benchmark: brackets simulated from the public_test panoramas; see data/benchmark.py."


def main() -> None:
    scenes = [read_scene(Path(sys.argv[1]) / f"{name}.hdr") for name in SCENES]
    planned = [(f"dynamic-{k + 1:02d}", SCENES[k % len(SCENES)]) for k in range(MOVING)]
    planned += [(f"static-{k + 1:02d}", SCENES[k % len(SCENES)]) for k in range(STILL)]
    cases = []
    for offset, (name, scene) in enumerate(planned):
        case = Case(name, scene, FIRST_SEED + offset, "")
        cases.append(replace(case, sha256=digest_of(make_case(case, scenes))))
    TARGET.write_text(
        json.dumps({"about": ABOUT, "cases": [asdict(case) for case in cases]}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
