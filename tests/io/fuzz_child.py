"""Reads many damaged copies of one file; run as a child process, with limits on memory and time.

    python fuzz_child.py SAMPLE COUNT SEED FOLDER

Exit 0: every copy was read or refused with an OpenHDRError in time. Prints how many of each.
"""

from __future__ import annotations

import faulthandler
import random
import resource
import sys
import time
import warnings
from pathlib import Path

from openhdr.core.errors import OpenHDRError
from openhdr.io import probe, read

MEMORY_BYTES = 4 << 30
SECONDS_EACH = 5.0


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut off, or with a few bytes changed, mostly near the start where the facts stand."""
    if rng.random() < 0.3:
        return data[: rng.randrange(1, len(data))]
    copy = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        reach = len(copy) if rng.random() < 0.5 else min(len(copy), 200)
        copy[rng.randrange(reach)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(copy)


def outcome(path: Path) -> str:
    for function in (probe, read):
        try:
            function(path)
        except OpenHDRError as error:
            if "\n" in str(error):
                raise AssertionError(f"message of several lines: {error}") from error
            if function is read:
                return "refused"
    return "read"


def main(sample: Path, count: int, seed: int, folder: Path) -> None:
    faulthandler.enable()
    warnings.simplefilter("error")
    read(sample)  # loads the decoders before the limit
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    rng, data, results = random.Random(seed), sample.read_bytes(), {"read": 0, "refused": 0}
    path = folder / f"damaged{sample.suffix}"
    for number in range(count):
        path.write_bytes(damaged(data, rng))
        faulthandler.dump_traceback_later(60, exit=True)
        start = time.perf_counter()
        try:
            results[outcome(path)] += 1
        except BaseException:
            print(f"copy {number} of seed {seed}", file=sys.stderr)
            raise
        if time.perf_counter() - start > SECONDS_EACH:
            raise AssertionError(f"copy {number} of seed {seed} took {time.perf_counter() - start:.1f} s")
    print(results)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
