"""Response curves that are remembered by camera: files beside the photos, and a folder of the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openhdr.camera.response import FORMAT, Response, load

FOLDER = "OPENHDR_RESPONSES"  # environment variable: another folder
MAX_BYTES = 1 << 20  # of a curve file; larger ones are something else


def camera_of(metadata: Mapping[str, Any]) -> str:
    """`Make Model` of the camera as a photo's metadata state it; empty where they do not."""
    make, model = (str(metadata.get(key, "")).strip() for key in ("make", "model"))
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


def folder() -> Path:
    """Where curves are kept for all photos of a camera; it need not exist."""
    if os.environ.get(FOLDER):
        return Path(os.environ[FOLDER])
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "openhdr" / "responses"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "openhdr" / "responses"


def file_of(camera: str) -> Path:
    """The file of a camera in that folder."""
    name = "".join(char if char.isalnum() else "-" for char in camera)
    return folder() / f"{name}.json"


def find(camera: str, beside: Iterable[Path]) -> tuple[Response, Path] | None:
    """The curve of a camera and its file: in one of the folders `beside` the photos, then in `folder()`.

    Only files that name the camera count. Raises FileError for one that names it and is damaged.
    """
    if not camera:
        return None
    for place in (*beside, folder()):
        for path in sorted(place.glob("*.json")) if place.is_dir() else ():
            if _names(path, camera):
                return load(path), path
    return None


def _names(path: Path, camera: str) -> bool:
    """Whether a file is a curve of that camera; what cannot be read is not."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        text = path.read_text("utf-8", "replace")
    except OSError:
        return False
    return FORMAT in text[:200] and f'"camera": "{camera}"' in text
