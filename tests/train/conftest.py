"""Small scenes to train on, made from formulas, and runs short enough to test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from openhdr import io  # noqa: E402
from openhdr.core.image import Image  # noqa: E402
from openhdr.train.recipe import Recipe, load_recipe  # noqa: E402

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
HELD_OUT = "lab"  # a name of the published validation list
TRAINED_ON = ("hill", "lane", "quay")

TINY = (
    "data.source=simulated",
    "data.cut=gsanet",
    "data.patch=32",
    "data.samples_per_scene=2",
    "data.window=2",
    "run.unit=steps",
    "run.length=2",
    "run.batch=2",
    "run.log_every=1",
    "run.save_every=1",
    "run.images=1",
    "run.seed=3",
    "validation.every=0",
    "validation.samples=2",
    "validation.size=32",
    "compute.threads=1",
    "compute.workers=0",
    "compute.device=cpu",
)

OWN = ("data.source=compared", "data.view=48", "data.brackets=2", "data.preparing=1", "run.accumulate=2")
"""Further changes for openhdr's own merger."""

OWN_EXPANSION = ("data.source=views", "data.views=2", "data.preparing=1", "data.patch=48")
"""Further changes for openhdr's own expansion of one photo."""


def panorama(seed: int) -> np.ndarray:
    """(64, 128, 3) light with smooth walls, stripes and a few lamps a thousand times as bright."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:64, 0:128].astype(np.float32)
    phases = rng.uniform(0, 6, 3)
    walls = [0.2 + 0.15 * np.sin(x / 9 + p) * np.cos(y / (5 + k)) for k, p in enumerate(phases)]
    light = np.stack(walls, axis=2).astype(np.float32) * (1 + (x // 4 % 2))[..., None]
    for row, column in rng.integers(4, 56, (6, 2)):
        light[row : row + 3, 2 * column : 2 * column + 4] = 60.0
    return np.maximum(light, 1e-3).astype(np.float32)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three scenes to train on and one that is held out."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate((*TRAINED_ON, HELD_OUT)):
        io.write(folder / f"{name}.exr", Image(panorama(seed)), io.WriteOptions(exr_half=False))
    return folder


@pytest.fixture
def tiny(scenes: Path) -> Callable[..., Recipe]:
    """(name, further changes) -> that recipe, small enough for a test."""

    def make(name: str = "gsanet", *changes: str) -> Recipe:
        own = {"trustnet": OWN, "trustnet-tiny": OWN, "trustnet-single": OWN_EXPANSION}.get(name, ())
        return load_recipe(RECIPES / f"{name}.toml", (*TINY, f"data.path={scenes}", *own, *changes))

    return make


def losses_of(folder: Path) -> list[float]:
    """The logged losses of a run, in order; fails when a step is missing or there twice."""
    from openhdr.train.logger import read_losses

    lines = read_losses(folder)
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    return [line["loss"] for line in lines]


def weights_of(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(path)


def same_weights(one: Path, other: Path) -> bool:
    """Whether two files of weights hold the same bits."""
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def steps_to_losses(lines: Sequence[dict[str, Any]]) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in lines}
