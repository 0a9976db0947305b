"""HDR files -> scenes for the simulation -> simulated samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError, RequestError
from openhdr.data.files import read_linear
from openhdr.data.sample import Sample
from openhdr.simulation.config import SimulationConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import Kind, Scene, make_scene

HDR_SUFFIXES = (".hdr", ".exr")
_TYPICAL_FIELD_DEG = 65  # horizontal field of an ordinary view


def find_hdr_files(paths: Sequence[Path]) -> list[Path]:
    """HDR files among files and folders (searched through), in a fixed order. FileError if there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in HDR_SUFFIXES and p.is_file())
        else:
            found.append(path)
    if not found:
        raise FileError(
            paths[0] if paths else ".", "holds no .hdr or .exr file", "give HDR images or folders of them"
        )
    return found


def read_scene(path: Path, config: SimulationConfig | None = None, kind: Kind | None = None) -> Scene:
    """A scene called by the file's stem.

    config: what views are drawn from; an image much larger than they show is reduced first. kind: see
    `camera.simulation.scene.make_scene`.
    """
    pixels = np.maximum(read_linear(path), 0)
    scale = fitting_scale(pixels, config, kind) if config else 1
    try:
        return make_scene(path.stem, pixels, kind, scale)
    except RequestError as error:
        raise FileError(path, str(error)) from error


def fitting_scale(pixels: np.ndarray, config: SimulationConfig, kind: Kind | None) -> int:
    """How many pixels of a large image to average into one, so that a view shows it at its own size."""
    height, width = pixels.shape[:2]
    if config.view.enlargement is not None:
        return 1
    if (kind or ("panorama" if width == 2 * height else "flat")) == "panorama":
        shown = width * _TYPICAL_FIELD_DEG / 360
        return max(1, int(shown / config.size[0]))
    return max(1, int(min(width / config.size[0], height / config.size[1])))


def draw_sample(scenes: list[Scene], config: SimulationConfig, seed: int, name: str) -> Sample:
    """One simulated sample of a random scene of the list."""
    chosen = scenes[seed % len(scenes)]
    plan = draw_plan(chosen, [scene for scene in scenes if scene is not chosen], config, seed)
    frames, truth = photograph(plan, scenes)
    return Sample(name, frames, tuple(plan.ev), plan.reference, plan.camera.response, truth)
