"""Every dataset layout: a wrong folder or split is one clear refusal."""

from __future__ import annotations

import pytest

from openhdr.core.errors import FileError, RequestError
from openhdr.data.readers import open_dataset


def test_folder_without_the_layout_is_refused(dataset, tmp_path) -> None:
    (tmp_path / "readme.txt").write_text("nothing of use")
    with pytest.raises(FileError) as refusal:
        open_dataset(dataset.name, tmp_path)
    assert "\n" not in str(refusal.value)


def test_missing_folder_is_refused(dataset, tmp_path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        open_dataset(dataset.name, tmp_path / "nowhere")


def test_unknown_split_is_refused(dataset, tmp_path) -> None:
    with pytest.raises(RequestError, match="choose one of"):
        open_dataset(dataset.name, tmp_path, "no such split")
