"""Any sample of a set of shards by its number, without reading what lies before it."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from openhdr.core.errors import FileError
from openhdr.data.shards import Pieces, ShardSet

Extent = tuple[int, int]
"""Where in a shard a piece lies: offset and length in bytes."""


@dataclass(frozen=True)
class ShardIndex:
    """Shards with the number of the first sample of each."""

    shards: tuple[Path, ...]
    samples: int

    @classmethod
    def of(cls, found: ShardSet) -> ShardIndex:
        return cls(found.shards, found.samples)

    def read(self, number: int) -> Pieces:
        """The pieces of sample `number`, 0 <= number < samples. Raises FileError when a shard is damaged."""
        return _read(*self._place(number))

    def piece(self, number: int, name: str) -> bytes:
        """One piece of sample `number`."""
        shard, extents = self._place(number)
        return _read(shard, {name: extents[name]})[name]

    def mapped(self, number: int, name: str) -> np.ndarray:
        """The array of a .npy piece; what is not looked at is not read."""
        shard, extents = self._place(number)
        with shard.open("rb") as stream:
            stream.seek(extents[name][0])
            np.lib.format.read_magic(stream)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
            return np.memmap(stream, dtype, "r", stream.tell(), shape, "F" if fortran else "C")

    def _place(self, number: int) -> tuple[Path, dict[str, Extent]]:
        """The shard of a sample, and where in it the pieces lie."""
        for shard in self.shards:
            extents = _extents(shard)
            if number < len(extents):
                return shard, extents[number]
            number -= len(extents)
        raise FileError(self.shards[0].parent, "holds fewer samples than its index says", "prepare it again")


@lru_cache(maxsize=100_000)
def _extents(shard: Path) -> tuple[dict[str, Extent], ...]:
    """Of every sample of a shard, where its pieces lie. Only headers are read."""
    samples: dict[str, dict[str, Extent]] = {}
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                stem, _, piece = member.name.partition(".")
                samples.setdefault(stem, {})[piece] = (member.offset_data, member.size)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FileError(shard, f"is not a whole shard ({error})", "prepare it again") from error
    return tuple(samples.values())


def _read(shard: Path, extents: dict[str, Extent]) -> Pieces:
    pieces = {}
    with shard.open("rb") as stream:
        for piece, (offset, length) in extents.items():
            stream.seek(offset)
            pieces[piece] = stream.read(length)
            if len(pieces[piece]) < length:
                raise FileError(shard, "ends too early", "prepare it again")
    return pieces


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def shuffled(seed: int, position: int, count: int) -> int:
    """Which of `count` items stands at `position` of an endless row of shuffled rounds."""
    return int(_order(seed, position // count, count)[position % count])
