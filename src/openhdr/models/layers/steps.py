"""Steps of a network, written so that whoever runs it may apply them to tiles of an image.

`local(function, margin, *inputs)` stands for `function(*inputs)` where `function` reaches at most `margin` pixels
around each output pixel. `whole` calls it as it is; `openhdr.models.inference.tiling.Tiled` calls it tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class Far:
    """An input of which a tile sees `reach` pixels more on every side; the function gets a `Placed`."""

    tensor: torch.Tensor
    reach: int


@dataclass(frozen=True)
class Placed:
    """A crop, and where in it the first pixel of the other inputs lies."""

    tensor: torch.Tensor
    origin: tuple[int, int] = (0, 0)  # (y, x) pixels


class Local(Protocol):
    """How a network applies its steps: `whole`, or a `Tiled`."""

    def __call__(
        self, function: Callable[..., Any], margin: int, *inputs: torch.Tensor | Far
    ) -> Any:  # what `function` returns: a tensor or a tuple of tensors
        ...


class Network(Protocol):
    """What every network offers, beside being a torch module."""

    bounded: bool  # whether the output cannot exceed 1


class OnePhotoNetwork(Network, Protocol):
    """What a one-photo network offers to its runner."""

    encoding: str  # of the photo it takes: `gamma` (light ^ (1 / 2.24)) or `srgb`
    output: str  # of the image it gives: `gamma` or `linear`
    own_scale: bool  # whether its 1.0 means nothing: the runner puts the image on the photo's scale
    margin: int  # pixels beyond which nothing reaches an output pixel; only where `part` is above 0
    part: int  # pixels: the runner cuts a photo into squares of so many; 0 = `local` makes tiles
    steps: int  # how often `__call__` uses `local`

    def __call__(self, image: torch.Tensor, return_parts: bool = False) -> torch.Tensor | dict[str, Any]:
        """(B, 3, H, W) -> (B, 3, H, W); with `return_parts` a dict with `out` and the intermediate products by name."""
        ...


class ThreeFrameNetwork(Network, Protocol):
    """What a three-frame network offers to the runner."""

    multiple: int  # height and width inside divide by this many pixels
    margin: int  # pixels beyond which nothing reaches an output pixel
    bytes_per_pixel: float  # memory of the tensors that lie between its steps
    steps: int  # how often `__call__` uses `local`
    survey_steps: int  # how often `survey` does; 0 for a network that needs no mean over the image

    def __call__(
        self, frames: torch.Tensor, ev: torch.Tensor, local: Local = ..., *, mean: torch.Tensor = ...
    ) -> torch.Tensor:
        """(B, 3, 3, H, W) gamma-coded frames and (B, 3) stops -> (B, 3, H, W) gamma-coded HDR.

        mean: of what `survey` gives over the whole image; only where `survey_steps` is above 0.
        """
        ...

    def survey(self, frames: torch.Tensor, ev: torch.Tensor, local: Local = ...) -> torch.Tensor:
        """(B, C, H, W), whose mean over the image the network needs."""
        ...


def whole(function: Callable[..., Any], margin: int, *inputs: torch.Tensor | Far) -> Any:
    """`function` of the whole inputs at once."""
    return function(*(Placed(x.tensor) if isinstance(x, Far) else x for x in inputs))
