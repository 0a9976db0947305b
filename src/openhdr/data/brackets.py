"""Reading the shots of a bracket from ordinary photos, for the layouts that hold such."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.camera.exposure import ev_from_metadata
from openhdr.core.errors import ExposureError, FileError
from openhdr.core.image import middle_exposure


def read_shots(
    paths: Sequence[Path], stops: np.ndarray | None = None
) -> tuple[tuple[np.ndarray, ...], tuple[float, ...] | None, int]:
    """Frames shortest first, their stops relative to the middle one, the middle one's index.

    stops: (N,) exposures in the order of `paths`, instead of the files' metadata. Without any the stops are
    None and frames are ordered by their brightness.
    """
    if len(paths) < 2:
        raise FileError(paths[0].parent if paths else ".", f"holds {len(paths)} shots", "a bracket needs two")
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
