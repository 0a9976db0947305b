"""Write the picture of a model card: where trained weights fail.

    python scripts/failure_pictures.py METHOD [METHOD ...] --data public_test/hdri

Three brackets of the public benchmark, of different panoramas, on which the method scores lowest by the committed
results; of each the square where it is most wrong. From left to right: the reference photo, the method, the truth, and
the mu-law error (white: 0.2). Light is shown at the exposure that the square asks for.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image as Picture

from openhdr.bench.case import BenchScene, Case
from openhdr.bench.load_case import load_case
from openhdr.bench.methods.photos import reference_light
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import Setting
from openhdr.bench.scoring import error_map
from openhdr.color.transfer import srgb_encode
from openhdr.data.benchmark import cases as published

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "openhdr" / "models" / "weights"
CASES = ("public", "public-single")
COUNT = 3  # squares
SIDE, ZOOM, GAP = 112, 2, 4  # pixels of the light, times, pixels between pictures
FULL = 0.2  # mu-law error that is white


def lowest(case: Case, method: str) -> list[str]:
    """Names of the scenes, from the one on which the method scored lowest."""
    results = json.loads((ROOT / "benchmarks" / "results" / case.name / "results.json").read_text())
    main = case.columns[0].key
    scores = {run["scene"]: run["scores"][main] for run in results["runs"] if run["method"] == method}
    if not scores:
        raise click.ClickException(f"{method}: no results; first run openhdr bench {case.name}")
    return sorted(scores, key=scores.__getitem__)


def worst_square(error: np.ndarray) -> tuple[slice, slice]:
    """Where the mean squared error of SIDE x SIDE pixels is highest."""
    half = SIDE // 2
    mean = cv2.boxFilter(np.square(error), -1, (SIDE, SIDE))[half:-half, half:-half]
    y, x = np.unravel_index(mean.argmax(), mean.shape)
    return slice(y, y + SIDE), slice(x, x + SIDE)


def strip(scene: BenchScene, setting: Setting) -> np.ndarray:
    """(SIDE * ZOOM, W, 3) uint8: one row of the picture."""
    light = reconstruct(setting, scene.given).pixels
    error = error_map(light, scene)
    place = worst_square(error)
    white = np.percentile(np.minimum(scene.truth[place], scene.top), 98)
    shown = [
        srgb_encode(np.clip(x[place] / white, 0, 1))
        for x in (reference_light(scene.given), light, scene.truth)
    ]
    shown.append(np.clip(error[place] / FULL, 0, 1)[..., None].repeat(3, 2))
    gap = np.ones((SIDE * ZOOM, GAP, 3), np.float32)
    parts = []
    for picture in shown:
        parts += [cv2.resize(picture.astype(np.float32), None, fx=ZOOM, fy=ZOOM), gap]
    return np.rint(np.concatenate(parts[:-1], 1).clip(0, 1) * 255).astype(np.uint8)


def rows(case: Case, setting: Setting) -> Iterator[np.ndarray]:
    """The rows of the picture, worst bracket first."""
    entries = {entry.name: entry for entry in case.scenes}
    panorama_of = {one.name: one.scene for one in published()}
    panoramas: set[str] = set()
    for name in lowest(case, setting.name):
        panorama = panorama_of[name]
        if panorama not in panoramas and len(panoramas) < COUNT:
            panoramas.add(panorama)
            yield strip(entries[name].load(), setting)


@click.command(help=__doc__.partition("\n")[0])
@click.argument("methods", nargs=-1, required=True)
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), required=True, help="As of openhdr bench public."
)
def main(methods: tuple[str, ...], data: Path) -> None:
    with tempfile.TemporaryDirectory() as work:  # brackets are made there, not beside the panoramas
        cases = [load_case(name, data, Path(work)) for name in CASES]
        for method in methods:
            found = [(case, setting) for case in cases for setting in case.settings if setting.name == method]
            if not found:
                raise click.ClickException(f"{method}: not in the public benchmark")
            pictures = list(rows(*found[0]))
            gap = np.full((GAP, pictures[0].shape[1], 3), 255, np.uint8)
            sheet = np.concatenate([part for picture in pictures for part in (picture, gap)][:-1])
            path = TARGET / f"{method}.jpg"
            Picture.fromarray(sheet).save(path, quality=85)
            click.echo(f"{path}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
