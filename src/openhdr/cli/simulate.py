"""`openhdr simulate`: HDR scenes -> hand-held, noisy, moving brackets with exact truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.common import echo_json, echo_notes, progress_bar
from openhdr.core.errors import ExposureError, OpenHDRError, RequestError

if TYPE_CHECKING:
    from openhdr.simulation.config import CameraConfig, SimulationConfig
    from openhdr.simulation.scene import Scene


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    scenes: tuple[Path, ...]
    output: Path
    seed: int
    ev: str | None
    count: int
    size: str
    objects: tuple[Path, ...]
    camera: str
    response: str | None
    iso: float | None
    bits: str | None
    jpeg: int | None
    clip_share: float | None
    still: bool
    tripod: bool
    rolling_reference: bool
    flat: bool
    masks: bool
    cache: bool
    benchmark: bool
    as_json: bool


@click.command("simulate")
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder."
)
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--ev", help="Exposures in stops, such as -2,0,2; drawn otherwise.")
@click.option(
    "--count", default=1, show_default=True, type=click.IntRange(1, 100000), help="Brackets a scene."
)
@click.option("--size", default="576x384", show_default=True, help="Width x height in pixels.")
@click.option(
    "--objects", multiple=True, type=click.Path(path_type=Path), help="Scenes to cut moving objects from."
)
@click.option(
    "--camera",
    default="plain",
    show_default=True,
    type=click.Choice(["plain", "varied", "real"]),
    help="plain = sRGB and noise; varied = everything drawn; real = lens, picture style, processing, JPEG.",
)
@click.option(
    "--response", type=click.Choice(["srgb", "linear", "gamma", "sigmoid"]), help="Family of the curve."
)
@click.option("--iso", type=click.FloatRange(25, 102400), help="Sensitivity; drawn otherwise.")
@click.option("--bits", type=click.Choice(["8", "10", "12"]), help="Depth of the codes.")
@click.option("--jpeg", type=click.IntRange(1, 100), help="Compress at this quality.")
@click.option(
    "--clip-share", type=click.FloatRange(0, 0.9), help="Share of the reference's pixels that clip."
)
@click.option("--still", is_flag=True, help="Nothing moves in the scene.")
@click.option("--tripod", is_flag=True, help="The camera does not move.")
@click.option("--rolling-reference", is_flag=True, help="Any frame may be the reference.")
@click.option("--flat", is_flag=True, help="Take the scenes as flat pictures, not panoramas.")
@click.option("--masks/--no-masks", default=True, help="Write masks of motion, occlusion and clipping.")
@click.option("--cache", is_flag=True, help="Instead: pack the scenes into shards for training.")
@click.option("--benchmark", is_flag=True, help="Instead: make the public benchmark from its panoramas.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
def simulate(**options: Any) -> None:
    """Take pictures of HDR SCENES (panoramas or flat HDR images; files or folders) with a camera in software.

    Writes 0.png 1.png ... (shortest first), gt.exr (the reference's view, 1.0 = it clips), masks and
    scene.json with every drawn number. Equal seeds give equal pictures. Several brackets go to folders
    SCENE-SEED in the output folder, with one seed after the other.
    """
    request = Request(**options)
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
    from openhdr.data.scenes import find_hdr_files

    config, ev = config_of(request), _exposures(request.ev)
    paths = find_hdr_files(request.scenes)
    drawing = (config, ev, _surfaces(request, config, paths), len(paths) * request.count == 1)
    made, failed = [], []
    with task("simulating", len(paths)) as advance:
        for number, path in enumerate(paths):
            try:
                made += _brackets_of(path, request, drawing, request.seed + number * request.count)
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


def _brackets_of(
    path: Path, request: Request, drawing: tuple[Any, ...], first_seed: int
) -> list[dict[str, Any]]:
    """The brackets of one scene, with seeds from `first_seed` on."""
    from openhdr.data.scenes import read_scene
    from openhdr.data.simulated import write_bracket
    from openhdr.simulation.draw import draw_plan
    from openhdr.simulation.render import render

    config, ev, surfaces, single = drawing
    scene = read_scene(path, config, "flat" if request.flat else None)
    others = [other for other in surfaces if other.name != scene.name]
    made = []
    for seed in range(first_seed, first_seed + request.count):
        folder = request.output if single else request.output / f"{scene.name}-{seed}"
        plan = draw_plan(scene, others, config, seed, ev)
        write_bracket(render(plan, [scene, *others]), folder, config, request.masks)
        made.append({"folder": str(folder), "scene": scene.name, "seed": seed, "ev": plan.ev})
    return made


def _surfaces(request: Request, config: SimulationConfig, paths: list[Path]) -> list[Scene]:
    """Scenes that moving objects are cut from: those asked for, else the first of the scenes themselves."""
    from openhdr.data.scenes import find_hdr_files, read_scene

    if request.still:
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


_MOST_SURFACES = 12  # scenes kept in memory to cut objects from


def config_of(request: Request) -> SimulationConfig:
    """The laws that the options ask for."""
    from openhdr.simulation import config as laws
    from openhdr.simulation.distributions import Fixed

    exposure = laws.ExposureConfig(rolling_reference=request.rolling_reference)
    if request.clip_share is not None:
        exposure = replace(exposure, clip_share=Fixed(request.clip_share))
    config = laws.SimulationConfig(
        size=_size(request.size),
        exposure=exposure,
        shake=laws.ShakeConfig(still_share=1.0 if request.tripod else 0.0),
        objects=laws.ObjectConfig(still_share=1.0) if request.still else laws.ObjectConfig(),
        camera=laws.varied_camera() if request.camera == "varied" else laws.CameraConfig(),
    )
    config = laws.real(config) if request.camera == "real" else config
    return replace(config, camera=_camera_of(request, config.camera))


def _camera_of(request: Request, camera: CameraConfig) -> CameraConfig:
    """The camera with what the options fix."""
    from openhdr.simulation.distributions import Fixed

    if camera.processing and (request.response or request.bits not in (None, "8")):
        raise RequestError(
            "--camera real makes 8-bit photos by a picture style; leave --response and --bits out"
        )
    if request.response:
        camera = replace(camera, responses=(request.response,))
    if request.iso:
        camera = replace(camera, iso=Fixed(request.iso))
    if request.bits:
        camera = replace(camera, bits=(int(request.bits),))
    if request.jpeg:
        if camera.bits != (8,) and request.bits:
            raise RequestError(f"--jpeg compresses 8-bit pictures; got --bits {request.bits}")
        camera = replace(camera, bits=(8,), jpeg_share=1.0, jpeg_quality=Fixed(request.jpeg))
    return camera


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
        raise RequestError(f"--size {text}; expected width x height of 16 pixels or more, such as 576x384")
    if int(width) * int(height) > _MOST_PIXELS:
        raise RequestError(f"--size {text} is more than {_MOST_PIXELS} pixels")
    return int(width), int(height)


_MOST_PIXELS = 200_000_000


def _exposures(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise ExposureError(f"--ev {text}; expected numbers of stops with commas, such as -2,0,2") from error
