"""Running a three-frame network on photos of any size within a bound of memory.

An image is cut into parts as large as the memory allows, each with the margin that the network needs; in a
part, every step of the network runs tile by tile (`tiling`). Both give what the network
gives on the whole image, up to rounding; for ADNet as long as its offsets stay within the margin. A mean
over the image (GSANet) comes from a first pass over all parts.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import RequestError
from openhdr.core.progress import task
from openhdr.models import load_for_use
from openhdr.models.inference.device import arithmetic, is_exact, on_device, threads_of, tile_pixels
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.inference.selection import choose_three
from openhdr.models.inference.tiling import TICKS, Tiled, Window, windows
from openhdr.models.layers import fused
from openhdr.models.layers.blocks import DilatedDenseBlock
from openhdr.models.layers.deform import POINT_DILATION
from openhdr.models.layers.steps import ThreeFrameNetwork

TILE_BYTES = 200_000_000
"""What one thread's tile takes."""

IMAGE_BYTES = 4 * 3 * (3 + 1)
"""What the frames and the result take for a pixel."""

SMALLEST_PART = 64
"""Least side of the parts into which an image is cut, pixels."""


def reconstruct(
    network: str | nn.Module,
    linear: Sequence[np.ndarray],
    ev: Sequence[float],
    reference: int | None = None,
    options: RunOptions = RunOptions(),
) -> np.ndarray:
    """HDR image of a bracket by a three-frame network.

    network: a module as `openhdr.models.load` gives it, or a name, for its shipped weights. linear: N arrays
    (H, W, 3) float32, linear RGB, 1.0 = that frame clips (clipped here to 0..1). ev: (N,) stops. reference:
    index of the frame that the result keeps, see `choose_three`.
    Returns (H, W, 3) float32, linear, >= 0, 1.0 = the reference frame clips.
    """
    net = load_for_use(network) if isinstance(network, str) else network
    chosen = choose_three(ev, reference)
    frames = [linear[i] for i in chosen]
    shape = frames[0].shape
    if len(shape) != 3 or shape[2] != 3 or any(frame.shape != shape for frame in frames):
        found = ", ".join(str(frame.shape) for frame in frames)
        raise RequestError(f"frames have shapes {found}; expected one shape (height, width, 3)")

    stops = np.asarray(ev, dtype=np.float64)[list(chosen)]
    result = _run(net, _Photos(frames, linear=True), stops - stops[1], options)
    return np.power(result, np.float32(NETWORK_GAMMA), out=result)


def run(
    net: nn.Module, frames: np.ndarray, ev: Sequence[float], options: RunOptions = RunOptions()
) -> np.ndarray:
    """What `net(frames, ev)` gives, for images of any size.

    frames: (3, H, W, 3) float32 RGB 0..1, gamma-coded (2.24), short to long. ev: (3,) stops; a frame of
    EV 0 clips at 1. Returns (H, W, 3) float32, gamma-coded.
    """
    if frames.ndim != 4 or frames.shape[0] != 3 or frames.shape[3] != 3 or len(ev) != 3:
        raise RequestError(f"frames {frames.shape} and {len(ev)} EVs; expected (3, height, width, 3) and 3")

    return _run(net, _Photos(list(frames), linear=False), np.asarray(ev, np.float64), options)


class _Photos:
    """Three frames, of which parts are encoded when they are needed."""

    def __init__(self, frames: Sequence[np.ndarray], linear: bool) -> None:
        self.frames, self.linear = frames, linear
        self.height, self.width = frames[0].shape[:2]

    def part(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """(3, bottom - top, right - left, 3) float32, gamma-coded; edges repeat beyond the image."""
        part = np.stack([frame[top:bottom, left:right] for frame in self.frames]).astype(
            np.float32, copy=False
        )
        if self.linear:
            part = np.clip(part, 0, 1, out=part) ** np.float32(1 / NETWORK_GAMMA)
        if not np.isfinite(part).all():
            raise RequestError("a frame holds values that are not finite; expected numbers in 0..1")
        missing = (bottom - top - part.shape[1], right - left - part.shape[2])
        if any(missing):
            part = np.pad(part, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        return part


def _run(net: nn.Module, photos: _Photos, ev: np.ndarray, options: RunOptions) -> np.ndarray:
    """`run` of photos of which parts are fetched."""
    if not np.isfinite(ev).all():
        raise RequestError(f"EVs are {ev.tolist()}; expected finite numbers of stops")
    scale = 1.0
    network = cast(ThreeFrameNetwork, net)
    if (
        network.bounded
    ):  # 1 must mean that the shortest frame clips, or nothing above the reference could show
        scale = 2.0 ** (-float(ev[0]) / NETWORK_GAMMA)
        ev = ev - ev[0]
    multiple = network.multiple
    size = (photos.height + -photos.height % multiple, photos.width + -photos.width % multiple)
    threads = threads_of(options)
    taken = IMAGE_BYTES * size[0] * size[1] + threads * TILE_BYTES
    parts = _parts(network, size, options.memory * 1e9 - taken)
    poses = POSES if options.augment else POSES[:1]
    surveys = network.survey_steps if len(parts) > 1 else 0
    result = np.zeros((*size, 3), np.float32)
    total = TICKS * len(poses) * len(parts) * (network.steps + surveys)
    exactly = partial(arithmetic, options)
    ready = _prepared(net, options)
    with (
        torch.inference_mode(),
        exactly(),
        task("reconstructing", total) as advance,
        Tiled(threads, tile_pixels(options), advance, TICKS, exactly) as local,
    ):
        like = next(ready.parameters())
        job = _Job(cast(ThreeFrameNetwork, ready), like, local, photos, tuple(ev.tolist()), size)
        for pose in poses:
            job.add(result, parts, pose, scale / len(poses))
    return result[: photos.height, : photos.width]


def _transposed(images: torch.Tensor) -> torch.Tensor:
    return images.transpose(-1, -2)


def _mirrored(images: torch.Tensor) -> torch.Tensor:
    return images.flip(-1)


def _upended(images: torch.Tensor) -> torch.Tensor:
    return images.flip(-2)


def _upright(images: torch.Tensor) -> torch.Tensor:
    return images


POSES = (_upright, _transposed, _mirrored, _upended)
"""Views of a scene for test-time augmentation; each undoes itself. Images are (..., H, W)."""


@dataclass(frozen=True)
class _Job:
    """A prepared network at work on one set of photos."""

    net: ThreeFrameNetwork
    like: torch.Tensor  # of the network's type and device
    local: Tiled
    photos: _Photos
    ev: tuple[float, ...]  # short, medium, long
    size: tuple[int, int]  # (H, W), divisible as the network wants

    def add(
        self,
        result: np.ndarray,
        parts: list[Window],
        pose: Callable[[torch.Tensor], torch.Tensor],
        scale: float,
    ) -> None:
        """Add `scale` times the network's image of the scene in a pose to `result` (H, W, 3)."""
        mean = {"mean": self._mean(parts, pose)} if self.net.survey_steps and len(parts) > 1 else {}
        for window in parts:
            image = pose(self.net(*self._inputs(window, pose), self.local, **mean))
            middle = _middle(image, window)[0].permute(1, 2, 0).float().cpu().numpy()
            result[window.top : window.bottom, window.left : window.right] += np.float32(scale) * middle
            _trim()

    def _mean(self, parts: list[Window], pose: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The mean over the image of what the network surveys, (1, C, 1, 1)."""
        total: Any = 0.0
        for window in parts:
            survey = pose(self.net.survey(*self._inputs(window, pose), self.local))
            total = total + _middle(survey, window).sum((2, 3), keepdim=True, dtype=torch.float64)
            _trim()
        return (total / (self.size[0] * self.size[1])).to(survey.dtype)

    def _inputs(
        self, window: Window, pose: Callable[[torch.Tensor], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network takes of a window: (1, 3, 3, h, w) frames and (1, 3) EVs."""
        frames = torch.from_numpy(self.photos.part(*window.seen())).permute(0, 3, 1, 2)[None]
        return pose(frames.to(self.like)), torch.tensor([self.ev], device=self.like.device)


def _trim() -> None:
    """Give freed memory back to the system, where the C library can (glibc).

    Tiles come and go in several threads, whose heaps would else grow from part to part, past the bound.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


def _middle(image: torch.Tensor, window: Window) -> torch.Tensor:
    """What a window is for, of an image (..., h, w) of what it sees."""
    top, _, left, _ = window.seen()
    return image[..., window.top - top : window.bottom - top, window.left - left : window.right - left]


def _parts(net: ThreeFrameNetwork, size: tuple[int, int], available: float) -> list[Window]:
    """The cut of an image into parts that fit `available` bytes, with the least work done twice."""
    best: list[Window] = []
    least = np.inf
    most_rows, most_columns = (-(-length // SMALLEST_PART) for length in size)
    for rows in range(1, most_rows + 1):
        for columns in range(1, most_columns + 1):
            areas = _seen_areas(net.margin, size, rows, columns)
            if areas.max() * net.bytes_per_pixel > available:
                continue
            if areas.sum() < least:
                least = areas.sum()
                best = windows(size, (-(-size[0] // rows), -(-size[1] // columns)), net.margin)
            break  # more columns only add margins
    if not best:
        side = SMALLEST_PART + 2 * net.margin
        raise RequestError(
            f"memory for parts of {side}x{side} pixels does not fit; "
            f"give at least {(side**2 * net.bytes_per_pixel - available) / 1e9:.1f} GB more"
        )
    return best


def _seen_areas(margin: int, size: tuple[int, int], rows: int, columns: int) -> np.ndarray:
    """(rows, columns) pixels that parts see, where an image is cut into so many."""
    lengths = []
    for length, count in zip(size, (rows, columns), strict=True):
        cuts = np.array(
            [(w.seen()[0], w.seen()[1]) for w in windows((length, 8), (-(-length // count), 8), margin)]
        )
        lengths.append(cuts[:, 1] - cuts[:, 0])
    return np.outer(*lengths)


def _prepared(net: nn.Module, options: RunOptions) -> nn.Module:
    """A copy of a network, laid out for the device; the same function."""
    ready = on_device(net, options)
    if torch.device(options.device).type != "cpu":
        return ready
    for module in ready.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            module.dilation = (POINT_DILATION, POINT_DILATION)
        if isinstance(module, DilatedDenseBlock):
            module.fused = fused.AVAILABLE and is_exact(options) and not module.separable
    return ready
