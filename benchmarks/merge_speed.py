"""Speed and memory of merging three 24-megapixel frames, beside OpenCV in the same run.

    .venv/bin/python benchmarks/merge_speed.py [--megapixels 24] [--json FILE]

Every job runs in a process of its own on the same frames in memory, so that its peak memory is its own (the frames
and the interpreter included). Times are wall clock of the job alone. The ratios mean more than the seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time

import numpy as np

TIMES_S = (1 / 400, 1 / 100, 1 / 25)


def make_frames(megapixels: float) -> list[np.ndarray]:
    """Three uint8 frames of a synthetic hand-held scene with texture, highlights and noise."""
    import cv2

    from openhdr.color.transfer import srgb_encode

    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    rng = np.random.default_rng(5)
    small = np.exp(rng.normal(0, 1.6, (height // 64 + 1, width // 64 + 1, 3))).astype(np.float32)
    scene = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).clip(0.001) * 0.15
    fine = cv2.resize(rng.uniform(0.7, 1.3, (height // 4, width // 4)).astype(np.float32), (width, height))
    scene *= fine[..., None]
    frames = []
    for index, time_s in enumerate(TIMES_S):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.15 * (index - 1), 1.0)
        turn[:, 2] += [(index - 1) * 17.3, (1 - index) * 9.1]
        light = cv2.warpAffine(scene, turn, (width, height), borderMode=cv2.BORDER_REFLECT) * (
            time_s / TIMES_S[1]
        )
        codes = srgb_encode(np.clip(light, 0, 1).astype(np.float32)) * 255
        frames.append(
            (codes + rng.uniform(0, 1, codes.shape).astype(np.float32)).clip(0, 255).astype(np.uint8)
        )
    return frames


def opencv_debevec(frames: list[np.ndarray]) -> None:
    import cv2

    cv2.createMergeDebevec().process(frames, np.array(TIMES_S, np.float32))


def opencv_mtb_debevec(frames: list[np.ndarray]) -> None:
    import cv2

    aligned = [frame.copy() for frame in frames]
    cv2.createAlignMTB().process(aligned, aligned)
    cv2.createMergeDebevec().process(aligned, np.array(TIMES_S, np.float32))


def _merge(frames: list[np.ndarray], method: str, align: str = "homography", deghost: bool = True) -> None:
    from openhdr.core.image import Image
    from openhdr.pipeline.bracket_to_hdr import merge_bracket
    from openhdr.pipeline.options import MergeOptions

    images = [Image(frame, "srgb") for frame in frames]
    options = MergeOptions(times=TIMES_S, method=method, align=align, deghost=deghost)
    merge_bracket(images, options)


def mle_static(frames: list[np.ndarray]) -> None:
    _merge(frames, "mle", align="none", deghost=False)


def mle_deghosted(frames: list[np.ndarray]) -> None:
    _merge(frames, "mle", align="none")


def mle(frames: list[np.ndarray]) -> None:
    _merge(frames, "mle")


def trustnet(frames: list[np.ndarray]) -> None:
    _merge(frames, "trustnet")


def trustnet_tiny(frames: list[np.ndarray]) -> None:
    _merge(frames, "trustnet-tiny")


JOBS = (opencv_debevec, opencv_mtb_debevec, mle_static, mle_deghosted, mle, trustnet, trustnet_tiny)


def _measure(job, path: str, pipe) -> None:
    frames = list(np.load(path))
    began = time.perf_counter()
    job(frames)
    seconds = time.perf_counter() - began
    pipe.send((seconds, _peak_gb()))


def _peak_gb() -> float:
    """Highest resident memory of this process; ru_maxrss would include the parent's."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e6


def measure(job, path: str) -> tuple[float, float]:
    """(seconds, peak GB) of one job in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(job, path, send))
    process.start()
    result = receive.recv()
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    handle, path = tempfile.mkstemp(suffix=".npy")
    os.close(handle)
    np.save(path, np.stack(make_frames(arguments.megapixels)))
    results: dict[str, dict[str, float]] = {}
    try:
        for _ in range(arguments.rounds):
            for job in JOBS:
                seconds, peak = measure(job, path)
                before = results.get(job.__name__, {"seconds": np.inf})
                if seconds < before["seconds"]:
                    results[job.__name__] = {"seconds": round(seconds, 2), "peak_gb": round(peak, 2)}
    finally:
        os.unlink(path)
    for name, result in results.items():
        base = results["opencv_debevec" if "static" in name or "deghosted" in name else "opencv_mtb_debevec"]
        ratio = result["seconds"] / base["seconds"]
        print(f"{name:20s} {result['seconds']:7.2f} s  {result['peak_gb']:5.2f} GB  ratio {ratio:.2f}")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"megapixels": arguments.megapixels, "results": results}, file, indent=2)


if __name__ == "__main__":
    main()
