"""`openhdr figure`: strips of crops with labels, and what networks look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.terminal import echo_json, progress_bar
from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import writable_file
from openhdr.core.options import argument, option
from openhdr.tonemapping import parse as parse_operator


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    words: tuple[str, ...] = argument("SCENE METHOD...")
    output: Path = option("The figure: .pdf, .png or .jpg.", flags=("-o", "--output"))
    crops: tuple[str, ...] = option(
        "A crop in pixels; may be repeated. Without any: whole images.",
        (),
        flags=("--crop",),
        metavar="X,Y,W,H",
    )
    data: Path | None = option("Folder of a dataset; SCENE is then CASE/NAME: hdm/0058.", None)
    programs: tuple[str, ...] = option(
        "A program outside as a method, as in `openhdr bench`.",
        (),
        flags=("--program",),
        metavar="NAME=COMMAND",
    )
    operator: str | None = option("Tone mapping of the images.", None)
    maps: Path | None = option(
        "Folder for what the networks look at: aligned frames, attention, masks, features.", None
    )
    as_json: bool = option("Report as JSON.", False, flags=("--json",))


@command("figure", Request)
def figure(request: Request) -> None:
    """Make a strip: the whole image with crops marked, then every crop as each method shows it.

    \b
    openhdr figure kitchen/ --crop 400,120,160,120 --crop 900,500,160,120 mle gsanet adnet -o strip.pdf
    openhdr figure hdm/0058 --data HDM --crop 300,200,128,96 adnet eapnet -o strip.png --maps maps/
    openhdr figure photo.jpg two-stage trustnet-single -o pair.png

    SCENE is a folder of a bracket (with gt.exr, if it has a truth), a photo, or a scene of a dataset. METHOD as in
    `openhdr bench`: a merger, a network, an expansion method, with options after a colon.
    """
    from openhdr.bench.methods.settings import parse_program, parse_setting
    from openhdr.bench.report.figure import SUFFIXES, Crop, strip, subject_of, write_figure, write_maps

    if request.output.suffix.lower() not in SUFFIXES:
        raise FileError(
            request.output, f"has extension '{request.output.suffix}'", f"expected {', '.join(SUFFIXES)}"
        )
    if not request.output.parent.is_dir():
        raise FileError(
            request.output,
            "its folder does not exist",
            f"make it: mkdir -p {quote(str(request.output.parent))}",
        )
    writable_file(request.output)
    if request.operator:
        parse_operator(request.operator)
    crops = [Crop.parse(text) for text in request.crops]
    if len({(crop.width, crop.height) for crop in crops}) > 1:
        raise RequestError("crops of one figure have one size: the same w,h for each")
    scene, *methods = request.words
    direct = request.data is not None
    settings = [parse_setting(text, direct) for text in methods] + [
        parse_program(one) for one in request.programs
    ]
    with progress_bar():
        subject = subject_of(scene, request.data)
        for crop in crops:
            crop.of(subject.photos.frames[0].pixels)
        write_figure(request.output, strip(subject, settings, crops, request.operator))
        written = write_maps(request.maps, subject, settings) if request.maps else 0
    if request.as_json:
        echo_json({"figure": str(request.output), "maps": written})
        return
    click.echo(str(request.output))
    if request.maps:
        click.echo(f"{request.maps}  {written} maps")
