"""Speed of the tone mapping operators: megapixels a second, and time relative to OpenCV's operators.

    python benchmarks/tonemapping_speed.py [--megapixels 24] [--operator NAME ...]

One synthetic scene with a sun; the better of two runs. OpenCV's Drago and Reinhard are global and give
floats, as ours do.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import click
import cv2
import numpy as np

from openhdr.tonemapping import OPERATORS

SLOW = ("liang",)  # only on request: a float64 Fourier solver


def scene(megapixels: float) -> np.ndarray:
    """(H, W, 3) float32 linear, 3:2: smooth light over six decades, texture and a sun of 1e5."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    rng = np.random.default_rng(1)
    coarse = rng.normal(0, 1.2, (12, 18, 3)).astype(np.float32)
    light = np.exp(cv2.resize(coarse, (round(height * 1.5), height), interpolation=cv2.INTER_CUBIC) * 2)
    light *= rng.uniform(0.8, 1.2, light.shape[:2]).astype(np.float32)[..., None]
    light[height // 4, height // 4] = 1e5
    return light


def seconds(function: Callable[[np.ndarray], np.ndarray], linear: np.ndarray) -> float:
    """Wall time of the better of two runs."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        function(linear)
        times.append(time.perf_counter() - start)
    return min(times)


@click.command()
@click.option("--megapixels", default=24.0, show_default=True)
@click.option("--operator", "names", multiple=True, type=click.Choice(list(OPERATORS)))
def main(megapixels: float, names: tuple[str, ...]) -> None:
    """Measure the operators."""
    linear = scene(megapixels)
    pixels = linear.shape[0] * linear.shape[1] / 1e6
    # cv2 reads BGR; for speed the order does not matter
    base = {
        "cv2 drago": seconds(cv2.createTonemapDrago(2.2).process, linear),
        "cv2 reinhard": seconds(cv2.createTonemapReinhard(2.2).process, linear),
    }
    click.echo(f"{linear.shape[1]}x{linear.shape[0]}, {cv2.getNumThreads()} OpenCV threads")
    click.echo(f"{'operator':16}{'s':>8}{'MP/s':>8}" + "".join(f"{'/ ' + name:>16}" for name in base))
    names = names or tuple(name for name in OPERATORS if name not in SLOW)
    times = base | {name: seconds(OPERATORS[name].load(), linear) for name in names}
    for name, taken in times.items():
        ratios = "".join(f"{taken / other:16.2f}" for other in base.values())
        click.echo(f"{name:16}{taken:8.2f}{pixels / taken:8.1f}{ratios}")
    click.echo(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
