"""Shards: plain tar files in the layout of WebDataset, written whole or not at all, read as a stream.

A sample is a run of members that share a key: `KEY.json`, `KEY.truth.npy`, ... (what follows the first dot
names the piece). `index.json` beside the shards lists them with their samples, and what made them, so that an
interrupted preparation resumes and a changed one starts anew.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from openhdr.core.errors import FileError
from openhdr.core.files import whole_file
from openhdr.core.progress import task
from openhdr.data.files import read_json

FORMAT = "openhdr-shards-1"
INDEX = "index.json"

Pieces = dict[str, bytes]
Fill = Callable[[], Iterable[tuple[str, Pieces]]]
"""Makes the samples of one shard, when it is needed."""


@dataclass(frozen=True)
class ShardSet:
    """Shards on disk. facts: what made them, as written by the preparation."""

    folder: Path
    shards: tuple[Path, ...]
    samples: int
    facts: Mapping[str, Any]


def prepare(
    folder: Path, facts: Mapping[str, Any], fills: Mapping[str, Fill], processes: int = 1
) -> ShardSet:
    """Write the shards that are missing and the index. `fills`: shard name -> its samples.

    processes: shards written at a time; with more than one the fills must be picklable.
    Shards of an earlier, interrupted run with the same facts are kept. Raises FileError when the folder holds
    shards made with other facts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = _resume(folder, facts)
    with task("preparing shards", len(fills)) as advance:
        missing = {name: fill for name, fill in fills.items() if name not in index["shards"]}
        for _ in range(len(fills) - len(missing)):
            advance()
        for name, count in _written(folder, missing, processes):
            index["shards"][name] = count
            _write_index(folder, index)
            advance()
    _write_index(folder, index)
    return open_shards(folder)


def open_shards(folder: Path) -> ShardSet:
    """The shards of a prepared folder. Raises FileError when it is none or a shard is missing."""
    path = folder / INDEX
    if not path.is_file():
        raise FileError(
            path, "is missing", "prepare the folder with: openhdr simulate --cache SCENES -o FOLDER"
        )
    index = _checked_index(path)
    shards = tuple(folder / name for name in sorted(index["shards"]))
    for shard in shards:
        if not shard.is_file():
            raise FileError(shard, "is listed in index.json but missing", "prepare the folder again")
    return ShardSet(folder, shards, sum(index["shards"].values()), index["facts"])


def read_shard(path: Path) -> Iterator[tuple[str, Pieces]]:
    """The samples of one shard in order, read front to back. Raises FileError when it is damaged."""
    key = ""
    pieces: dict[str, bytes] = {}
    try:
        _check_end(path)
        with tarfile.open(path, "r|") as tar:
            for member in tar:
                stem, _, piece = member.name.partition(".")
                if stem != key and pieces:
                    yield key, pieces
                    pieces = {}
                key = stem
                stream = tar.extractfile(member)
                pieces[piece] = stream.read() if stream else b""
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FileError(path, f"is not a whole shard ({error})", "prepare it again") from error
    if pieces:
        yield key, pieces


def array_from(data: bytes) -> np.ndarray:
    """An array from the bytes of a .npy file. Never unpickles."""
    return np.load(io.BytesIO(data), allow_pickle=False)


def _check_end(path: Path) -> None:
    """A tar ends with two blocks of zeros; tarfile itself takes a missing end for the end."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 2 * tarfile.BLOCKSIZE))
        if stream.read() != bytes(2 * tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")


def _written(folder: Path, fills: Mapping[str, Fill], processes: int) -> Iterator[tuple[str, int]]:
    """Write shards; names with numbers of samples as they are finished."""
    if processes == 1:
        yield from ((name, _write_filled(folder / name, fill)) for name, fill in fills.items())
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        jobs = {pool.submit(_write_filled, folder / name, fill): name for name, fill in fills.items()}
        try:
            yield from ((jobs[job], job.result()) for job in as_completed(jobs))
        finally:
            pool.shutdown(cancel_futures=True)


def _write_filled(path: Path, fill: Fill) -> int:
    return _write_shard(path, fill())


def _write_shard(path: Path, samples: Iterable[tuple[str, Pieces]]) -> int:
    count = 0
    with whole_file(path) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
        for key, pieces in samples:
            for piece, data in pieces.items():
                member = tarfile.TarInfo(
                    f"{key}.{piece}"
                )  # owner, time and mode stay at their fixed defaults
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            count += 1
    return count


def _resume(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    path = folder / INDEX
    fresh = {"format": FORMAT, "facts": json.loads(json.dumps(facts)), "shards": {}}
    if not path.is_file():
        return fresh
    index = _checked_index(path)
    if index["facts"] != fresh["facts"]:
        raise FileError(
            folder, "holds shards made with other settings", "choose an empty folder or delete it"
        )
    index["shards"] = {name: count for name, count in index["shards"].items() if (folder / name).is_file()}
    return index


def _checked_index(path: Path) -> dict[str, Any]:
    index = read_json(path)
    if index.get("format") != FORMAT or not isinstance(index.get("shards"), dict) or "facts" not in index:
        raise FileError(path, "is not an index of shards", f"expected format {FORMAT}")
    return index


def _write_index(folder: Path, index: Mapping[str, Any]) -> None:
    with whole_file(folder / INDEX) as temporary:
        temporary.write_text(json.dumps(index, indent=1, sort_keys=True))
