"""Whole files, tables of rows, error messages, progress."""

from __future__ import annotations

import os
import pickle
import stat
from contextlib import contextmanager

import pytest

from openhdr.core import progress
from openhdr.core.errors import (
    ExposureError,
    FileError,
    MissingExtraError,
    OpenHDRError,
    RequestError,
    unknown_name,
)
from openhdr.core.files import whole_file
from openhdr.core.table import Row, Table

TABLE = Table(
    "colour",
    Row("red", "", "math:pi"),
    Row("green", "", "no_such_module_at_all:x", extra="paint"),
    Row("blue", "", "openhdr.no_such_file:x", extra="paint"),
)


@pytest.mark.parametrize(
    "error",
    [
        FileError("a/b.png", "is empty", "take the photo again"),
        MissingExtraError("raw photos", "raw"),
        *(kind("`ev=1,1`: expected two") for kind in (OpenHDRError, RequestError, ExposureError)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_pass_between_processes(error: OpenHDRError) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)
        assert again.parameters == error.parameters


def test_file_appears_whole(tmp_path):
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt" and not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "new" and len(list(tmp_path.iterdir())) == 1


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match=r"a\.txt: cannot be written"), whole_file(tmp_path / "no" / "a.txt"):
        pass


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileError, match="cannot be written"), whole_file(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_table_names_the_nearest_row():
    with pytest.raises(RequestError, match="unknown colour 'gren'; did you mean 'green'"):
        TABLE["gren"]
    assert "gren" not in TABLE and list(TABLE) == ["red", "green", "blue"] and len(TABLE) == 3


def test_unknown_name_without_a_near_one_lists_all():
    assert (
        str(unknown_name("colour", "zzz", TABLE)) == "unknown colour 'zzz'; choose one of: red, green, blue"
    )


def test_two_rows_cannot_share_a_name():
    with pytest.raises(ValueError, match="share a name"):
        Table("colour", Row("red", "", "a:b"), Row("red", "", "c:d"))


def test_missing_extra_says_what_to_install_but_our_own_faults_stay_visible():
    assert TABLE["red"].load() == pytest.approx(3.14159, abs=1e-5)
    with pytest.raises(MissingExtraError, match=r"pip install 'openhdr\[paint\]'"):
        TABLE["green"].load()
    with pytest.raises(ModuleNotFoundError):
        TABLE["blue"].load()


def test_every_error_is_one_tree():
    assert issubclass(FileError, OpenHDRError) and issubclass(RequestError, OpenHDRError)
    assert str(FileError("a.png", "is empty", "copy it again")) == "a.png: is empty; copy it again"


def test_progress_reaches_the_listener_only_inside_its_block():
    heard = []

    @contextmanager
    def listener(label, total):
        heard.append((label, total))
        yield lambda: heard.append(label)

    with progress.listening(listener), progress.task("merging", 3) as advance:
        advance()
    with progress.task("aligning", 1) as advance:
        advance()
    assert heard == [("merging", 3), "merging"]
