"""Results as the NTIRE 2021 and 2022 HDR challenges exchange them.

    0001.png              16 bits, code = round(ratio * light ^ (1 / 2.24)); the truth is called 0001_gt.png
    0001_alignratio.npy   ratio = 65535 / the image's largest value: a float64 of shape ()

Light is 1.0 where the medium frame clips. The server took a zip of such files without folders.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import FileError
from openhdr.core.files import whole_file
from openhdr.core.image import Image
from openhdr.data.files import array_bytes, read_array, read_codes

TOP = 65535
RATIO, TRUTH = "_alignratio.npy", "_gt"
_MEMBER = re.compile(r"[\w-]+(\.png|_alignratio\.npy)")


def ratio_of(picture: Path) -> Path:
    """Where the ratio of a picture lies, whether or not it is there."""
    return picture.with_name(picture.stem.removesuffix(TRUTH) + RATIO)


def write_result(folder: Path, name: str, light: np.ndarray) -> None:
    """Write NAME.png and NAME_alignratio.npy. light: (H, W, 3) linear, 1.0 = the medium frame clips."""
    coded = np.maximum(light, 0).astype(np.float64) ** (1 / NETWORK_GAMMA)
    ratio = TOP / (float(coded.max()) or 1.0)
    picture = folder / f"{name}.png"
    io.write(picture, Image(np.rint(coded * ratio).astype(np.uint16), "srgb"))
    with whole_file(ratio_of(picture)) as temporary:
        temporary.write_bytes(array_bytes(np.array(ratio)))


def read_result(picture: Path, ratio: Path) -> np.ndarray:
    """(H, W, 3) float32 linear light of a 16-bit picture and its ratio. Raises FileError for anything else."""
    scale = np.float32(read_array(ratio, 1)[0])
    if not scale > 0:
        raise FileError(ratio, f"holds {scale:g}", "expected a ratio above 0")
    codes = read_codes(picture)
    if codes.dtype != np.uint16:
        raise FileError(picture, f"is {codes.dtype}", "expected a 16-bit PNG")
    return (codes.astype(np.float32) / scale) ** np.float32(NETWORK_GAMMA)


def pack_results(folder: Path, archive: Path) -> None:
    """All results in a folder as the zip that the server took, whole or not at all."""
    members = sorted(path for path in folder.iterdir() if _MEMBER.fullmatch(path.name))
    with whole_file(archive) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as packed:
        for path in members:
            packed.write(path, path.name)


@contextmanager
def results_in(path: Path) -> Iterator[Path]:
    """The folder that holds results: `path` itself, or what a zip of them unpacks to while it is needed.

    Only results are unpacked, whatever folder they say. Raises FileError for a file that is no zip, or holds none.
    """
    if path.suffix != ".zip":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="openhdr-results-") as folder:
        try:
            with zipfile.ZipFile(path) as packed:
                for member in packed.infolist():
                    name = Path(member.filename).name
                    if _MEMBER.fullmatch(name):
                        (Path(folder) / name).write_bytes(packed.read(member))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise FileError(
                path, f"is no zip of results ({error})", "expected 0001.png, 0001_alignratio.npy ..."
            ) from error
        if not any(Path(folder).iterdir()):
            raise FileError(path, "holds no results", "expected 0001.png, 0001_alignratio.npy ...")
        yield Path(folder)
