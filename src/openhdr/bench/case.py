"""What a benchmark consists of: scenes with truth, settings of methods, columns of scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openhdr.bench.methods.photos import Photos
from openhdr.bench.methods.settings import Setting
from openhdr.camera.response import Response
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.metrics import Column
from openhdr.metrics.protocol import PPD, parse


@dataclass(frozen=True)
class BenchScene:
    """One bracket with its truth.

    frames: the photos. ev: (N,) stops relative to the reference. reference: index, from 0.
    response: how codes stand for light; None = methods find out or assume. truth: (H, W, 3) float32 linear,
        1.0 = the reference clips.
    declared_ev, declared_response: what methods are given for the two where that is wrong on purpose; None = the truth.
    """

    frames: tuple[Image, ...]
    ev: tuple[float, ...]
    reference: int
    response: Response | str | None
    truth: np.ndarray
    declared_ev: tuple[float, ...] | None = None
    declared_response: Response | str | None = None

    @property
    def given(self) -> Photos:
        """What methods are given of the scene."""
        ev = self.ev if self.declared_ev is None else self.declared_ev
        response = self.response if self.declared_response is None else self.declared_response
        return Photos(self.frames, ev, self.reference, response)

    @property
    def shortest_ev(self) -> float:
        """Stops of the shortest frame relative to the reference."""
        return float(min(self.ev))

    @property
    def top(self) -> float:
        """The level at which the shortest frame clips: the brightest light that any frame measured."""
        return float(2.0**-self.shortest_ev)


@dataclass(frozen=True)
class SceneEntry:
    """A scene that is read when its turn comes. group: scenes that are also averaged on their own."""

    name: str
    group: str
    load: Callable[[], BenchScene]


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
    """A benchmark. notes: what a reader of the report should know, one sentence each.

    frames_as_they_are: networks are given the frames unprepared (task `network`), as papers do on their datasets.
    """

    name: str
    title: str
    description: str
    scenes: tuple[SceneEntry, ...]
    settings: tuple[Setting, ...]
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    protocol: str = DEFAULT_PROTOCOL  # what 1.0 means to metrics of absolute light
    ppd: float = PPD  # pixels per degree, for the same metrics
    notes: tuple[str, ...] = ()
    frames_as_they_are: bool = False

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
