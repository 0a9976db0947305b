"""A program outside of openhdr as a method: it is given photos as files and writes what it made of them.

    enfuse --output {output:.tif} {inputs}
    python their/merge.py --images {inputs:.tif} --ev {ev} --out {output}

{inputs}   the photos, shortest first, one argument each (PNG; `{inputs:.tif}` = TIFF, `{inputs:.jpg}` = JPEG)
{ev}       their exposures in stops relative to the reference, with commas between: -3,0,3
{times}    the same as ratios of exposure times: 0.125,1,8
{light}    of a program for tone mapping, in place of photos: light as a file (OpenEXR; `{light:.hdr}`)
{output}   the file that it has to write (OpenEXR; `{output:.tif}`, `{output:.hdr}`, `{output:.png}`, ...)
"""

from __future__ import annotations

import shlex
import string
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.bench.methods.network import shown_frame
from openhdr.bench.methods.photos import Photos, on_scale
from openhdr.core.errors import RequestError
from openhdr.core.image import Exposure, Image

FIELDS = ("inputs", "ev", "times", "light", "output")
_DEFAULT_TYPES = {"inputs": ".png", "light": ".exr", "output": ".exr"}


@dataclass(frozen=True)
class ProgramOptions:
    """command: what is run, see above; without a shell (`sh -c '...'` gives it one). photo: of a program for one photo,
    which it is given, see `NetworkOptions`; empty = all of them.
    """

    command: str = ""
    photo: str = ""


def check_command(command: str) -> dict[str, str]:
    """{field: file type} of a command. Raises RequestError for an unknown field, or without inputs or output."""
    wanted = "expected a command with {inputs} or {light} and {output}, optionally {ev} and {times}"
    try:
        found = {
            name: kind or "" for _, name, kind, _ in string.Formatter().parse(command) if name is not None
        }
        shlex.split(command)
    except ValueError as error:
        raise RequestError(f"`programs={command}`: {error}; {wanted}") from error
    if "output" not in found or not {"inputs", "light"} & set(found) or not set(found) <= set(FIELDS):
        raise RequestError(f"`programs={command}`: {wanted}")
    return {name: kind or _DEFAULT_TYPES.get(name, "") for name, kind in found.items()}


def run_program(photos: Photos, options: ProgramOptions, light: Image | None = None) -> Image:
    """What the program makes of the photos: light with 1.0 = the reference clips, or an image for display.

    Programs scale light as they like; here the reference's well exposed pixels set the scale. Raises RequestError
    when the program is not there, fails, or writes nothing of the photos' size.
    """
    types = check_command(options.command)
    if "light" in types and light is None:
        raise RequestError(f"'{options.command}' takes light, which only the case tonemapping gives")
    if options.photo:
        chosen = shown_frame(photos, options.photo)
        alone = Photos((photos.frames[chosen],), (0.0,), 0, photos.response)
        made = run_program(alone, replace(options, photo=""))
        stops = photos.ev[chosen] - photos.ev[photos.anchor]
        return made.with_pixels(made.pixels / np.float32(2.0**stops)) if made.encoding == "linear" else made
    with tempfile.TemporaryDirectory(prefix="openhdr-program-") as folder:
        output = Path(folder) / f"output{types['output']}"
        inputs = _written(photos, Path(folder), types["inputs"]) if "inputs" in types else []
        if "light" in types and light is not None:
            io.write(Path(folder) / f"light{types['light']}", light)
        ev = np.asarray(photos.ev) - photos.ev[photos.anchor]
        texts = {
            "inputs": shlex.join(inputs),
            "ev": ",".join(f"{value:.6g}" for value in ev),
            "times": ",".join(f"{value:.6g}" for value in 2.0**ev),
            "light": str(Path(folder) / f"light{types.get('light')}"),
            "output": str(output),
        }
        _call(_arguments(options.command, inputs, texts))
        if not output.is_file():
            raise RequestError(f"'{options.command}' ended well but wrote no {{output}}")
        made = io.read(output)
    first = photos.frames[0]
    if (made.width, made.height) != (first.width, first.height):
        raise RequestError(
            f"'{options.command}' wrote {made.width}x{made.height} pixels; expected {first.width}x{first.height}, "
            "the size of the photos: leave out what crops"
        )
    return made if made.encoding == "srgb" else made.with_pixels(on_scale(made.pixels, photos))


def _written(photos: Photos, folder: Path, kind: str) -> list[str]:
    """The photos as files that carry their exposures."""
    paths = []
    for number, (frame, ev) in enumerate(zip(photos.frames, photos.ev, strict=True), start=1):
        path = folder / f"{number}{kind}"
        io.write(path, frame if frame.exposure else replace(frame, exposure=Exposure(time_s=2.0**ev)))
        paths.append(str(path))
    return paths


def _arguments(command: str, inputs: Sequence[str], texts: dict[str, str]) -> list[str]:
    """The command's words; one that is {inputs} alone becomes one word a photo."""
    words: list[str] = []
    for word in shlex.split(command):
        parts = list(string.Formatter().parse(word))
        if len(parts) == 1 and parts[0][:2] == ("", "inputs"):
            words += inputs
        else:
            words.append("".join(text + (texts[name] if name else "") for text, name, _, _ in parts))
    return words


def _call(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise RequestError(
            f"'{words[0]}' cannot be run ({error.strerror}); install it or give its path"
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise RequestError(f"'{words[0]}' failed with exit code {done.returncode}: {said}")
