"""Speed and memory of the tone mapping operators, each in a process of its own, beside OpenCV's.

    python benchmarks/tonemapping_speed.py [--megapixels 21] [--operator NAME ...]

One synthetic scene with a sun. Seconds of the wall, seconds of the processor on all cores, and the peak of the
process's memory in GB, with the scene (12 bytes a pixel) and the picture (12 bytes a pixel, floats) in it. OpenCV's
Drago and Reinhard are global and give floats, as ours do.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import click
import cv2
import numpy as np

from openhdr.tonemapping import OPERATORS

OPENCV = {"cv2 drago": cv2.createTonemapDrago, "cv2 reinhard": cv2.createTonemapReinhard}


def scene(megapixels: float) -> np.ndarray:
    """(H, W, 3) float32 linear, 3:2: smooth light over six decades, texture and a sun of 1e5."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    rng = np.random.default_rng(1)
    coarse = rng.normal(0, 1.2, (12, 18, 3)).astype(np.float32) * 2
    light = cv2.resize(coarse, (round(height * 1.5), height), interpolation=cv2.INTER_CUBIC)
    np.exp(light, out=light)
    for row in light:
        row *= rng.uniform(0.8, 1.2, (len(row), 1)).astype(np.float32)
    light[height // 4, height // 4] = 1e5
    return light


def measured(name: str, megapixels: float) -> None:
    """Print wall seconds, processor seconds and GB of one operator."""
    linear = scene(megapixels)
    function = OPENCV[name](2.2).process if name in OPENCV else OPERATORS[name].load()
    function(linear[:64, :96].copy())  # tables and imports
    start, begun = time.perf_counter(), time.process_time()
    function(linear)
    wall, processor = time.perf_counter() - start, time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    click.echo(f"{name:16}{wall:8.2f}{processor:11.2f}{peak:8.2f}")


@click.command()
@click.option("--megapixels", default=21.0, show_default=True)
@click.option("--operator", "names", multiple=True, type=click.Choice([*OPENCV, *OPERATORS]))
@click.option("--here", is_flag=True, help="Measure in this process; for one operator.")
def main(megapixels: float, names: tuple[str, ...], here: bool) -> None:
    """Measure the operators."""
    if here:
        measured(names[0], megapixels)
        return
    click.echo(f"{megapixels:g} MP, {cv2.getNumThreads()} OpenCV threads")
    click.echo(f"{'operator':16}{'wall s':>8}{'processor s':>11}{'GB':>8}")
    for name in names or (*OPENCV, *OPERATORS):
        command = [sys.executable, __file__, "--megapixels", str(megapixels), "--operator", name, "--here"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
