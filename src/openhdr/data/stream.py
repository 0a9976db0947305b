"""An endless stream of simulated training samples from a cache of scenes.

Scenes are read from shards one after the other into a small window; samples are drawn from the scenes in the
window, with moving objects cut from the others. Memory does not grow with the set, and every worker of every
machine reads its own shards and draws its own seeds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError
from openhdr.data.cache import unpack_scene
from openhdr.data.sample import Sample
from openhdr.data.shards import open_shards, read_shard, share_of
from openhdr.data.splits import refuse_held_out
from openhdr.simulation.config import SimulationConfig, training
from openhdr.simulation.draw import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import Scene


@dataclass(frozen=True)
class StreamConfig:
    """How samples are drawn from a cache."""

    simulation: SimulationConfig = field(default_factory=training)
    seed: int = 0
    window: int = 8  # scenes in memory at a time
    samples_per_scene: int = 16  # drawn between one new scene and the next


def stream(folder: Path, config: StreamConfig, worker: int = 0, workers: int = 1) -> Iterator[Sample]:
    """Samples without end, the same ones for the same arguments.

    Raises RequestError at once when the cache holds a held-out scene, FileError when it is not a cache.
    """
    shards = open_shards(folder)
    if shards.facts.get("kind") != "scenes" or not shards.samples:
        raise FileError(
            folder, "is not a cache of scenes", "make one with: openhdr simulate --cache SCENES -o DIR"
        )
    refuse_held_out(shards.facts["scenes"], shards.facts["scenes"].values())
    mine = share_of(shards.shards, worker, workers)
    return _samples(mine, config, np.random.SeedSequence([config.seed, worker]))


def _samples(
    shards: tuple[Path, ...], config: StreamConfig, seed: np.random.SeedSequence
) -> Iterator[Sample]:
    rng = np.random.default_rng(seed)
    window: deque[Scene] = deque(maxlen=config.window)
    count = 0
    for scene in _scenes(shards, rng):
        window.append(scene)
        for _ in range(config.samples_per_scene):
            yield draw_sample(list(window), config.simulation, int(rng.integers(2**62)), f"{count:08d}")
            count += 1


def _scenes(shards: tuple[Path, ...], rng: np.random.Generator) -> Iterator[Scene]:
    while True:
        for number in rng.permutation(len(shards)):
            for _, pieces in read_shard(shards[number]):
                yield unpack_scene(pieces)


def draw_sample(scenes: list[Scene], config: SimulationConfig, seed: int, name: str) -> Sample:
    """One simulated sample of a random scene of the list."""
    chosen = scenes[seed % len(scenes)]
    plan = draw_plan(chosen, [scene for scene in scenes if scene is not chosen], config, seed)
    frames, truth = photograph(plan, scenes)
    return Sample(name, frames, tuple(plan.ev), plan.reference, plan.camera.response, truth)
