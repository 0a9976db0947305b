"""Where methods stop working: brackets in which one thing at a time is harder than usual, or declared wrongly.

Every cell takes the same six views of the public_test panoramas, with the same seeds, and changes one thing of
the usual bracket; so the difference between two cells is that thing. The brackets are made in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from openhdr.bench.case import BenchScene, Case, SceneEntry
from openhdr.bench.methods.settings import merge_settings
from openhdr.bench.named_cases import scene_of
from openhdr.core.errors import RequestError
from openhdr.data.sample import Sample
from openhdr.metrics import Column
from openhdr.simulation.config import CameraConfig, ObjectConfig, ShakeConfig, SimulationConfig
from openhdr.simulation.distributions import Fixed

SCENES = (
    "circus_arena",
    "comfy_cafe",
    "dikhololo_night",
    "lebombo",
    "pedestrian_overpass",
    "rooitou_park",
)
FIRST_SEED = 47100  # of the first scene; the next ones follow
SIZE = (384, 256)
THIRD = 1 / 3  # stops
COLUMNS = (
    Column("psnr-mu", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("pu21-psnr", "shortest", "abs:1000"),
)
LEFT_OUT = ("debevec", "robertson")  # they weigh the same frames in another way, and fail where mle fails


@dataclass(frozen=True)
class Cell:
    """One kind of bracket. label: what is special. wrong_by: stops added to each declared exposure.

    declared: whether methods are given the response; if not, they take the photos for sRGB ones.
    """

    label: str
    config: SimulationConfig
    ev: tuple[float, ...] = (-2.0, 0.0, 2.0)
    wrong_by: tuple[float, ...] = (0.0, 0.0, 0.0)
    declared: bool = True


@dataclass(frozen=True)
class Family:
    """Cells that differ in one thing, from easy to hard."""

    name: str
    cells: tuple[Cell, ...]

    def group(self, cell: Cell) -> str:
        """The group of the cell's scenes in the results: the usual bracket stands in every family once."""
        usual = replace(cell, label="") == Cell("", USUAL)
        return USUAL_GROUP if usual else f"{self.name}: {cell.label}"


USUAL_GROUP = "usual"
USUAL = SimulationConfig(
    size=SIZE,
    nominal_width=SIZE[0],  # motion is in pixels of these images
    shake=ShakeConfig(turn_px=Fixed(5), step_px=Fixed(1)),
    objects=ObjectConfig(still_share=0.0, most=3, speed_px=Fixed(12)),
    camera=CameraConfig(iso=Fixed(400), gamma=Fixed(2.2), sigmoid_n=Fixed(0.9), sigmoid_a=Fixed(0.6)),
)


def _speed(px: float) -> SimulationConfig:
    return replace(USUAL, objects=replace(USUAL.objects, speed_px=Fixed(px)))


def _turn(px: float) -> SimulationConfig:
    return replace(USUAL, shake=replace(USUAL.shake, turn_px=Fixed(px)))


def _iso(iso: float) -> SimulationConfig:
    return replace(USUAL, camera=replace(USUAL.camera, iso=Fixed(iso)))


def _response(family: str) -> SimulationConfig:
    return replace(USUAL, camera=replace(USUAL.camera, responses=(family,)))


STILL = replace(USUAL, objects=replace(USUAL.objects, still_share=1.0))
TRIPOD = replace(USUAL, shake=replace(USUAL.shake, still_share=1.0))
FAMILIES = (
    Family(
        "objects move",
        (
            Cell("nothing moves", STILL),
            Cell("3 px", _speed(3)),
            Cell("12 px", USUAL),
            Cell("40 px", _speed(40)),
            Cell("100 px", _speed(100)),
        ),
    ),
    Family(
        "camera moves",
        (
            Cell("tripod", TRIPOD),
            Cell("2 px", _turn(2)),
            Cell("5 px", USUAL),
            Cell("16 px", _turn(16)),
            Cell("48 px", _turn(48)),
        ),
    ),
    Family(
        "EV step",
        (
            Cell("1 stop", USUAL, (-1.0, 0.0, 1.0)),
            Cell("2 stops", USUAL),
            Cell("3 stops", USUAL, (-3.0, 0.0, 3.0)),
        ),
    ),
    Family(
        "ISO",
        (
            Cell("100", _iso(100)),
            Cell("400", USUAL),
            Cell("1600", _iso(1600)),
            Cell("6400", _iso(6400)),
        ),
    ),
    Family(
        "response",
        (
            Cell("sRGB", USUAL),
            Cell("gamma 2.2, declared", _response("gamma")),
            Cell("sigmoid, declared", _response("sigmoid")),
            Cell("sigmoid, taken for sRGB", _response("sigmoid"), declared=False),
        ),
    ),
    Family(
        "declared exposures",
        (
            Cell("right", USUAL),
            Cell("shortest frame +1/3 stop", USUAL, wrong_by=(THIRD, 0.0, 0.0)),
            Cell("longest frame +1/3 stop", USUAL, wrong_by=(0.0, 0.0, THIRD)),
            Cell("steps 1/3 stop too wide", USUAL, wrong_by=(-THIRD, 0.0, THIRD)),
        ),
    ),
)


def robustness(data: Path | None, work: Path) -> Case:
    """Brackets made on the way. data: folder of the public_test panoramas."""
    if data is None:
        raise RequestError(
            "the robustness case needs its panoramas; give their folder as `data` (public_test/hdri)"
        )
    settings, notes = merge_settings()
    differing = (one for one in settings if set(one.options) <= {"weights"} and one.method not in LEFT_OUT)
    cells = {family.group(cell): cell for family in FAMILIES for cell in family.cells}
    stage = _Stage(data)
    scenes = (
        SceneEntry(f"{group}, {name}", group, partial(stage.bracket, cell, name))
        for group, cell in cells.items()
        for name in SCENES
    )
    return Case(
        "robustness",
        "Where methods stop working",
        "Hand-held brackets of three frames, 384x256, simulated from six panoramas with fixed seeds. Every group "
        "changes one thing of the usual bracket: EV step 2, ISO 400, sRGB, objects that move 12 px and a camera "
        "that turns by 5 px from frame to frame.",
        tuple(scenes),
        tuple(differing),
        COLUMNS,
        notes=notes,
    )


class _Stage:
    """The panoramas, read when the first bracket is made."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.read: Sequence[Any] = ()

    def bracket(self, cell: Cell, name: str) -> BenchScene:
        from openhdr.data.benchmark import read_scenes
        from openhdr.simulation.draw_plan import draw_plan
        from openhdr.simulation.render import photograph

        self.read = self.read or read_scenes([self.data])
        scene = next(one for one in self.read if one.name == name)
        others = [one for one in self.read if one.name != name]
        plan = draw_plan(scene, others, cell.config, FIRST_SEED + SCENES.index(name), cell.ev)
        frames, truth = photograph(plan, self.read)
        sample = Sample(name, frames, tuple(plan.ev), plan.reference, plan.camera.response, truth)
        bracket = scene_of(sample)
        wrong = [stop + error for stop, error in zip(bracket.ev, cell.wrong_by, strict=True)]
        declared_ev = tuple(stop - wrong[bracket.reference] for stop in wrong)
        response = bracket.response if cell.declared else "srgb"
        return replace(bracket, declared_ev=declared_ev, declared_response=response)
