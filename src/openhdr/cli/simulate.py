"""`openhdr simulate`: HDR scenes -> hand-held, noisy, moving brackets with exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.common import echo_json, echo_notes, progress_bar
from openhdr.cli.options import command
from openhdr.core.errors import ExposureError, OpenHDRError, RequestError
from openhdr.core.options import argument, nested, option
from openhdr.simulation.options import CaptureOptions

if TYPE_CHECKING:
    from openhdr.simulation.config import SimulationConfig
    from openhdr.simulation.scene import Scene

_MOST_BRACKETS = 100_000  # of a scene
_MOST_SURFACES = 12  # scenes kept in memory to cut objects from


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    scenes: tuple[Path, ...] = argument("SCENES...")
    output: Path = option(
        "Folder.", flags=("-o", "--output"), kind=click.Path(path_type=Path, file_okay=False)
    )
    seed: int = option("Of everything that is drawn.", 0)
    ev: Sequence[float] | None = option("Exposures in stops, such as -2,0,2; drawn otherwise.", None)
    count: int = option("Brackets a scene.", 1)
    objects: tuple[Path, ...] = option("Scenes to cut moving objects from.", ())
    capture: CaptureOptions = nested(CaptureOptions)
    flat: bool = option("Take the scenes as flat images, not panoramas.", False)
    masks: bool = option("Write masks of motion, occlusion and clipping.", True)
    cache: bool = option("Instead: pack the scenes into shards for training.", False)
    benchmark: bool = option("Instead: make the public benchmark from its panoramas.", False)
    as_json: bool = option("Report as JSON.", False, flags=("--json",))

    def __post_init__(self) -> None:
        if not 1 <= self.count <= _MOST_BRACKETS:
            raise RequestError(f"`count={self.count}`: expected 1 to {_MOST_BRACKETS}")


@command("simulate", Request)
def simulate(request: Request) -> None:
    """Photograph HDR SCENES (panoramas or flat HDR images; files or folders) with a camera in software.

    Writes 0.png 1.png ... (shortest first), gt.exr (the reference's view, 1.0 = it clips), masks and
    scene.json with every drawn number. Equal seeds give equal images. Several brackets go to folders
    SCENE-SEED in the output folder, with one seed after the other.
    """
    with progress_bar():
        if request.cache:
            facts = _cache(request)
        elif request.benchmark:
            facts = _benchmark(request)
        else:
            facts = _brackets(request)
    if request.as_json:
        echo_json(facts)


def _cache(request: Request) -> dict[str, Any]:
    from openhdr.data.cache import build_cache
    from openhdr.data.scenes import find_hdr_files

    shards, left_out = build_cache(find_hdr_files(request.scenes), request.output)
    if left_out:
        echo_notes("", (f"left out, because held out from training: {', '.join(left_out)}",))
    if not request.as_json:
        click.echo(f"{shards.samples} scenes in {len(shards.shards)} shards in {request.output}")
    return {
        "output": str(request.output),
        "scenes": shards.samples,
        "shards": len(shards.shards),
        "left_out": list(left_out),
    }


def _benchmark(request: Request) -> dict[str, Any]:
    from openhdr.data.benchmark import write_benchmark

    count = write_benchmark(request.scenes, request.output)
    if not request.as_json:
        click.echo(f"{count} brackets in {request.output}, all as published")
    return {"output": str(request.output), "brackets": count}


def _brackets(request: Request) -> dict[str, Any]:
    from openhdr.core.progress import task
    from openhdr.data.scenes import find_hdr_files, read_scene
    from openhdr.data.simulated import write_bracket
    from openhdr.simulation.draw import draw_plan
    from openhdr.simulation.render import render

    config, paths = request.capture.config, find_hdr_files(request.scenes)
    surfaces = _surfaces(request, config, paths)
    single = len(paths) * request.count == 1
    made: list[dict[str, Any]] = []
    failed: list[str] = []
    with task("simulating", len(paths)) as advance:
        for number, path in enumerate(paths):
            try:
                scene = read_scene(path, config, "flat" if request.flat else None)
                others = [other for other in surfaces if other.name != scene.name]
                first = request.seed + number * request.count
                for seed in range(first, first + request.count):
                    folder = request.output if single else request.output / f"{scene.name}-{seed}"
                    plan = draw_plan(scene, others, config, seed, request.ev)
                    write_bracket(render(plan, [scene, *others]), folder, config, request.masks)
                    made.append({"folder": str(folder), "scene": scene.name, "seed": seed, "ev": plan.ev})
            except ExposureError:
                raise
            except OpenHDRError as error:
                if len(paths) == 1:
                    raise
                failed.append(str(error))
            advance()
    if not request.as_json:
        for facts in made:
            click.echo(f"{facts['folder']}: {facts['scene']}, ev {', '.join(f'{e:g}' for e in facts['ev'])}")
    if failed:
        raise RequestError(f"{len(failed)} of {len(paths)} scenes failed: " + "; ".join(failed))
    return {"brackets": made}


def _surfaces(request: Request, config: SimulationConfig, paths: list[Path]) -> list[Scene]:
    """Scenes that moving objects are cut from: those asked for, else the first of the scenes themselves."""
    from openhdr.data.scenes import find_hdr_files, read_scene

    if request.capture.still:
        return []
    if request.objects:
        return [read_scene(path, config) for path in find_hdr_files(request.objects)]
    found = []
    for path in paths[:_MOST_SURFACES] if len(paths) > 1 else []:
        try:
            found.append(read_scene(path, config))
        except OpenHDRError:  # reported when its own brackets are made
            continue
    return found
