"""`openhdr tonemap`: HDR -> displayable."""

from __future__ import annotations

from dataclasses import dataclass, fields, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.outputs import apart, outputs, writable
from openhdr.cli.shared.process import isolate_option
from openhdr.cli.shared.several import each
from openhdr.cli.shared.terminal import echo_json, echo_notes, echo_written, progress_bar
from openhdr.core.errors import RequestError, printable
from openhdr.core.options import argument, choice, nested, option
from openhdr.tonemapping import DEFAULT, OPERATORS, Look, changed, parse, preset

if TYPE_CHECKING:
    from openhdr.core.image import Image


def _every_option() -> type:
    """A dataclass of all options of all operators, None = not given."""
    declared: dict[str, tuple[str, list[str]]] = {}
    for row in OPERATORS.values():
        for one in fields(row.options):
            if "option" in one.metadata:
                declared.setdefault(one.name, (one.metadata["option"].help, []))[1].append(row.name)
    return make_dataclass(
        "Tuning",
        [(name, "float | None", option(_help(*found), None)) for name, found in declared.items()],
        frozen=True,
    )


def _help(help: str, names: list[str]) -> str:
    """Of an option: whose it is, unless all operators have it."""
    if len(names) == len(OPERATORS):
        return help
    missing = [name for name in OPERATORS if name not in names]
    if len(missing) < len(names):
        return f"Of all but {', '.join(missing)}: {help[0].lower()}{help[1:]}"
    return f"Of {', '.join(names)}: {help[0].lower()}{help[1:]}"


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("IN...")
    output: Path = option("Picture, or a folder for several.", flags=("-o", "--output"))
    operator: str | None = option(choice(OPERATORS, DEFAULT, "a preset (.toml)"), None)
    tuning: Any = nested(_every_option())
    save_preset: Path | None = option("Write operator and options as a preset (.toml).", None)
    sheet: bool = option("All operators on one page.", False)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("tonemap", Request)
def tonemap(request: Request) -> None:
    """Turn HDR images into displayable ones.

    \b
    openhdr tonemap in.exr -o out.png
    openhdr tonemap in.exr -o out.jpg --exposure 0.5 --contrast 1.1
    openhdr tonemap in.exr -o out.jpg --operator drago --bias 0.9 --save-preset look.toml
    openhdr tonemap *.exr -o previews/ --operator look.toml
    openhdr tonemap in.exr -o page.png --sheet

    A preset, or a name with values such as drago:bias=0.9, is an --operator of merge, expand and convert, too.
    """
    if request.sheet and request.operator:
        raise RequestError("`sheet` shows all operators; leave `operator` out")
    row, options = parse(request.operator)
    given = {name: value for name, value in vars(request.tuning).items() if value is not None}
    options = changed(row, options, given)
    images = request.images
    jobs = list(zip(images, outputs(images, request.output, ".png"), strict=True))
    apart(images, [output for _, output in jobs])
    writable(jobs[0][1])
    writable(request.save_preset, ".toml")
    with progress_bar():
        work = _sheet if request.sheet else _one
        facts = each(
            "tone mapping", [(*job, row.name, given if request.sheet else options) for job in jobs], work
        )
    if request.save_preset:
        from openhdr.core.files import write_whole

        write_whole(request.save_preset, preset(row, options).encode())
    if request.as_json:
        echo_json(facts)
        return
    for one in facts:
        click.echo(printable(f"{one['output']}: {one['width']}x{one['height']}"))
    echo_written([request.save_preset])


def _one(path: Path, output: Path, operator: str, options: Look) -> dict[str, Any]:
    from openhdr import io
    from openhdr.tonemapping import tonemap as apply

    image = _light(path)
    picture = apply(image, operator, options, dtype="uint8")
    notes = io.write(output, picture)
    echo_notes(path.name, (*image.notes, *notes))
    return {**_facts(path, output, picture), "operator": operator}


def _sheet(path: Path, output: Path, _: str, given: dict[str, float]) -> dict[str, Any]:
    from openhdr import io
    from openhdr.pipeline.hdr_to_display import sheet

    picture = sheet(_light(path), given)
    notes = io.write(output, picture)
    echo_notes(output.name, notes)
    return {**_facts(path, output, picture), "operators": list(OPERATORS)}


def _facts(path: Path, output: Path, picture: Image) -> dict[str, Any]:
    return {"input": str(path), "output": str(output), "width": picture.width, "height": picture.height}


def _light(path: Path) -> Any:
    from openhdr import io

    image = io.read(path)
    if image.encoding != "linear":
        raise RequestError(
            f"{path}: is an ordinary photo; tone mapping needs an HDR image (.exr, .hdr, float .tif)"
        )
    return image
