"""Views of HDR panoramas, drawn once, and photos of them that are exposed anew: what `trustnet-single` is trained on.

From every scene `data.views` views are drawn once into shards, as light. Making a photo of one takes as long as
learning from it, so a photo is used about REUSED times, mirrored and with colours exchanged: a batch has photos of one
shape out of the last KEPT, a few of them new. Which ones depends on the seed and the batch's number alone; a run that
is resumed makes those again that it still needs. KEPT photos of 384 pixels take 2 GB of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from openhdr.core.errors import RequestError
from openhdr.core.threads import in_threads
from openhdr.data.files import array_bytes
from openhdr.data.sample import Sample
from openhdr.data.shards import Fill, Pieces
from openhdr.simulation.config import ObjectConfig, SimulationConfig, ViewConfig
from openhdr.simulation.distributions import Normal, Uniform
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.train.examples import collate
from openhdr.train.exposed_photo import ExposedPhoto, exposed_photo
from openhdr.train.objectives.contract import Batch
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.shard_index import ShardIndex
from openhdr.train.sources.simulated import held_out_brackets, prepared_of_scenes, scene_of, simulation_of

KIND = "views"
LIGHT = "light.npy"
TRIES = (6, 6, 2, 3, 6, 6, 3, 1)  # views of which the one with the widest range is kept; of eight in turn
UPRIGHT, TILTED, WITH_OBJECTS = (2,), (3, 6), (5,)  # of these eight
SHORT = 2 / 3  # of a view's long side
DARKEST_STOPS = -14.0  # of light that is kept
SHAPES = (*((2 / 3, 1.0),) * 10, *((3 / 4, 1.0),) * 5, *((1.0, 1.0),) * 3, *((1.0, 2 / 3),) * 2)
"""Height and width of photos in turn, of `data.patch`."""

REUSED, KEPT, FIRST = 4, 3000, 96  # times; photos; before the first batch
_MOST_TRIES = 1000  # views until enough of a photo clips
_OTHERS = 3  # scenes from which moving things come


@dataclass(frozen=True)
class ViewSource:
    """Photos of prepared views. scenes_folder: where held-out scenes are looked for. kept: photos by number."""

    views: ShardIndex
    scenes_folder: Path
    config: DataConfig
    seed: int
    kept: dict[int, ExposedPhoto] = field(default_factory=dict, compare=False, repr=False)

    @property
    def epoch(self) -> int:
        return self.views.samples * REUSED

    def sample(self, index: int) -> ExposedPhoto:
        raise RequestError('data.source = "views" has batches, no single samples')

    def batch(self, first: int, count: int, device: torch.device) -> Batch:
        """The fields of `ExposedPhoto`, (B, ...), of photos of one shape."""
        rng = np.random.default_rng([self.seed, first, 1])
        made = FIRST + (first + count) // REUSED
        within = range(max(0, made - KEPT), made)
        shape = SHAPES[rng.integers(len(SHAPES))]
        alike = [number for number in within if SHAPES[number % len(SHAPES)] == shape]
        chosen = rng.choice(alike, count, replace=len(alike) < count).tolist()
        for number in [number for number in self.kept if number not in within]:
            del self.kept[number]
        missing = sorted({*chosen} - self.kept.keys())
        self.kept.update(zip(missing, in_threads(self.photo, missing), strict=True))
        batch = collate([self.kept[number].varied(rng).arrays() for number in chosen])
        return {name: tensor.to(device) for name, tensor in batch.items()}

    def photo(self, number: int) -> ExposedPhoto:
        """Photo `number`, the same whenever it is asked for."""
        rng = np.random.default_rng([self.seed, number, 2])
        height, width = (round(self.config.patch * share) for share in SHAPES[number % len(SHAPES)])
        for _ in range(_MOST_TRIES):
            view = self.views.mapped(int(rng.integers(self.views.samples)), LIGHT)
            found = exposed_photo(view, (height, width), self.config.clip_share, rng)
            if found:
                return found
        raise RequestError(f"hardly anything clips in photos of {self.scenes_folder}; raise data.clip_share")

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        folder = Path(config.path or self.scenes_folder)
        return held_out_brackets(
            folder, config.samples, lambda number: simulation_of(self.config, config.size, number)
        )


def open_views(config: DataConfig, seed: int, cache: Path) -> ViewSource:
    """Photos of a folder of HDR scenes, or of prepared views. Held-out scenes are left out.

    cache: where views are prepared, if the folder holds none.
    """

    def fills(scenes: ShardIndex) -> dict[str, Fill]:
        return {
            f"views-{index:06d}.tar": partial(_views_of, scenes, config, seed, index)
            for index in range(scenes.samples)
        }

    drawn = {"views": config.views, "side": config.patch}
    views = prepared_of_scenes(config, seed, cache / "views", KIND, drawn, fills)
    return ViewSource(views, Path(config.path), config, seed)


def _views_of(scenes: ShardIndex, config: DataConfig, seed: int, index: int) -> Iterator[tuple[str, Pieces]]:
    """All views of scene `index`: log2 of light, (H, W, 3) float16."""
    long, short = config.patch, round(config.patch * SHORT)
    scene = scene_of(scenes, index)
    for number in range(config.views):
        rng, kind = np.random.default_rng([seed, index, number]), number % len(TRIES)
        size = (short, long) if kind in UPRIGHT else (long, short)
        simulation = SimulationConfig(
            size=size,
            nominal_width=size[0],
            view=ViewConfig(
                field_of_view_deg=Uniform(30, 95),
                pitch_deg=Normal(4, 16) if kind in TILTED else Normal(3, 11),
                tries=TRIES[kind],
            ),
            objects=ObjectConfig(still_share=0.0 if kind in WITH_OBJECTS else 1.0),
        )
        others = [scene_of(scenes, int(other)) for other in rng.integers(0, scenes.samples, _OTHERS)]
        plan = draw_plan(scene, others, simulation, int(rng.integers(2**62)))
        _, light = photograph(replace(plan, frames=plan.frames[:0], reference=0), [scene, *others])
        kept = np.log2(np.maximum(light, 2**DARKEST_STOPS)).astype(np.float16)
        yield f"{index:06d}-{number:04d}", {LIGHT: array_bytes(kept)}
