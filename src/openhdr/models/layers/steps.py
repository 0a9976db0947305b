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


def whole(function: Callable[..., Any], margin: int, *inputs: torch.Tensor | Far) -> Any:
    """`function` of the whole inputs at once."""
    return function(*(Placed(x.tensor) if isinstance(x, Far) else x for x in inputs))
