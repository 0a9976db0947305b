"""Training samples from the camera simulation.

Scenes pass through a window in a shuffled order; sample k is drawn from the scenes that are in the window
then, with a seed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import sha256_of
from openhdr.data.cache import build_cache, unpack_scene
from openhdr.data.sample import Sample
from openhdr.data.scenes import draw_sample, find_hdr_files, read_scene
from openhdr.data.shards import INDEX, Fill, open_shards, prepare
from openhdr.data.splits import panoramas, refuse_held_out
from openhdr.simulation.config import ShakeConfig, SimulationConfig, real, training
from openhdr.simulation.distributions import LogUniform, Normal
from openhdr.simulation.scene import Scene
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import ShardIndex, shuffled

_LEFT_BY_REGISTRATION = ShakeConfig(
    turn_px=LogUniform(0.02, 0.6),
    step_px=LogUniform(0.02, 0.4),
    roll_deg=Normal(0, 0.02),
    zoom_stops=Normal(0, 0.0003),
    still_share=0.1,
)
"""What is left of hand shake where a homography was found: fractions of a pixel."""

_IN_MEMORY = 64  # scenes, of 6 MB each at 1024 x 512
_VALIDATION_SEED = 7_000_000  # of the first held-out bracket; the others count on


@dataclass(frozen=True)
class SimulatedSource:
    """Samples from a cache of scenes. scenes_folder: where held-out scenes are looked for."""

    scenes: ShardIndex
    scenes_folder: Path
    config: DataConfig
    seed: int

    @property
    def epoch(self) -> int:
        return self.scenes.samples * self.config.samples_per_scene * self.config.cuts

    def sample(self, index: int) -> Sample:
        return picture_of(self, index // self.config.cuts)

    def picture(self, index: int) -> Sample:
        first = max(0, index // self.config.samples_per_scene - self.config.window + 1)
        count = min(self.config.window, self.scenes.samples)
        numbers = [shuffled(self.seed, first + k, self.scenes.samples) for k in range(count)]
        window = [scene_of(self.scenes, number) for number in dict.fromkeys(numbers)]
        seed = int(np.random.default_rng([self.seed, index]).integers(2**62))
        simulation = simulation_of(self.config, self.config.view or self.config.patch, index)
        return draw_sample(window, simulation, seed, f"{index:08d}")

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        folder = Path(config.path or self.scenes_folder)
        return held_out_brackets(
            folder, config.samples, lambda number: simulation_of(self.config, config.size, number)
        )


def held_out_brackets(
    folder: Path, count: int, simulation: Callable[[int], SimulationConfig]
) -> tuple[list[Sample], str]:
    """So many brackets of the held-out scenes of a folder, and a line that says what they are.

    simulation: number of a bracket -> what it is drawn from.
    """
    scenes = [read_scene(path) for path in held_out_files(folder)]
    samples = []
    for number in range(count):
        chosen = scenes[number % len(scenes)]
        order = [chosen, *(scene for scene in scenes if scene is not chosen)]
        seed = (_VALIDATION_SEED + number) * len(order)  # a multiple: the first of the list is chosen
        samples.append(draw_sample(order, simulation(number), seed, f"{chosen.name}-{number}"))
    names = ", ".join(scene.name for scene in scenes)
    size = "x".join(str(length) for length in simulation(0).size)
    return samples, f"{len(samples)} simulated {size} brackets of: {names}"


def simulation_of(config: DataConfig, size: int, number: int) -> SimulationConfig:
    """What bracket `number`, of `size` x `size` pixels, is drawn from."""
    simulation = training(size)
    simulation = replace(
        simulation, exposure=replace(simulation.exposure, clip_share=LogUniform(*config.clip_share))
    )
    simulation = replace(simulation, shake=_LEFT_BY_REGISTRATION) if config.registered else simulation
    by_real_camera = np.random.default_rng([number, 6]).random() < config.real_share
    return real(simulation) if by_real_camera else simulation


def open_simulated(config: DataConfig, seed: int, cache: Path) -> SimulatedSource:
    """The samples of a folder of HDR scenes, or of a cache that was made of them.

    cache: where scenes are packed, if the folder is not a cache already. Held-out scenes are left out.
    """
    folder = Path(config.path)
    if not config.path or not folder.is_dir():
        raise FileError(
            config.path or "the training data", "is not a folder", "give a folder of HDR scenes as `data`"
        )
    if (folder / INDEX).is_file():
        shards = open_shards(folder)
    else:
        shards, _ = build_cache(find_hdr_files([folder]), cache)
    if shards.facts.get("kind") != "scenes" or not shards.samples:
        raise FileError(folder, "is a cache of something else than scenes", "give a folder of HDR scenes")
    refuse_held_out(shards.facts["scenes"], shards.facts["scenes"].values())
    return SimulatedSource(ShardIndex.of(shards), folder, replace(config, path=str(folder)), seed)


def prepared_of_scenes(
    config: DataConfig,
    seed: int,
    folder: Path,
    kind: str,
    drawn: Mapping[str, Any],
    fills: Callable[[ShardIndex], Mapping[str, Fill]],
) -> ShardIndex:
    """What is drawn once from a folder of HDR scenes: shards of a kind. Held-out scenes are left out.

    folder: where they are written, and the packed scenes beside it, unless the recipe's folder holds such shards.
    drawn: what they depend on beside seed and scenes. fills: of the packed scenes, see `openhdr.data.shards.prepare`.
    """
    given = Path(config.path)
    if (given / INDEX).is_file() and open_shards(given).facts.get("kind") == kind:
        shards = open_shards(given)
    else:
        scenes = open_simulated(config, seed, folder.parent / "scenes").scenes
        names = open_shards(scenes.shards[0].parent).facts["scenes"]
        facts = {"kind": kind, "seed": seed, "scenes": names, **drawn}
        shards = prepare(folder, facts, fills(scenes), config.preparing)
    if not shards.samples:
        raise FileError(given, f"holds no {kind}", "give a folder of HDR scenes as `data`")
    refuse_held_out(shards.facts["scenes"], shards.facts["scenes"].values())
    return ShardIndex.of(shards)


def held_out_files(folder: Path) -> Sequence[Path]:
    """The files of a folder that are validation scenes, by name or by content, in the order of their names.

    Raises OpenHDRError where there are none.
    """
    if not folder.is_dir():
        raise FileError(
            folder, "is not a folder", "`validation.path` of the recipe names a folder of held-out HDR scenes"
        )
    listed = panoramas("validation")
    hashes = set(listed.values())
    files = [] if (folder / INDEX).is_file() else find_hdr_files([folder])
    found = [path for path in files if path.stem in listed or sha256_of(path) in hashes]
    if not found:
        raise RequestError(
            f"no validation scene in {folder}; expected some of: {', '.join(listed)}; add them, name their "
            "folder in the recipe (validation.path), or do without (validation.every = 0)"
        )
    return sorted(found, key=lambda path: path.stem)


@lru_cache(maxsize=_IN_MEMORY)
def scene_of(index: ShardIndex, number: int) -> Scene:
    """A scene of a cache; the last ones are kept in memory."""
    return unpack_scene(index.read(number))


class PictureSource(Protocol):
    """A hashable source of whole images by number."""

    def picture(self, index: int) -> Sample: ...


@lru_cache(maxsize=4)
def picture_of(source: PictureSource, index: int) -> Sample:
    """Image `index`; the last ones are kept until the patches of a batch are cut from them."""
    return source.picture(index)
