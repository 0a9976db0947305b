"""Commands end cleanly: by signals, with streams closed, full or without a reader, and with any file name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import openhdr

PHOTO = Path(openhdr.__file__).parent / "demo" / "0.jpg"
OPENHDR = [sys.executable, "-m", "openhdr"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and descriptors of POSIX")


@contextmanager
def started(*words: object, **options) -> Iterator[subprocess.Popen]:
    """A command under way; killed where the test leaves it running."""
    with subprocess.Popen([*OPENHDR, *map(str, words)], stderr=subprocess.PIPE, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_full_device_is_one_line() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full, started("info", PHOTO, stdout=full) as process:
        said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 2 and said.startswith("openhdr: error:") and said.count("\n") == 1


def test_a_reader_that_leaves_is_no_error() -> None:
    with started("info", PHOTO, "--json", stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)
    assert process.returncode in (0, 1)  # click ends with 1 where it notices first


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path, closed) -> None:
    """What is opened later must not become standard error, on which decoders print."""
    out = tmp_path / "a.png"
    command = f"{sys.executable} -m openhdr convert {PHOTO} -o {out} {closed}"
    assert subprocess.run(["sh", "-c", command], timeout=60).returncode == 0
    assert out.read_bytes().endswith(b"IEND\xaeB`\x82")


def test_ctrl_c_pressed_again_and_again(make_card, tmp_path) -> None:
    """One line and status 130, from a batch with its processes and threads, too."""
    card, out = make_card(tmp_path / "card", 40, 0), tmp_path / "out"
    # a shell that starts tests in the background has them ignore the signal
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with started("batch", card, "-o", out, "--workers", 1, start_new_session=True, **heard) as process:
        until = time.monotonic() + 60
        while not (out / ".batch.lock").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(1)
        while process.poll() is None and time.monotonic() < until:
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        said = process.stderr.read().decode().split("\n")
    assert process.returncode == 130 and [line for line in said if line] == ["openhdr: error: interrupted"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_leave_nothing_behind(tmp_path, name) -> None:
    """The output is a pipe in the way: the command waits in the middle of writing."""
    os.mkfifo(tmp_path / "a.png")
    with started("convert", PHOTO, "-o", tmp_path / "a.png", stdout=subprocess.DEVNULL, env={
        **os.environ, "TMPDIR": str(tmp_path)
    }) as process:  # fmt: skip
        end = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) == 1 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=30)
    assert process.returncode == 128 + getattr(signal, name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_names_that_no_terminal_shows(tmp_path) -> None:
    name = os.fsencode(tmp_path) + b"/a\nb\x1b[31m\xe9.jpg"
    shutil.copy(PHOTO, os.fsdecode(name))
    for each, code in ((name, 0), (name + b".jpg", 2)):
        done = subprocess.run([*OPENHDR, "info", each], capture_output=True, timeout=60)
        said = done.stdout + done.stderr
        assert done.returncode == code and b"\x1b" not in said and rb"\x1b[31m\udce9" in said
    out = os.fsencode(tmp_path) + b"/\xff\n.exr"
    assert subprocess.run([*OPENHDR, "convert", name, "-o", out], timeout=60).returncode == 0
    assert subprocess.run([*OPENHDR, "info", out], capture_output=True, timeout=60).returncode == 0


def test_long_names_and_locked_folders_are_one_line(run, tmp_path) -> None:
    for words in (("info", "x" * 300 + ".jpg"), ("convert", PHOTO, "-o", tmp_path / ("x" * 300 + ".png"))):
        done = run(*words)
        assert done.code == 2 and done.err.count("\n") == 1


def test_isolate_reads_the_same(run, tmp_path, monkeypatch) -> None:
    from openhdr.io import isolated, read

    monkeypatch.setenv(isolated.VARIABLE, "")
    assert run("convert", PHOTO, "-o", tmp_path / "a.png", "--isolate").code == 0
    assert len(isolated._idle) == 1
    isolated.end_children()
    monkeypatch.setenv(isolated.VARIABLE, "")
    assert (read(tmp_path / "a.png").pixels == read(PHOTO).pixels).all()
