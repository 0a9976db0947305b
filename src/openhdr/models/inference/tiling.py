"""Applying a network's steps to large images tile by tile, several tiles at a time.

`Tiled` is a `Local` (`openhdr.models.layers.steps`): it calls each step's function on overlapping tiles small enough
for the processor's caches, one tile per thread, and keeps the middle of each result. The numbers are those of `whole`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch

from openhdr.models.layers.steps import Far, Placed

ALIGNMENT = 8
"""Tiles start at multiples of this many pixels, so that networks may halve the size up to three times."""

SMALLEST_SIDE, LARGEST_SIDE = 64, 256
"""Bounds of a tile's side where the step's margin asks for a size."""

TICKS = 8
"""Steps of progress for each step of a network."""

INPUT_BYTES = 732
"""What a step's inputs may take, for each pixel of a usual tile; its own tensors take about eight times that."""


@dataclass(frozen=True)
class Window:
    """A rectangle of an image, the part of the result that it is for, within the part that must be seen."""

    top: int
    bottom: int
    left: int
    right: int
    margin: int
    size: tuple[int, int]  # (H, W) of the image

    def seen(self, reach: int = 0) -> tuple[int, int, int, int]:
        """top, bottom, left, right with the margin and `reach`, within the image."""
        grow = self.margin + reach
        height, width = self.size
        return (
            max(self.top - grow, 0),
            min(self.bottom + grow, height),
            max(self.left - grow, 0),
            min(self.right + grow, width),
        )


def windows(size: tuple[int, int], tile: tuple[int, int], margin: int) -> list[Window]:
    """Windows of at most `tile` (rows, columns) that cover an image of `size` (H, W), nearly equal."""
    rows, columns = (_cuts(length, most) for length, most in zip(size, tile, strict=True))
    return [Window(*row, *column, margin, size) for row in rows for column in columns]


def _cuts(length: int, most: int) -> list[tuple[int, int]]:
    """`length` in equal parts of at most `most`, all but the last multiples of ALIGNMENT."""
    parts = -(-length // max(most, ALIGNMENT))
    step = -(-length // parts)
    step += -step % ALIGNMENT
    return [(start, min(start + step, length)) for start in range(0, length, step)]


class Tiled:
    """The `Local` that works tile by tile in a pool of threads, each using one thread inside PyTorch.

    (Threads over tiles need no barriers inside layers, and every tile stays in its core's caches.)
    `advance` is called `ticks` times per step. arithmetic: gives the context in which a tile is worked on. Use as a
    context manager.
    """

    def __init__(
        self,
        threads: int,
        pixels: int,
        advance: Callable[[], None],
        ticks: int,
        arithmetic: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.pixels = pixels  # area of a tile, at the resolution of the step's largest input
        self.advance = advance
        self.ticks = ticks
        self.arithmetic = arithmetic
        self._threads = threads
        self._before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def __enter__(self) -> Tiled:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        torch.set_num_threads(self._before)

    def __call__(self, function: Callable[..., Any], margin: int, *inputs: torch.Tensor | Far) -> Any:
        tensors = [x.tensor if isinstance(x, Far) else x for x in inputs]
        height, width = max(tensor.shape[-2:] for tensor in tensors)
        size = (height, width)
        side = self._side(margin, sum(tensor.numel() for tensor in tensors) // (size[0] * size[1]))
        result = _Result(size)

        def work(window: Window) -> None:
            with torch.inference_mode(), self.arithmetic():
                result.put(window, function(*(_crop(x, window) for x in inputs)))

        todo = windows(size, (side, side), margin)
        for _ in self._paced(self._pool.map(work, todo), len(todo)):
            self.advance()
        return result.tensors[0] if result.single else tuple(result.tensors)

    def _side(self, margin: int, channels: int) -> int:
        """Side of a tile: a larger margin wants a larger tile, so that less work is done twice, but many
        channels must not make it large in memory.
        """
        wanted = max(self.pixels**0.5, min(20 * margin, LARGEST_SIDE))
        fitting = (INPUT_BYTES * self.pixels / (4 * channels)) ** 0.5 - 2 * margin
        return max(int(min(wanted, fitting)), SMALLEST_SIDE) // ALIGNMENT * ALIGNMENT

    def _paced(self, done: Iterator[None], total: int) -> Iterator[None]:
        """`ticks` items in all, spread over the `total` items of `done`."""
        for i, _ in enumerate(done, 1):
            for _ in range(i * self.ticks // total - (i - 1) * self.ticks // total):
                yield


def _crop(source: torch.Tensor | Far, window: Window) -> torch.Tensor | Placed:
    """What a tile sees of an input, which may have a fraction of the window's resolution."""
    tensor = source.tensor if isinstance(source, Far) else source
    scale = window.size[0] // tensor.shape[-2]
    top, bottom, left, right = (v // scale for v in window.seen())
    if not isinstance(source, Far):
        crop = tensor[..., top:bottom, left:right]
        return crop.contiguous(memory_format=torch.channels_last) if crop.ndim == 4 else crop
    far_top, far_bottom, far_left, far_right = (v // scale for v in window.seen(source.reach * scale))
    return Placed(tensor[..., far_top:far_bottom, far_left:far_right], (top - far_top, left - far_left))


class _Result:
    """The whole images into which tiles put their middles; made when the first tile is ready."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.tensors: list[torch.Tensor] = []
        self.single = True
        self._lock = Lock()

    def put(self, window: Window, parts: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        single = isinstance(parts, torch.Tensor)
        parts = (parts,) if isinstance(parts, torch.Tensor) else parts
        top, bottom, left, _ = window.seen()
        scales = [(bottom - top) // part.shape[-2] for part in parts]
        with self._lock:
            if not self.tensors:
                self.single = single
                self.tensors = [self._empty(part, scale) for part, scale in zip(parts, scales, strict=True)]
        for tensor, part, scale in zip(self.tensors, parts, scales, strict=True):
            y0, y1, x0, x1 = (v // scale for v in (window.top, window.bottom, window.left, window.right))
            y, x = y0 - top // scale, x0 - left // scale
            tensor[..., y0:y1, x0:x1] = part[..., y : y + y1 - y0, x : x + x1 - x0]

    def _empty(self, like: torch.Tensor, scale: int) -> torch.Tensor:
        shape = (*like.shape[:2], self.size[0] // scale, self.size[1] // scale)
        return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
