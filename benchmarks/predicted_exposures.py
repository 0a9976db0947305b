"""How good are the exposures that stack-itm predicts, and what becomes of them?

    .venv/bin/python benchmarks/predicted_exposures.py PANORAMAS [--weights FILE] [--every 4]

Reference photos of the public benchmark. PANORAMAS: the folder of the public_test split. Exposures: PSNR of codes 0..1
against the truth two stops longer and shorter, on the whole picture and where no channel of the photo clips. Light:
pu21-psnr, 1.0 = 100 cd/m2, of the fusion, of what classical mergers make of the same exposures, and of the parts: the
photo alone and the shorter exposure alone. Means over pictures in dB.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from openhdr.bench.load_case import load_case
from openhdr.bench.methods.photos import reference_light
from openhdr.color.transfer import srgb_decode, srgb_encode
from openhdr.metrics.pu21 import PEAK, pu21
from openhdr.pipeline.photo_to_hdr import expand_photo
from openhdr.pipeline.pipeline_options import ExpandOptions
from openhdr.pipeline.predicted_stack import merged_stack

STOPS = {"up": 2, "down": -2}
MERGERS = ("debevec", "mle")


def decibels(error: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean(np.square(error))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panoramas", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--every", type=int, default=1, help="take every so many of the 32 photos")
    given = parser.parse_args()
    options = ExpandOptions("stack-itm", weights=given.weights, keep_stack=True)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as work:
        for entry in load_case("public-single", given.panoramas, Path(work)).scenes[:: given.every]:
            scene = entry.load()
            photo = reference_light(scene.given)
            made = expand_photo(scene.given.frames[scene.given.anchor], options)
            stack = {frame.name: frame for frame in made.stack}
            truth = pu21(100 * scene.truth)
            exposed = (photo < 0.97).all(axis=2)
            row = {}
            for side, stops in STOPS.items():
                error = stack[side].image.pixels - srgb_encode(np.minimum(scene.truth * 2.0**stops, 1))
                row |= {side: decibels(error), f"{side}, exposed": decibels(error[exposed])}
                row[f"{side}, EV"] = stack[side].ev or 0.0
            down = srgb_decode(stack["down"].image.pixels) * 2.0 ** -STOPS["down"]
            lights = {"fusion": made.result.image.pixels, "photo": photo, "shorter alone": down}
            lights |= {f"--merger {merger}": merged_stack(made.stack, merger)[0] for merger in MERGERS}
            row |= {name: decibels((pu21(100 * light) - truth) / PEAK) for name, light in lights.items()}
            for name, value in row.items():
                found.setdefault(name, []).append(value)
            print(entry.name, "  ".join(f"{name} {value:.2f}" for name, value in row.items()), flush=True)
    print("mean", "  ".join(f"{name} {np.mean(values):.2f}" for name, values in found.items()))


if __name__ == "__main__":
    main()
