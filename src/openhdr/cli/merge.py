"""`openhdr merge`: a bracket of exposures -> one HDR image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.parts.merge_notes import notes_of_frames, warnings_of
from openhdr.cli.shared.command import command
from openhdr.cli.shared.light_files import LightFiles
from openhdr.cli.shared.outputs import apart, writable
from openhdr.cli.shared.process import isolate_option
from openhdr.cli.shared.sidecar import like, sidecar_of, write_sidecar
from openhdr.cli.shared.terminal import (
    echo_json,
    echo_notes,
    echo_notes_of_files,
    echo_written,
    format_table,
    progress_bar,
)
from openhdr.core.errors import RequestError
from openhdr.core.options import argument, nested, option
from openhdr.core.threads import in_threads
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.pipeline.pipeline_options import MergeOptions

if TYPE_CHECKING:
    from openhdr.pipeline.bracket_to_hdr import MergeResult


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    images: tuple[Path, ...] = argument("IMG...")
    output: Path = option(
        "HDR file: .exr, .hdr, .tif, .dng; screens: .jpg (gain map), .avif, .jxl, .png (PQ); with mertens any.",
        flags=("-o", "--output"),
    )
    options: MergeOptions = nested(MergeOptions)
    save_response: Path | None = option("Write the response as a file (.json).", None)
    mask: Path | None = option(
        "Write a sheet of how far each image was trusted (PNG): black = left out.", None
    )
    motion: Path | None = option("Write how far each image was moved (PNG): hue = direction.", None)
    anchor: str = option("What 1.0 means: reference (it clips), grey or absolute.", "reference")
    files: LightFiles = nested(LightFiles)
    sidecar: bool = option("Write how the picture was made beside it (.json).", False)
    like: Path | None = option("Take the options of such a .json; those given here rule.", None)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@isolate_option
@command("merge", Request)
def merge(request: Request) -> None:
    """Merge a bracket of exposures into an HDR image.

    \b
    openhdr merge DSC1.jpg DSC2.jpg DSC3.jpg -o out.exr --preview out.png
    openhdr merge a.png b.png c.png --ev -2,0,2 -o out.exr

    Exposures come from the photos' metadata unless given. In the result 1.0 is the level at which the
    reference clips. The stops that are printed go from the noise of the darkest areas to the brightest light.
    """
    if request.like:
        request = like(request, request.like)
    _refuse_early(request)
    with progress_bar():
        from openhdr.pipeline.bracket_to_hdr import merge_bracket  # takes long enough to be shown

        result = merge_bracket(request.images, request.options)
        written = _write(request, result)
    facts = facts_of(result, request)
    if request.sidecar:
        write_sidecar(request.output, request.images, facts)
    if request.as_json:
        echo_json(facts)
    else:
        click.echo(format_table([_printed(frame) for frame in facts["frames"]]))
        response = result.measured.origin or result.response.name
        if all(frame.image.encoding == "linear" for frame in result.bracket.frames):
            response = "none, the files hold light"
        if result.mosaic:
            response = "linear, merged before demosaicing by mle"
        click.echo(f"exposures from {facts['exposures_from']}; response: {response}")
        click.echo(f"{request.output}: {facts['width']}x{facts['height']}, {_range(facts['stops'])}")
        sidecar = sidecar_of(request.output) if request.sidecar else None
        echo_written((request.files.preview, request.mask, request.motion, request.save_response, sidecar))
    notes_of_frames(result.bracket.frames)
    of_reference = len(result.bracket.frames[result.bracket.reference].image.notes)
    echo_notes(request.output.name, result.image.notes[of_reference:])
    echo_notes_of_files(written)
    for sentence in warnings_of(result):
        echo_notes("", (sentence,))


def _refuse_early(request: Request) -> None:
    """What can be refused before the work: nothing may be left behind that is half of what was asked."""
    from openhdr.pipeline.scale import check_anchor

    display = _for_display(request.options.method or DEFAULT_MERGER)
    if display:
        _refuse_for_display(request)
    # the options of a file that is given may be of another kind of output
    request.files.refuse(request.output, display=display, unused=not request.like)
    for path in (request.mask, request.motion):
        writable(path)
    writable(request.save_response, ".json")
    if request.sidecar and request.save_response == sidecar_of(request.output):
        raise RequestError(
            f"--save-response {request.save_response}: is the name of the sidecar; choose another"
        )
    apart(request.images, (request.output, request.files.preview, request.mask, request.motion))
    check_anchor(request.anchor)


def _refuse_for_display(request: Request) -> None:
    """A picture to look at has no scale to choose, and tones already."""
    anchor = request.anchor if request.anchor != "reference" else None
    for name, given in (("--anchor", anchor), ("--operator", request.files.operator)):
        if given:
            raise RequestError(
                f"{name} {given}: the method '{request.options.method}' makes a picture for a screen, not light; "
                "leave it out"
            )


def _for_display(method: str) -> bool:
    """Whether a method makes a picture to look at, which any format holds."""
    return method in MERGERS and MERGERS[method].output == "display"


def _write(request: Request, result: MergeResult) -> list[tuple[Path, tuple[str, ...]]]:
    """Write all that is asked for; each image with its notes."""
    from openhdr import io
    from openhdr.merging.masks import ghost_sheet, motion_sheet
    from openhdr.pipeline.delivery import storage, write_preview, write_result
    from openhdr.pipeline.scale import anchored

    image, files = anchored(result.image, request.anchor), request.files
    stored = storage(files.delivery, image)

    def write_output() -> tuple[str, ...]:
        # sensor values know the reference's scale only
        if result.mosaic and request.output.suffix.lower() == ".dng" and request.anchor == "reference":
            io.write_mosaic(request.output, result.mosaic, stored)
            return ()
        return write_result(request.output, image, stored, files.operator)

    def write_picture() -> tuple[str, ...]:
        return write_preview(files.preview, result.image, files.operator) if files.preview else ()

    # each leaves a core idle for half of its time
    notes = in_threads(lambda job: job(), (write_output, write_picture))
    written = [
        (path, said) for path, said in zip((request.output, files.preview), notes, strict=True) if path
    ]
    if request.mask:
        used = [result.share_used(index) for index in range(len(result.consistency))]
        sheet = ghost_sheet(result.bracket, result.consistency, used)
        written.append((request.mask, io.write(request.mask, sheet)))
    if request.motion:
        sheet = motion_sheet(result.registrations, image.pixels.shape[:2])
        written.append((request.motion, io.write(request.motion, sheet)))
    if request.save_response:
        result.response.save(request.save_response)
    return written


def facts_of(result: MergeResult, request: Request) -> dict[str, Any]:
    """What `--json` prints."""
    from openhdr.color.dynamic_range import stops

    image, source = result.image, result.exposures_from
    frames = []
    for index, frame in enumerate(result.bracket.frames):
        place, match = result.registrations[index], result.matches[index]
        frames.append(
            {
                "name": frame.name,
                "ev": float(result.bracket.ev[index]),
                "correction_ev": -match.mean,
                "time_s": frame.image.exposure.time_s if frame.image.exposure else None,
                "reference": index == result.bracket.reference,
                "status": place.status,
                "shift_px": place.shift_px,
                "used": result.share_used(index),
            }
        )
    return {
        "output": str(request.output),
        "width": image.width,
        "height": image.height,
        "method": request.options.method or DEFAULT_MERGER,
        "exposures_from": f"--{source}" if source in ("ev", "times") else source,
        "response": result.response.name,
        "response_error": result.response.error / 255 if result.measured.response else None,
        "anchor": request.anchor if image.encoding == "linear" else None,
        "before_demosaicing": result.mosaic is not None,
        "stops": stops(image.pixels) if image.encoding == "linear" else None,
        "frames": frames,
    }


def _range(stops: float | None) -> str:
    return "a picture for a screen" if stops is None else f"{stops:.1f} stops"


def _printed(frame: dict[str, Any]) -> dict[str, str]:
    correction = frame["correction_ev"]
    return {
        "frame": frame["name"],
        "EV": f"{frame['ev']:+.2f}",
        "matched": f"{correction:+.2f}" if correction else "",
        "status": frame["status"],
        "shift px": f"{frame['shift_px']:.1f}",
        "used": f"{100 * frame['used']:.0f} %",
    }
