"""Reading in a child process: the same pictures, and no accident of a decoder reaches the caller."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from openhdr.core.errors import FileError
from openhdr.io import isolated, probe, read, read_isolated


@pytest.fixture(autouse=True)
def no_children_left():
    yield
    isolated.end_children()


def test_pictures_and_facts_are_the_same(samples) -> None:
    for name, path in samples.items():
        ours, theirs = read(path), read_isolated(path)
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        for field in ("encoding", "exposure", "metadata", "notes", "primaries"):
            assert getattr(ours, field) == getattr(theirs, field), (name, field)


def test_the_environment_variable_isolates_reading_and_probing(samples, monkeypatch) -> None:
    facts = {name: probe(path) for name, path in samples.items()}
    monkeypatch.setenv(isolated.VARIABLE, "1")
    for name, path in samples.items():
        assert probe(path) == facts[name]
    assert len(isolated._idle) == 1  # one child served them all
    read(samples["png-8"])
    assert len(isolated._idle) == 1


def test_refusals_are_told_as_by_read(samples, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(samples["jpeg-plain"].read_bytes()[:-40])
    for each in (path, tmp_path / "none.jpg", tmp_path):
        with pytest.raises(FileError) as direct:
            read(each)
        with pytest.raises(FileError) as told:
            read_isolated(each)
        assert str(told.value) == str(direct.value)


def test_a_child_that_crashes_is_an_error_and_the_next_file_is_read(samples, monkeypatch) -> None:
    child = isolated.Reader(1.0)
    monkeypatch.setattr(child, "process", _crashing(child.process))
    isolated._idle.append(child)
    with pytest.raises(FileError, match="ends its decoder"):
        read_isolated(samples["png-8"], memory_gb=1.0)
    assert read_isolated(samples["png-8"], memory_gb=1.0).pixels.dtype == np.uint8


def _crashing(process):
    """The process, stopped by a fault of memory as soon as it is asked."""

    class Crashing:
        stdin, stdout, kill, poll, wait = (
            process.stdin,
            process.stdout,
            process.kill,
            process.poll,
            process.wait,
        )

    os.kill(process.pid, signal.SIGSEGV)
    Crashing.poll = lambda self: None
    return Crashing()


def test_time_is_limited(samples) -> None:
    began = time.monotonic()
    with pytest.raises(FileError, match=r"takes longer than 0\.01 s"):
        read_isolated(samples["openexr-half"], seconds=0.01)
    assert time.monotonic() - began < 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of POSIX")
def test_memory_is_limited(tmp_path) -> None:
    from openhdr.core.image import Image
    from openhdr.io import write

    path = tmp_path / "a.tif"
    write(path, Image(np.zeros((3000, 3000, 3), np.float32)))
    assert read_isolated(path, memory_gb=2.0).pixels.shape == (3000, 3000, 3)
    with pytest.raises(FileError, match="memory"):
        read_isolated(path, memory_gb=0.05)


def test_children_end_with_their_parent(samples) -> None:
    read_isolated(samples["png-8"])
    child = isolated._idle.pop()
    child.process.stdin.close()
    assert child.process.wait(20) == 0
    child.process.stdout.close()
