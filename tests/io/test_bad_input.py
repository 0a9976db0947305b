"""Damaged, absurd and missing files: one clear FileError, bounded time and memory, no partial picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openhdr.core.errors import FileError
from openhdr.io import read

CHILD = Path(__file__).with_name("fuzz_child.py")
KINDS = (
    *("jpeg-plain", "jpeg-progressive", "png-8", "png-16", "openexr-half", "openexr-float", "radiance-new"),
    *("webp-lossy", "webp-lossless", "avif-8", "avif-10", "raw-dng", "tiff-float", "tiff-plain"),
)


def fuzz(sample: Path, count: int, seed: int, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(CHILD), str(sample), str(count), str(seed), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_copies_give_only_our_errors(samples, tmp_path, kind):
    done = fuzz(samples[kind], 25, 7, tmp_path)
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_damaged_copies_give_only_our_errors(samples, tmp_path, kind):
    done = fuzz(samples[kind], 1500, 11, tmp_path)
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_is_refused(samples, tmp_path, kind):
    data = samples[kind].read_bytes()
    path = tmp_path / samples[kind].name
    for part in (0.3, 0.6, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(FileError):
            read(path)
