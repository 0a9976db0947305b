"""`openhdr simulate`: HDR scenes -> hand-held, noisy, moving brackets with exact truth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command, given_options, spelled
from openhdr.cli.shared.terminal import echo_json, echo_notes, progress_bar
from openhdr.cli.shared.workers import WorkerOptions, done_by, give_up
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.core.options import argument, nested, option
from openhdr.simulation.capture_options import CaptureOptions

if TYPE_CHECKING:
    from openhdr.batch.job import Job
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
    by: WorkerOptions = nested(WorkerOptions)
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
    SCENE-SEED in the output folder, with one seed after the other, and a SCENE-SEED.json beside each: what is done
    with the same scenes and options is not made again. What fails is listed at the end.
    """
    failed: list[tuple[str, str]] = []
    if request.cache or request.benchmark:
        with progress_bar():
            facts = _cache(request) if request.cache else _benchmark(request)
    else:
        made, failed = _brackets(request)
        facts = {"brackets": made}
        for one in () if request.as_json else made:
            click.echo(f"{one['folder']}: {one['scene']}, ev {', '.join(f'{e:g}' for e in one['ev'])}")
    if request.as_json:
        echo_json(facts)
    give_up(failed, len(facts.get("brackets", ())) + len(failed), "brackets")


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


def _brackets(request: Request) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """What was made, and names and errors of what failed. One bracket is made here, several by processes."""
    from openhdr.data.scenes import find_hdr_files

    paths = find_hdr_files(request.scenes)
    if len(paths) * request.count == 1:
        with progress_bar():
            return [_bracket(request, paths[0])], []
    from openhdr import io
    from openhdr.batch.job import settled
    from openhdr.batch.storage import sole_writer

    def need_gb(job: Job, threads: int) -> float:
        """The scenes, of which the largest are kept, and the photos."""
        objects = [part.removeprefix("--objects=") for part in job.args if part.startswith("--objects=")]
        pixels = 0
        for path in (os.path.join(job.folder, *job.inputs), *objects):
            with suppress(OpenHDRError):
                facts = io.probe(Path(path))
                pixels += facts.width * facts.height
        width, height = map(int, request.capture.size.lower().split("x"))
        return 0.4 + 1.2e-8 * pixels + 5e-8 * width * height

    jobs = _jobs(request, paths)
    with sole_writer(str(request.output)):
        records = {job.name: settled(job) for job in jobs}
        left = [job for job in jobs if (record := records[job.name]) is None or record.status == "failed"]
        with done_by(request.by, left, need_gb, lambda one: one.status == "failed") as results:
            for job, record in results:
                records[job.name] = record
    made, failed = [], []
    for name, record in records.items():
        if record is None or record.status == "failed":
            failed.append((name, record.error if record else ""))
        else:
            made.append(record.result["brackets"][0] | {"folder": str(request.output / name)})
    return made, failed


def _bracket(request: Request, path: Path) -> dict[str, Any]:
    from openhdr.data.scenes import find_hdr_files
    from openhdr.data.simulated import write_bracket
    from openhdr.simulation.draw_plan import draw_plan
    from openhdr.simulation.render import render

    config = request.capture.config
    scene = _scene(path, config, request.flat)
    objects = find_hdr_files(request.objects) if request.objects and not request.capture.still else []
    others = [other for other in (_scene(one, config) for one in objects) if other.name != scene.name]
    plan = draw_plan(scene, others, config, request.seed, request.ev)
    write_bracket(render(plan, [scene, *others]), request.output, config, request.masks)
    return {"folder": str(request.output), "scene": scene.name, "seed": request.seed, "ev": plan.ev}


@lru_cache(maxsize=_MOST_SURFACES + 1)
def _scene(path: Path, config: SimulationConfig, flat: bool = False) -> Scene:
    """A scene, read once for the many brackets that a process makes."""
    from openhdr.data.scenes import read_scene

    return read_scene(path, config, "flat" if flat else None)


def _jobs(request: Request, paths: list[Path]) -> list[Job]:
    """A job a bracket: this command for one scene and seed, and the scenes that moving objects are cut from.

    Those asked for, else the first of the scenes that can be read.
    """
    from openhdr.batch.job import Job
    from openhdr.core.files import sha256_of
    from openhdr.data.scenes import find_hdr_files, read_scene

    objects = find_hdr_files(request.objects) if request.objects and not request.capture.still else []
    if not objects and not request.capture.still and len(paths) > 1:
        for path in paths[:_MOST_SURFACES]:
            with suppress(OpenHDRError):  # its own brackets will say so
                read_scene(path)
                objects.append(path)
    given = given_options({"scenes", "output", "seed", "count", "objects", "as_json", "workers", "cluster"})
    known = {str(one.name): one for one in simulate.params if isinstance(one, click.Option)}
    args = [part for name, value in given.items() for part in spelled(known[name], value)]
    args += [f"--objects={os.path.abspath(path)}" for path in objects]
    surfaces = " ".join(f"{path.stem}:{sha256_of(path)}" for path in objects)
    jobs = []
    for number, path in enumerate(paths):
        for seed in range(request.seed + number * request.count, request.seed + (number + 1) * request.count):
            options = {**given, "seed": seed, "objects": surfaces}
            where = os.path.split(os.path.abspath(path))
            own = (*args, f"--seed={seed}")
            name, out = f"{path.stem}-{seed}", os.path.abspath(request.output)
            jobs.append(Job(name, where[1:], where[0], out, ("",), "simulate", own, options))
    return jobs
