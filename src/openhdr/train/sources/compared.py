"""Squares of simulated brackets that were registered and compared: what TrustNet is trained on.

Brackets of a whole picture are drawn from HDR scenes, registered by homographies and compared, once, into shards;
an interrupted preparation goes on where it stopped. Every round passes through all of them in a new order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from openhdr.alignment import DEFAULT
from openhdr.data.sample import Sample, truth_of
from openhdr.data.scenes import draw_sample
from openhdr.data.shards import Fill, Pieces
from openhdr.simulation.config import (
    EV_PATTERNS,
    TRIPOD,
    CameraConfig,
    ExposureConfig,
    ObjectConfig,
    ShakeConfig,
    SimulationConfig,
    real,
    varied_camera,
)
from openhdr.simulation.distributions import LogUniform
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import ShardIndex, shuffled
from openhdr.train.sources.simulated import held_out_brackets, prepared_of_scenes, scene_of
from openhdr.train.trustnet_sample import (
    FACTS,
    PLANES,
    ComparedBracket,
    compare_sample,
    compared_bracket,
    pack,
    single_threaded,
    unpack,
)

KIND = "compared brackets"
OTHER_PATTERNS = (
    (0.0, 2.0),
    (-2.0, 0.0),
    (-3.0, 0.0),
    (0.0, 1.0),
    (-1.0, 0.0),
    (-4.0, -2.0, 0.0),
    (-3.0, -1.5, 0.0, 1.5, 3.0),
    (-2.0, -1.0, 0.0, 1.0, 2.0),
    (-4.0, -2.0, 0.0, 2.0, 4.0),
    (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
)
OTHER_SHARE = 0.25  # of brackets; the others are of the simulator's three-frame patterns
ROLLING_SHARE = 0.15  # of brackets: any frame may be the reference
TRIPOD_SHARE = 0.1
REAL_TRIPOD_SHARE = 0.5  # of brackets by real cameras: trust in still frames has to be learned too
REAL_PATTERNS = (*OTHER_PATTERNS[5:], (-6.0, -4.0, -2.0, 0.0, 2.0), (-2.0, 0.0, 2.0, 4.0, 6.0))
VARIED_SHARE = 0.5  # of brackets: by a camera of which everything is drawn
RESPONSES = ("srgb", "srgb", "srgb", "gamma", "sigmoid")  # of such a camera: mostly what a merge assumes

_IN_SIGHT = 6  # scenes that a bracket's picture and moving objects are drawn from
_PER_SHARD = 4


@dataclass(frozen=True)
class ComparedSource:
    """Squares of prepared brackets. scenes_folder: where held-out scenes are looked for."""

    brackets: ShardIndex
    scenes_folder: Path
    config: DataConfig
    seed: int

    @property
    def epoch(self) -> int:
        return self.brackets.samples * self.config.cuts

    def sample(self, index: int) -> ComparedBracket:
        return self.bracket(shuffled(self.seed, index // self.config.cuts, self.brackets.samples))

    def bracket(self, number: int) -> ComparedBracket:
        """Prepared bracket `number`, 0 <= number < `brackets.samples`; its planes lie on the disk."""
        facts = self.brackets.piece(number, FACTS)
        return unpack(facts, self.brackets.mapped(number, PLANES))

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        folder = Path(config.path or self.scenes_folder)
        return held_out_brackets(folder, config.samples, lambda number: simulation_of(self.config, number))


def open_compared(config: DataConfig, seed: int, cache: Path) -> ComparedSource:
    """The brackets of a folder of HDR scenes, or prepared ones. Held-out scenes are left out.

    cache: where brackets are prepared, if the folder holds none.
    """
    drawn = {
        "count": config.brackets,
        "size": simulation_of(config, 0).size,
        "clip_share": config.clip_share,
        "real": config.real_share,
        "wrong_curves": config.wrong_curves,
        "unregistered": config.unregistered_share,
    }

    def fills(scenes: ShardIndex) -> dict[str, Fill]:
        groups = [
            range(k, min(k + _PER_SHARD, config.brackets)) for k in range(0, config.brackets, _PER_SHARD)
        ]
        return {
            f"brackets-{group.start:06d}.tar": partial(_compare_all, scenes, config, seed, group)
            for group in groups
        }

    brackets = prepared_of_scenes(config, seed, cache / "brackets", KIND, drawn, fills)
    return ComparedSource(brackets, Path(config.path), config, seed)


def simulation_of(config: DataConfig, number: int) -> SimulationConfig:
    """What bracket `number` is drawn from: another camera and another pattern of exposures each time."""
    rng = np.random.default_rng([number, 5])
    other, rolling, varied = rng.random(3) < (OTHER_SHARE, ROLLING_SHARE, VARIED_SHARE)
    by_real_camera = rng.random() < config.real_share
    responses = RESPONSES if config.wrong_curves else RESPONSES[:1]
    width = config.view or config.patch
    height = max(config.patch, width * 5 // 6) if config.view else width
    simulation = SimulationConfig(
        size=(width, height),
        nominal_width=width * 5 // 4,
        exposure=ExposureConfig(
            ev_patterns=OTHER_PATTERNS if other else EV_PATTERNS,
            clip_share=LogUniform(*config.clip_share),
            rolling_reference=bool(rolling),
        ),
        shake=ShakeConfig(still_share=TRIPOD_SHARE),
        objects=ObjectConfig(still_share=0.2),
        camera=replace(varied_camera(), responses=responses) if varied else CameraConfig(),
    )
    if not by_real_camera:
        return simulation
    tripod = rng.random() < REAL_TRIPOD_SHARE
    patterns = REAL_PATTERNS if tripod else simulation.exposure.ev_patterns
    return real(
        replace(
            simulation,
            exposure=replace(simulation.exposure, ev_patterns=patterns),
            shake=TRIPOD if tripod else ShakeConfig(),
            objects=ObjectConfig(still_share=0.6 if tripod else 0.2),
        )
    )


def unregistered(config: DataConfig, number: int) -> bool:
    """Whether the frames of bracket `number` stay as they were taken, as a merge without registration gives them."""
    return bool(np.random.default_rng([number, 7]).random() < config.unregistered_share)


def _compare_all(
    scenes: ShardIndex, config: DataConfig, seed: int, numbers: range
) -> Iterator[tuple[str, Pieces]]:
    if config.preparing > 1:
        single_threaded()
    for number in numbers:
        sample = _drawn(scenes, config, seed, number)
        comparison = compare_sample(sample, "none" if unregistered(config, number) else DEFAULT)
        yield sample.name, pack(compared_bracket(comparison, truth_of(sample), sample.name))


def _drawn(scenes: ShardIndex, config: DataConfig, seed: int, number: int) -> Sample:
    """Bracket `number` of a random scene, with moving things from others."""
    rng = np.random.default_rng([seed, number, 2])
    chosen = [scene_of(scenes, int(k)) for k in rng.permutation(scenes.samples)[:_IN_SIGHT]]
    draw = int(rng.integers(2**50)) * len(chosen)  # a multiple: the first scene is the picture
    return draw_sample(chosen, simulation_of(config, number), draw, f"{number:06d}")
