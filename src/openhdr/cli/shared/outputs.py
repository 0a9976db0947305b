"""Names of output files: what they are for several inputs, and what is refused before the work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from openhdr.core.errors import FileError, RequestError
from openhdr.core.files import make_folder, writable_file


def outputs(inputs: tuple[Path, ...], output: Path, suffix: str) -> list[Path]:
    """One output per input: `output` itself for one input, else files in that folder with another suffix.

    A trailing slash or an existing folder makes `output` a folder, which is made if need be. Raises RequestError
    when several inputs meet a file name, or two inputs would get one output.
    """
    if len(inputs) == 1 and not output.is_dir() and output.suffix:
        return [output]
    if output.suffix and not output.is_dir():
        raise RequestError(f"-o {output}: {len(inputs)} inputs need a folder, not a file")
    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    paths = [output / (path.stem + suffix) for path in inputs]
    if len(set(paths)) < len(paths):
        raise RequestError(f"-o {output}: two inputs have the same name; convert them into different folders")
    from openhdr.io import check_output

    check_output(paths[0])
    make_folder(output)
    return paths


def writable(path: Path | None, extension: str = "") -> None:
    """Refuse an output before the work: a folder that does not exist, an extension that cannot be written.

    extension: the one that the file must have; "" = that of any image format.
    """
    if path is None:
        return
    nearest = next(one for one in (path.parent, *path.parents) if os.path.exists(one))
    if not os.path.isdir(nearest):
        raise FileError(path, f"{nearest} is a file, not a folder", "choose another folder")
    if not os.path.isdir(path.parent):
        raise FileError(
            path, "its folder does not exist", f"make it first: mkdir -p {quote(str(path.parent))}"
        )
    writable_file(path)
    if extension:
        if path.suffix != extension:
            raise FileError(path, f"has extension '{path.suffix}'", f"end the name in {extension}")
        return
    from openhdr.io import check_output

    check_output(path)


def apart(inputs: Iterable[Path], outputs: Iterable[Path | None]) -> None:
    """Refuse an output, None = not asked for, that would replace an input or another output.

    Raises RequestError with the first such name.
    """
    taken = {path.resolve(): f"{path} is one of the inputs" for path in inputs}
    for path in outputs:
        if path is None:
            continue
        if path.resolve() in taken:
            raise RequestError(f"{taken[path.resolve()]}; give the result another name")
        taken[path.resolve()] = f"{path} is named for two results"


def keeps_light(path: Path) -> None:
    """Refuse a file for HDR light that holds images for a screen only; which tones it should get is not known."""
    from openhdr.io import FORMATS, stores_light

    if stores_light(path):
        return
    known = ", ".join(row.extensions[0] for row in FORMATS.values() if row.light and row.writable)
    raise FileError(
        path,
        f"'{path.suffix}' holds an image for a screen, not HDR light ({known} do)",
        f"to get both: -o {quote(str(path.with_suffix('.exr')))} --preview {quote(str(path))}",
    )
