"""Training samples a second from a cache of scenes: 3 frames of 128 x 128, on as many processes as asked.

    python benchmarks/data_throughput.py CACHE [--workers 2] [--seconds 10]

Finished patches read from shards are timed beside them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from openhdr.data.patches import pack
from openhdr.data.sample import Sample, network_arrays
from openhdr.data.shards import prepare
from openhdr.train.recipe import DataConfig
from openhdr.train.sources import SOURCES

WARM_UP = 4  # samples made before the clock starts
PATCHES = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = _source("simulated", options.cache)
        patches = [source.sample(number) for number in range(PATCHES)]
        fill = {f"patches-{k}.tar": _packer(patches[k :: options.workers]) for k in range(options.workers)}
        prepare(Path(folder), {"kind": "patches", "scenes": []}, fill)
        rates = {
            "simulated": _rate("simulated", options.cache, options),
            "patches": _rate("patches", Path(folder), options),
        }
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    facts = {"samples_per_second": rates, "workers": options.workers, "machine": machine}
    json.dump(facts, sys.stdout, indent=1)
    sys.stdout.write("\n")


def _packer(samples: list[Sample]):
    return lambda: ((f"{number:05d}", pack(sample)) for number, sample in enumerate(samples))


def _rate(kind: str, folder: Path, options: argparse.Namespace) -> float:
    """Samples a second of all workers together, ready for a network."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.workers) as pool:
        tasks = [(kind, folder, k, options.workers, options.seconds) for k in range(options.workers)]
        return round(sum(pool.map(_work, tasks, chunksize=1)), 1)


def _source(kind: str, folder: Path):
    return SOURCES[kind].load()(DataConfig(path=str(folder), patch=128), 0, folder)


def _work(task: tuple) -> float:
    kind, folder, worker, workers, seconds = task
    source = _source(kind, folder)
    for number in range(WARM_UP):
        network_arrays(source.sample(number))
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        network_arrays(source.sample(worker + count * workers))
        count += 1
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
