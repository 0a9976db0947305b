"""Camera RAW merged before demosaicing against developed first: the public benchmark's brackets, taken by a sensor.

    .venv/bin/python benchmarks/raw_domain.py PANORAMAS [--work FOLDER] [--tripod] [--array rggb] [--cases 32]

PANORAMAS: the folder of the public_test split. Scenes, views, objects, shake, exposures and noise are those of `openhdr
bench public`; the frames are sensor values, written as DNG. Scores are psnr-mu@shortest in dB; the last column is
processor time in seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.color.transfer import mu_law
from openhdr.core.image import REC709
from openhdr.data.benchmark import KINDS, cases, read_scenes
from openhdr.data.simulated import write_bracket
from openhdr.io.pixels import in_primaries
from openhdr.pipeline.bracket_to_hdr import merge_bracket
from openhdr.pipeline.pipeline_options import MergeOptions
from openhdr.simulation.config import ObjectConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import render

SETTINGS = {
    "developed first, trustnet": MergeOptions(raw_domain="off"),
    "developed first, mle": MergeOptions(raw_domain="off", method="mle"),
    "before demosaicing": MergeOptions(raw_domain="on"),
}


def score(folder: Path, options: MergeOptions) -> tuple[float, float]:
    """(dB, processor seconds) of one bracket."""
    facts = json.loads((folder / "scene.json").read_text())
    began = time.process_time()
    result = merge_bracket(
        sorted(folder.glob("?.dng")), replace(options, reference=facts["reference_index"] + 1)
    )
    seconds = time.process_time() - began
    top = 2.0 ** -(min(facts["ev"]) - facts["ev"][facts["reference_index"]])
    pair = (in_primaries(result.image, REC709).pixels, io.read(folder / "gt.exr").pixels)
    coded = [mu_law(np.clip(light / np.float32(top), 0, 1)) for light in pair]
    return float(-10 * np.log10(np.mean(np.square(coded[0] - coded[1])))), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panoramas", type=Path)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "openhdr-raw-domain")
    parser.add_argument(
        "--tripod", action="store_true", help="nothing moves; merged without alignment and deghosting"
    )
    parser.add_argument("--array", default="rggb")
    parser.add_argument("--cases", type=int, default=32)
    given = parser.parse_args()
    scenes = read_scenes([given.panoramas])
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in SETTINGS}
    for case in cases()[:: max(32 // given.cases, 1)]:
        config = KINDS[case.kind]
        config = replace(config, camera=replace(config.camera, array=given.array))
        if given.tripod:
            still = ObjectConfig(still_share=1.0)
            config = replace(config, objects=still, shake=replace(config.shake, still_share=1.0))
        scene = next(scene for scene in scenes if scene.name == case.scene)
        others = [scene for scene in scenes if scene.name != case.scene]
        folder = given.work / f"{given.array}-{'tripod' if given.tripod else 'hand'}" / case.name
        write_bracket(
            render(draw_plan(scene, others, config, case.seed), scenes), folder, config, masks=False
        )
        for name, options in SETTINGS.items():
            rows[name].append(
                score(folder, replace(options, align="none", deghost=False) if given.tripod else options)
            )
    for name, found in rows.items():
        decibels, seconds = np.mean(found, axis=0)
        print(f"{name:28s} {decibels:6.2f} dB {seconds:6.2f} s")


if __name__ == "__main__":
    main()
