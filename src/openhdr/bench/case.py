"""What a benchmark consists of: scenes with truth, named settings of methods, columns of scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from openhdr.camera.response import Response
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.metrics.protocol import PPD, parse

Task = Literal["merge", "expand", "photo", "opencv"]
TASKS = ("merge", "expand", "photo", "opencv")


@dataclass(frozen=True)
class Setting:
    """One row of the report: a method with everything that it is set to.

    task: `merge` the bracket; `expand` the reference frame alone; `photo` = the reference frame as it is;
        `opencv` = what OpenCV makes of the bracket, see opencv.py.
    method, align: names as on the command line, None = the default. weights: of a network.
    """

    name: str
    summary: str = ""
    task: Task = "merge"
    method: str | None = None
    align: str | None = None
    deghost: bool = True
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            known = ", ".join(TASKS)
            raise RequestError(f"method '{self.name}': task is '{self.task}'; expected one of {known}")
        if self.task == "photo" and self.weights is not None:
            raise RequestError(f"method '{self.name}': the photo as it is takes no weights; leave them out")


@dataclass(frozen=True)
class BenchScene:
    """One bracket with its truth.

    frames: the photos. ev: (N,) stops relative to the reference. reference: index, from 0.
    response: how codes stand for light. truth: (H, W, 3) float32 linear, 1.0 = the reference clips.
    told_ev, told_response: what methods are told of the two where that is wrong on purpose; None = the truth.
    """

    frames: tuple[Image, ...]
    ev: tuple[float, ...]
    reference: int
    response: Response | str
    truth: np.ndarray
    told_ev: tuple[float, ...] | None = None
    told_response: Response | str | None = None

    @property
    def stated_ev(self) -> tuple[float, ...]:
        return self.ev if self.told_ev is None else self.told_ev

    @property
    def stated_response(self) -> Response | str:
        return self.response if self.told_response is None else self.told_response

    @property
    def top(self) -> float:
        """The level at which the shortest frame clips: the brightest light that any frame measured."""
        return float(2.0 ** -min(self.ev))


@dataclass(frozen=True)
class SceneEntry:
    """A scene that is read when its turn comes. group: scenes that are also averaged on their own."""

    name: str
    group: str
    load: Callable[[], BenchScene]


@dataclass(frozen=True)
class Column:
    """A metric of the table `openhdr.metrics.METRICS` on a stated scale.

    scale: `reference` = values as given, 1.0 = the reference frame clips, nothing clipped;
        `shortest` = divided by the level where the shortest frame clips, then clipped to 0..1: no method can
        know light beyond it, and none is punished or rewarded for guessing it.
    protocol: what 1.0 means to a metric of absolute light; empty = as the case says.
    """

    metric: str
    scale: Literal["shortest", "reference"]
    protocol: str = ""

    @property
    def key(self) -> str:
        """`psnr-mu` or `psnr-mu@shortest`: the name in files and on the command line."""
        return self.metric if self.scale == "reference" else f"{self.metric}@{self.scale}"

    @property
    def scale_text(self) -> str:
        if self.scale == "reference":
            return "1.0 = the reference frame clips, values as given"
        return "1.0 = the shortest frame clips, clipped to 0..1"


def parse_column(text: str) -> Column:
    """`psnr-mu` or `psnr-mu@shortest`. Raises RequestError for an unknown metric or scale."""
    from openhdr.metrics import METRICS

    metric, _, scale = text.partition("@")
    if scale not in ("", "reference", "shortest"):
        raise RequestError(f"metric '{text}': expected {metric} or {metric}@shortest")
    return Column(METRICS[metric].name, "shortest" if scale == "shortest" else "reference")


DEFAULT_COLUMNS = (
    Column("psnr-mu", "shortest"),
    Column("psnr-l", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("hdr-vdp-2", "shortest"),
    Column("psnr-mu", "reference"),
    Column("ntire-psnr-mu", "reference"),
)
DEFAULT_PROTOCOL = "liu2020"


@dataclass(frozen=True)
class Case:
    """A benchmark. notes: what a reader of the report should know, one sentence each."""

    name: str
    title: str
    description: str
    scenes: tuple[SceneEntry, ...]
    settings: tuple[Setting, ...]
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    protocol: str = DEFAULT_PROTOCOL  # what 1.0 means to metrics of absolute light
    ppd: float = PPD  # pixels per degree, for the same metrics
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parse(self.protocol, self.ppd)
        for kind, names in (
            ("scene", [s.name for s in self.scenes]),
            ("method", [s.name for s in self.settings]),
        ):
            if not names:
                raise RequestError(f"bench case '{self.name}' has no {kind}s")
            if len(set(names)) < len(names):
                raise RequestError(
                    f"bench case '{self.name}' names a {kind} twice: {', '.join(sorted(names))}"
                )
