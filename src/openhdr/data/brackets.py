"""Reading the frames of a bracket from ordinary photos, for the layouts that hold such."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.camera.exposure import ev_from_metadata
from openhdr.core.errors import ExposureError, FileError
from openhdr.core.image import middle_exposure
from openhdr.data.files import read_numbers

PHOTOS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif")
"""Extensions of the photos of a bracket."""


def read_frames(
    paths: Sequence[Path], stops: np.ndarray | None = None
) -> tuple[tuple[np.ndarray, ...], tuple[float, ...] | None, int]:
    """Frames shortest first, their stops relative to the middle one, the middle one's index.

    stops: (N,) exposures in the order of `paths`, instead of the files' metadata. Without any the stops are
    None and frames are ordered by their brightness.
    """
    if len(paths) < 2:
        raise FileError(
            paths[0].parent if paths else ".", f"holds {len(paths)} photos", "a bracket needs two"
        )
    images = [io.read(path) for path in paths]
    if stops is None:
        try:
            stops = ev_from_metadata([image.exposure for image in images], [path.name for path in paths])
        except ExposureError:
            stops = None
    pixels = [image.pixels for image in images]
    if stops is None:
        order = np.argsort([frame.mean() for frame in pixels], kind="stable")
        return tuple(pixels[k] for k in order), None, (len(pixels) - 1) // 2
    order = np.argsort(stops, kind="stable")
    ranked = np.asarray(stops, dtype=np.float64)[order]
    middle = middle_exposure(ranked)
    return tuple(pixels[k] for k in order), tuple(float(ev - ranked[middle]) for ev in ranked), middle


def listed_stops(paths: Sequence[Path]) -> np.ndarray | None:
    """(N,) float64 stops of photos from a file beside them; None where there is none.

    info.json: a list of {"path": "1.jpg", "t": seconds}, or "ev" in place of "t". ev.txt or exposure.txt: one number of
    stops a photo, in the order of `paths`. Raises FileError when such a file cannot be used.
    """
    folder = paths[0].parent
    if (folder / "info.json").is_file():
        return _from_json(folder / "info.json", [path.name for path in paths])
    listed = next((folder / name for name in ("ev.txt", "exposure.txt") if (folder / name).is_file()), None)
    return read_numbers(listed, len(paths)) if listed else None


def _from_json(path: Path, names: list[str]) -> np.ndarray:
    try:
        rows = {row["path"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
        ev = [
            float(row["ev"]) if "ev" in (row := rows[name]) else math.log2(float(row["t"])) for name in names
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        wanted = 'a list of {"path": "NAME.jpg", "t": seconds} with every photo'
        raise FileError(path, f"does not say the exposures ({error!r})", f"expected {wanted}") from error
    if not np.isfinite(ev).all():
        raise FileError(path, "holds an exposure that is not finite", "correct it")
    return np.array(ev)
