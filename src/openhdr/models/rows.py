"""What the tables of networks and of trained weights say about one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openhdr.core.table import Row


@dataclass(frozen=True)
class ModelRow(Row):
    """A network. `target` is its class; `variant` are the options that differ from its class's defaults."""

    extra: str = "torch"
    task: Literal["merge", "expand"] = "merge"
    frames: int = 3
    paper: str = ""
    params: int = 0  # trainable numbers that the network uses
    gmacs: float = 0.0  # 1e9 multiply-adds at 1060x1900 by the challenge's rule, see metrics.cost
    variant: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WeightRow(Row):
    """Trained weights that come with openhdr. `target` is the file's name in `openhdr/models/weights/`."""

    extra: str = "torch"
    network: str = ""
    licence: str = ""
    training_data: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return Path(__file__).parent / "weights" / self.target
