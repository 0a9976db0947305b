"""Speed and memory of merging three 24-megapixel frames, beside OpenCV in the same run.

    .venv/bin/python benchmarks/merge_speed.py [--megapixels 24] [--photos FOLDER] [--steps] [--json FILE]

With --photos, the photos of a folder are merged in place of drawn ones, with exposures from their metadata; enfuse,
where it is installed, reads and writes files. With --steps, every step of the default merge says its own time,
processor time and peak memory. Every job runs in a process of its own, so that its peak memory is its own (the frames
and the interpreter included). Times are wall clock of the job alone. The ratios mean more than the seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

TIMES_S = (1 / 400, 1 / 100, 1 / 25)
STEPS = ("expose", "register", "decode", "compare", "decide", "merge", "refine")


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


def read_photos(folder: Path) -> tuple[list[np.ndarray], list[float]]:
    """The photos of a folder and their exposure times in seconds."""
    from openhdr.camera.exposure import ev_from_metadata
    from openhdr.pipeline.bracket_to_hdr import listed, read_frames

    paths = [Path(str(photo)) for photo in listed(folder)]
    images = read_frames(paths)
    stops = ev_from_metadata([image.exposure for image in images], [path.name for path in paths])
    return [image.pixels for image in images], [float(2.0**ev) for ev in stops]


def opencv_debevec(frames: list[np.ndarray], times: list[float]) -> None:
    import cv2

    cv2.createMergeDebevec().process(frames, np.array(times, np.float32))


def opencv_mtb_debevec(frames: list[np.ndarray], times: list[float]) -> None:
    import cv2

    aligned = [frame.copy() for frame in frames]
    cv2.createAlignMTB().process(aligned, aligned)
    cv2.createMergeDebevec().process(aligned, np.array(times, np.float32))


def _merge(
    frames: list[np.ndarray],
    times: list[float],
    method: str,
    align: str | None = None,
    deghost: bool | None = None,
) -> None:
    from openhdr.core.image import Image
    from openhdr.pipeline.bracket_to_hdr import merge_bracket
    from openhdr.pipeline.pipeline_options import MergeOptions

    images = [Image(frame, "srgb") for frame in frames]
    merge_bracket(images, MergeOptions(times=times, method=method, align=align, deghost=deghost))


def mle_static(frames: list[np.ndarray], times: list[float]) -> None:
    _merge(frames, times, "mle", align="none", deghost=False)


def mle(frames: list[np.ndarray], times: list[float]) -> None:
    _merge(frames, times, "mle")


def trustnet(frames: list[np.ndarray], times: list[float]) -> None:
    _merge(frames, times, "trustnet")


def trustnet_tiny(frames: list[np.ndarray], times: list[float]) -> None:
    _merge(frames, times, "trustnet-tiny")


def trustnet_steps(frames: list[np.ndarray], times: list[float]) -> None:
    """The default merge; every step prints what it took."""
    from openhdr.merging.trustnet.merger import TrustNet
    from openhdr.pipeline import bracket_to_hdr

    def said(step, function):
        def run(*arguments):
            wall, processor = time.perf_counter(), time.process_time()
            result = function(*arguments)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            print(
                f"  {step:10s} {wall:6.2f} s  {processor:6.2f} s of the processor  peak {_peak_gb():.2f} GB"
            )
            return result

        return run

    for step in STEPS:
        room = TrustNet if step in vars(TrustNet) else bracket_to_hdr
        setattr(room, step, said(step, getattr(room, step)))
    _merge(frames, times, "trustnet")


JOBS = (opencv_debevec, opencv_mtb_debevec, mle_static, mle, trustnet, trustnet_tiny)


def _measure(job, path: str, pipe) -> None:
    stored = np.load(path)
    frames, times = list(stored["frames"]), stored["times"].tolist()
    began = time.perf_counter()
    job(frames, times)
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


def enfuse(folder: Path) -> float:
    """Seconds of the program on the files of a folder, reading and writing included."""
    from openhdr.pipeline.bracket_to_hdr import listed

    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        subprocess.run(
            ["enfuse", "-o", f"{out}/fused.tif", *map(str, listed(folder))],
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", nargs="+", choices=[job.__name__ for job in JOBS])
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    frames, times = (
        read_photos(arguments.photos) if arguments.photos else (make_frames(arguments.megapixels), TIMES_S)
    )
    handle, path = tempfile.mkstemp(suffix=".npz")
    os.close(handle)
    np.savez(path, frames=np.stack(frames), times=np.array(times))
    del frames
    results: dict[str, dict[str, float]] = {}
    try:
        if arguments.steps:
            print("trustnet, step by step")
            measure(trustnet_steps, path)
        for _ in range(arguments.rounds):
            for job in JOBS:
                if arguments.jobs and job.__name__ not in arguments.jobs:
                    continue
                seconds, peak = measure(job, path)
                before = results.get(job.__name__, {"seconds": np.inf})
                if seconds < before["seconds"]:
                    results[job.__name__] = {"seconds": round(seconds, 2), "peak_gb": round(peak, 2)}
    finally:
        os.unlink(path)
    if arguments.photos and shutil.which("enfuse"):
        print(f"enfuse, files to a file   {enfuse(arguments.photos):7.2f} s")
    for name, result in results.items():
        base = results.get(
            "opencv_debevec" if "static" in name else "opencv_mtb_debevec", {"seconds": np.nan}
        )
        ratio = result["seconds"] / base["seconds"]
        print(f"{name:20s} {result['seconds']:7.2f} s  {result['peak_gb']:5.2f} GB  ratio {ratio:.2f}")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"megapixels": arguments.megapixels, "results": results}, file, indent=2)


if __name__ == "__main__":
    main()
