"""The rows of the tables of networks and of trained weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openhdr.core.errors import FileError
from openhdr.core.files import sha256_of
from openhdr.core.table import Row


@dataclass(frozen=True)
class ModelRow(Row):
    """A network. `target` is its class; `variant` are the options that differ from its class's defaults.

    task: `merge` three frames, `expand` a photo; or a part of openhdr's own methods, `consistency` of frames, `stops`
    of clipped light.
    """

    extra: str = "torch"
    task: Literal["merge", "expand", "consistency", "stops"] = "merge"
    frames: int | tuple[int, int] = 3  # or from so many to so many
    paper: str = ""
    predicts_exposures: bool = False  # of one photo, before it makes the image
    params: int = 0  # trainable numbers that the network uses
    gmacs: float = 0.0  # 1e9 multiply-adds at 1060x1900 by the challenge's rule, see metrics.cost
    variant: Mapping[str, Any] = field(default_factory=dict)
    exported: bool = True  # whether it can be written as ONNX
    recipe: bool = True  # whether it is trained here; else it is there to load its authors' weights

    @property
    def inside(self) -> bool:
        """Whether it works inside openhdr's own method of the same name, which runs it without PyTorch."""
        return self.task in ("consistency", "stops")

    @property
    def purpose(self) -> Literal["merge", "expand"]:
        """The command whose images it makes: `openhdr merge` or `openhdr expand`."""
        return "merge" if self.task in ("merge", "consistency") else "expand"

    @property
    def frames_text(self) -> str:
        """The number of frames that it takes, in words."""
        return str(self.frames) if isinstance(self.frames, int) else "{}-{}".format(*self.frames)


ROUNDED_EV = 0.15
"""How far a step of a whole number of stops may seem off: shutter times are rounded (1/15 to 1/8 s is 0.91 stops)."""


@dataclass(frozen=True)
class WeightRow(Row):
    """Trained weights that come with openhdr. `target` is the file's name in `openhdr/models/weights/`; a text
    beside it, the model card, describes how they were made and where they fail.
    """

    extra: str = "torch"
    network: str = ""  # a row of MODELS
    sha256: str = ""  # of the file; `scripts/weight_row.py` prints it
    licence: str = ""
    training_data: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)  # "METRIC, DATA" -> value
    ev_steps: tuple[float, float] | None = None  # least and most stops between its frames; None = any

    def suits(self, steps: Sequence[float]) -> bool:
        """Whether the weights were made for such steps from frame to frame, in stops."""
        if self.ev_steps is None:
            return True
        least, most = self.ev_steps
        return all(least - ROUNDED_EV <= step <= most + ROUNDED_EV for step in steps)

    @property
    def path(self) -> Path:
        return Path(__file__).parent / "weights" / self.target

    @property
    def card(self) -> Path:
        """The model card."""
        return self.path.with_suffix(".md")

    def verified_path(self) -> Path:
        """The file, which is the one that was scored to the last bit. Raises FileError if it is not."""
        again = "install openhdr again"
        if not self.path.is_file():
            raise FileError(self.path, f"the file of the weights '{self.name}' is missing", again)
        found = sha256_of(self.path)
        if found != self.sha256:
            problem = f"is damaged: SHA-256 {found[:12]}..., expected {self.sha256[:12]}..."
            raise FileError(self.path, problem, again)
        return self.path
