"""Reading the small files that datasets carry, with errors that name them."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from openhdr import io
from openhdr.core.errors import FileError
from openhdr.core.files import parsed


def read_codes(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 or uint16 code values of a photo."""
    image = io.read(path)
    if image.pixels.dtype == np.float32:
        raise FileError(path, "holds floating-point values", "expected an 8- or 16-bit image")
    return image.pixels


def read_linear(path: Path) -> np.ndarray:
    """(H, W, 3) float32 linear values of an HDR file."""
    image = io.read(path)
    if image.encoding != "linear" or image.pixels.dtype != np.float32:
        raise FileError(
            path, f"is {image.encoding} {image.pixels.dtype}", "expected an HDR image (.hdr, .exr)"
        )
    return image.pixels


def read_array(path: Path, count: int) -> np.ndarray:
    """`count` finite numbers of a .npy file as (count,) float64. Never unpickles."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FileError(path, f"is not a NumPy array ({error})", f"expected {count} numbers") from error
    return _checked(path, found, count)


def array_bytes(array: np.ndarray) -> bytes:
    """An array as the bytes of a .npy file."""
    stream = BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def read_numbers(path: Path, count: int) -> np.ndarray:
    """`count` finite numbers of a text file, one a line or separated by blanks, as (count,) float64."""
    try:
        found = np.array([float(word) for word in path.read_text().replace(",", " ").split()])
    except (OSError, ValueError) as error:
        raise FileError(
            path, f"does not hold numbers ({error})", f"expected {count} exposures in stops"
        ) from error
    return _checked(path, found, count)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object."""
    found = parsed(path, json.loads, "JSON")
    if not isinstance(found, dict):
        raise FileError(path, "holds no JSON object")
    return found


def _checked(path: Path, found: np.ndarray, count: int) -> np.ndarray:
    if found.dtype.kind not in "fiu" or found.size != count or not np.isfinite(found).all():
        raise FileError(
            path, f"holds {found.size} values of type {found.dtype}", f"expected {count} finite numbers"
        )
    return found.reshape(count).astype(np.float64)
