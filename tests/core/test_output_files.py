"""Output files on disks that are full, read-only or linked: whole or not there, and nothing else left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest

from openhdr.core.errors import FileError
from openhdr.core.files import whole_file, writable_file, write_whole


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_link_stays_a_link(tmp_path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    (tmp_path / "dangling").symlink_to("later")
    write_whole(tmp_path / "dangling", b"x")
    assert (tmp_path / "later").read_bytes() == b"x"
    assert names(tmp_path) == ["dangling", "later", "link", "real"]


def test_permissions_of_a_replaced_file_are_kept(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    write_whole(tmp_path / "a", b"new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_read_only_files_and_folders_are_refused_before_the_work(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o444)
    for function in (writable_file, lambda path: write_whole(path, b"new")):
        with pytest.raises(FileError, match="read-only"):
            function(tmp_path / "a")
        with pytest.raises(FileError, match="folder"):
            function(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"old" and names(tmp_path) == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_written_to(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_whole(tmp_path / "pipe", b"x" * 200_000)
    reader.join(10)
    assert got == [b"x" * 200_000] and names(tmp_path) == ["pipe"]


def test_names_that_are_too_long(tmp_path) -> None:
    with pytest.raises(FileError, match="shorter name"):
        write_whole(tmp_path / ("x" * 300 + ".png"), b"x")
    write_whole(tmp_path / ("é" * 120 + ".png"), b"x")
    assert len(names(tmp_path)) == 1


LIMITED = """
import resource, signal, sys
from openhdr.core.errors import FileError
from openhdr.core.files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_whole(sys.argv[1], bytes(50_000))
except FileError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_disk_that_fills_up_keeps_the_old_file(tmp_path) -> None:
    """A limit on file sizes stands for the full disk: the write ends short."""
    (tmp_path / "a.jpg").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "a.jpg"], capture_output=True, text=True)
    assert "cannot be written" in done.stdout and done.stderr == ""
    assert (tmp_path / "a.jpg").read_bytes() == b"old" and names(tmp_path) == ["a.jpg"]


def test_two_writers_leave_one_whole_file(tmp_path) -> None:
    contents = [bytes([number]) * 300_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(tmp_path / "a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() in contents and names(tmp_path) == ["a"]


def test_an_error_inside_names_the_output(tmp_path) -> None:
    with pytest.raises(FileError, match=r"a\.txt: cannot be written"), whole_file(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []
