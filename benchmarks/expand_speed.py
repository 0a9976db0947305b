"""Time and memory of `openhdr expand` on a large photo, method by method.

    .venv/bin/python benchmarks/expand_speed.py [METHOD ...] [--megapixels 12] [--precision auto]

Every method runs in a process of its own, from a photo in memory to light, so that its peak memory is its own
(photo, interpreter and libraries included). A network runs with untrained weights: speed and memory are the same. The
photo is smooth light with texture, of which a quarter clips.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

NETWORKS = ("two-stage", "stack-itm")
METHODS = ("trustnet-single", "landis", "rempel", "kovaleski-oliveira", *NETWORKS)
CLIPPED = 0.25  # share of the photo


def photo(megapixels: float) -> np.ndarray:
    """(H, W, 3) uint8, three by four."""
    import cv2

    from openhdr.color.transfer import srgb_encode

    height = round((megapixels * 1e6 * 0.75) ** 0.5)
    size = round(height / 0.75), height
    rng = np.random.default_rng(5)
    coarse = np.exp(rng.normal(0, 1.2, (9, 12, 3))).astype(np.float32)
    light = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).clip(0.01)
    light *= cv2.resize(rng.uniform(0.9, 1.1, (height // 4, size[0] // 4)).astype(np.float32), size)[
        ..., None
    ]
    light /= np.quantile(light[::8, ::8].max(axis=2), 1 - CLIPPED)
    return np.rint(srgb_encode(np.minimum(light, 1)) * 255).astype(np.uint8)


def measure(method: str, megapixels: float, precision: str) -> dict[str, object]:
    """One method in this process."""
    from openhdr.core.image import Image
    from openhdr.pipeline.photo_to_hdr import expand_photo
    from openhdr.pipeline.pipeline_options import ExpandOptions

    image = Image(photo(megapixels), "srgb")
    if method in NETWORKS:
        from openhdr import models
        from openhdr.camera.response import analytic
        from openhdr.expansion.photo import photo_of
        from openhdr.models.inference.one_photo import expand_image
        from openhdr.models.inference.run_options import RunOptions

        network = models.load(method)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, busy = time.perf_counter(), time.process_time()
    if method in NETWORKS:
        linear = photo_of(image, analytic("srgb")).linear
        expand_image(network, linear, RunOptions(precision=precision), keep_stack=True)
    else:
        expand_photo(image, ExpandOptions(method))
    return {
        "method": method,
        "precision": precision,
        "seconds": round(time.perf_counter() - wall, 1),
        "processor_seconds": round(time.process_time() - busy, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "peak_gb_before": round(before / 1e6, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--precision", default="auto", help="of networks")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.stdout.write(
            json.dumps(measure(options.methods[0], options.megapixels, options.precision)) + "\n"
        )
        return
    for method in options.methods:
        command = [sys.executable, __file__, method, "--here", f"--megapixels={options.megapixels}"]
        command += [f"--precision={options.precision}"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
