"""Folders for results."""

from __future__ import annotations

from pathlib import Path

from openhdr.core.errors import FileError


def make_folder(folder: Path) -> None:
    """Make a folder if it is not there. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            folder, f"cannot be made ({error.strerror})", "choose another folder with -o"
        ) from error
