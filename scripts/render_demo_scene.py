"""Render the demo bracket of openhdr and its exact truth: a sunlit room, hand-held, with a toy train rolling.

Everything in the pictures is made here from formulas; nothing is loaded. The room is path-traced with
Mitsuba 3 at twice the final size, denoised with Open Image Denoise, and photographed by a pretended camera:
three poses a fraction of a degree apart, lens glare, photon and read noise, 8-bit sRGB JPEG with EXIF.

The renderer is not needed to use openhdr. In an environment of its own, with LLVM 19's library installed:

    pip install mitsuba==3.9.1 drjit==1.5.0 pyoidn==2.5.1.0 OpenEXR==3.5.3 pillow==13.0.0 numpy==2.4.6
    export DRJIT_LIBLLVM_PATH=/usr/lib/x86_64-linux-gnu/libLLVM-19.so
    python scripts/render_demo_scene.py --out src/openhdr/demo --work renders

One thread and fixed seeds: the same versions on the same processor give the same files. `--work` keeps the
denoised renders, so that a second run only takes the photos. The renders of the shipped files took 27 minutes
on one core of a busy machine (96 paths per final pixel and frame).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from fractions import Fraction
from pathlib import Path

import drjit as dr
import mitsuba as mi
import numpy as np
from demo_scene import photo
from demo_scene.camera import Pose, build_scene, denoise, render

STOPS = (-2.0, 0.0, 2.0)
SECONDS = (Fraction(1, 500), Fraction(1, 125), Fraction(4, 125))
POSES = (
    Pose(yaw=0.21, pitch=-0.13, roll=0.10, shift=(0.0015, 0.0, -0.0010), train=-0.12),
    Pose(),
    Pose(yaw=-0.17, pitch=-0.22, roll=-0.15, shift=(-0.0020, 0.0, 0.0015), train=0.12),
)
REFERENCE = 1
WIDTH, HEIGHT = 960, 640
GAIN = 28.0  # the reference frame clips at 1 / GAIN of the renderer's unit
WHITE_BALANCE = (0.96, 1.0, 1.12)


def rendered(index: int, work: Path, passes: int, samples: int, seed: int) -> np.ndarray:
    """Scene light of one frame at the final size, renderer's units; kept in `work` as .npy."""
    kept = work / f"frame{index}.npy"
    if kept.exists():
        return np.load(kept)
    start = time.monotonic()
    scene = build_scene(POSES[index], 2 * WIDTH, 2 * HEIGHT)
    light = photo.halved(denoise(*render(scene, passes, samples, seed + 1000 * index)))
    np.save(kept, light)
    logging.info("frame %d: %.0f s", index, time.monotonic() - start)
    return light


def scene_facts(truth: np.ndarray, args: argparse.Namespace) -> dict:
    luminance = truth @ np.array([0.2126, 0.7152, 0.0722])
    low, high = np.percentile(luminance, [0.01, 99.99])
    sensor = photo.Sensor()
    return {
        "ev": list(STOPS),
        "frames": ["0.jpg", "1.jpg", "2.jpg"],
        "reference": REFERENCE + 1,
        "truth": "gt.exr",
        "anchor": "1.0 = the level at which the reference frame clips",
        "response": "srgb",
        "exposure_seconds": [str(s) for s in SECONDS],
        "iso": photo.Setting(SECONDS[0]).iso,
        "f_number": float(photo.Setting(SECONDS[0]).f_number),
        "full_well_electrons": sensor.full_well,
        "read_noise_electrons": sensor.read_noise,
        "yaw_pitch_roll_degrees": [[p.yaw, p.pitch, p.roll] for p in POSES],
        "shift_metres": [list(p.shift) for p in POSES],
        "train_travelled_metres": [p.train for p in POSES],
        "dynamic_range_stops_of_the_inner_99_98_percent": round(float(np.log2(high / low)), 1),
        "clipped_share_of_the_truth_at_each_ev": [
            round(float((truth * 2**s > 1).any(-1).mean()), 4) for s in STOPS
        ],
        "paths_per_pixel": 4 * args.passes * args.samples,
        "seed": args.seed,
        "renderer": "mitsuba 3.9.1 llvm_ad_rgb, Open Image Denoise 2.5.1",
        "made_by": "scripts/render_demo_scene.py",
    }


def use_one_thread() -> None:
    os.environ["OIDN_NUM_THREADS"] = "1"
    mi.set_variant("llvm_ad_rgb")
    dr.set_thread_count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for 0.jpg 1.jpg 2.jpg gt.exr scene.json"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps the renders")
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--samples", type=int, default=6, help="paths per rendered pixel and pass")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_thread()
    for folder in (args.out, args.work):
        folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    for index, stops in enumerate(STOPS):
        light = rendered(index, args.work, args.passes, args.samples, args.seed)
        light = photo.glare(light * np.float32(GAIN) * np.array(WHITE_BALANCE, np.float32))
        frame = photo.shoot(light, stops, photo.Sensor(), rng)
        photo.save_jpeg(args.out / f"{index}.jpg", frame, photo.Setting(SECONDS[index]), stops, index)
        if index == REFERENCE:
            photo.save_truth(args.out / "gt.exr", light)
            (args.out / "scene.json").write_text(json.dumps(scene_facts(light, args), indent=1) + "\n")


if __name__ == "__main__":
    main()
