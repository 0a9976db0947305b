"""HDR scenes -> shards of half-precision pixels: the cache that training on simulated samples reads.

Values are scaled by a power of two so that the brightest fits a half (65504), and the scale is kept. The bits of the
halves are packed without loss (JPEG XL): a scene of 1024 x 512 takes 0.8 MB. Scenes that are held out are left out, and
the result says which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import imagecodecs
import numpy as np

from openhdr.core.errors import RequestError
from openhdr.core.files import sha256_of
from openhdr.data.files import read_linear
from openhdr.data.shards import Pieces, ShardSet, prepare
from openhdr.data.splits import held_out_in
from openhdr.simulation.scene import Scene, make_scene

RADIANCE = "radiance.jxl"
_HALF_TOP = 60000.0  # largest stored value, a little below what a half can hold


@dataclass(frozen=True)
class CacheConfig:
    """How scenes are packed."""

    scenes_per_shard: int = 8
    shuffle_seed: int = 0  # scenes are dealt to shards in this random order


def build_cache(
    paths: Sequence[Path], folder: Path, config: CacheConfig | None = None
) -> tuple[ShardSet, tuple[str, ...]]:
    """Pack HDR files for training; also returns the names of held-out scenes that were left out.

    Resumes where an earlier run stopped. Raises RequestError when nothing is left.
    """
    config = config or CacheConfig()
    every = {path: sha256_of(path) for path in paths}
    paths = [path for path, digest in every.items() if not held_out_in([path.name], [digest])]
    left_out = tuple(path.stem for path in every if path not in paths)
    if not paths:
        raise RequestError(f"all {len(every)} scenes are held out from training: {', '.join(left_out)}")
    hashes = [every[path] for path in paths]
    order = np.random.default_rng(config.shuffle_seed).permutation(len(paths))
    groups = [order[k : k + config.scenes_per_shard] for k in range(0, len(order), config.scenes_per_shard)]
    fills = {
        f"scenes-{number:05d}.tar": partial(_pack_all, [paths[k] for k in group], [hashes[k] for k in group])
        for number, group in enumerate(groups)
    }
    facts = {
        "kind": "scenes",
        "radiance": RADIANCE,
        "scenes": {path.stem: digest for path, digest in zip(paths, hashes, strict=True)},
    }
    return prepare(folder, facts, fills), left_out


def unpack_scene(pieces: Pieces) -> Scene:
    """A scene of a shard."""
    facts = json.loads(pieces["json"])
    half = imagecodecs.jpegxl_decode(pieces[RADIANCE]).view(np.float16)
    pixels = half.astype(np.float32) * np.float32(facts["scale"])
    return make_scene(facts["name"], pixels)


def _pack_all(paths: Sequence[Path], hashes: Sequence[str]) -> Iterable[tuple[str, Pieces]]:
    for path, digest in zip(paths, hashes, strict=True):
        pixels = np.maximum(read_linear(path), 0)
        scale = 2.0 ** max(0, int(np.ceil(np.log2(max(float(pixels.max()), 1e-30) / _HALF_TOP))))
        facts = {"name": path.stem, "sha256": digest, "scale": scale}
        half = (pixels / np.float32(scale)).astype(np.float16)
        packed = bytes(imagecodecs.jpegxl_encode(half.view(np.uint16), lossless=True))
        yield (
            path.stem.replace(".", "_"),
            {"json": json.dumps(facts).encode(), RADIANCE: packed},
        )
