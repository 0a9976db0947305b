"""A small case with known answers, shared by the tests of the benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openhdr.bench.case import BenchScene, Case, SceneEntry
from openhdr.bench.methods.settings import Setting
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.data.simulated import write_bracket
from openhdr.metrics import parse_column
from openhdr.simulation.config import ObjectConfig, ShakeConfig, SimulationConfig
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import render
from openhdr.simulation.scene import make_scene

EV = (-2.0, 0.0, 2.0)


def ramp_scene(height: int = 48, width: int = 64) -> BenchScene:
    """Smooth light from 0.001 to 6, photographed without noise or motion at -2, 0, +2 EV."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    level = 0.001 * 6000 ** (0.9 * x + 0.1 * y)
    tint = 1 + 0.2 * np.sin(9 * x + 4 * y)
    truth = np.stack([level, level * tint, level / tint], axis=2).astype(np.float32)
    frames = tuple(
        Image(np.rint(srgb_encode(np.clip(truth * 2.0**ev, 0, 1)) * 255).astype(np.uint8), "srgb")
        for ev in EV
    )
    return BenchScene(frames, EV, 1, "srgb", truth)


@pytest.fixture(scope="session")
def scene() -> BenchScene:
    return ramp_scene()


@pytest.fixture(scope="session")
def case(scene: BenchScene) -> Case:
    """Two scenes of two groups, three methods of which one cannot work."""
    return Case(
        "ramps",
        "Two ramps <of light> & </script>",
        "Smooth ramps.",
        (
            SceneEntry("ramp", "still", lambda: scene),
            SceneEntry("wide", "moving", lambda: ramp_scene(40, 80)),
        ),
        (
            Setting("merged", "everything left as it is", options={"align": "none", "deghost": False}),
            Setting("photo", "the reference alone", task="photo"),
            Setting("broken", "makes a display picture", method="mertens", options={"align": "none"}),
        ),
        tuple(map(parse_column, ("psnr-mu@shortest", "hdr-vdp-2@shortest", "psnr-mu"))),
    )


@pytest.fixture(scope="session")
def brackets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two simulated brackets of 96x64 pixels."""
    rng = np.random.default_rng(5)
    coarse = rng.random((8, 12, 3)) ** 3 * 4
    pixels = np.kron(coarse, np.ones((24, 24, 1))).astype(np.float32) + 0.01
    flat = make_scene("blocks", pixels, "flat")
    config = SimulationConfig(
        size=(96, 64), objects=ObjectConfig(still_share=1.0), shake=ShakeConfig(still_share=1.0)
    )
    folder = tmp_path_factory.mktemp("brackets")
    for seed in (1, 2):
        write_bracket(
            render(draw_plan(flat, [], config, seed, EV), [flat]), folder / f"blocks-{seed}", config
        )
    return folder
