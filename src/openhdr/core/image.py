"""The containers that travel through openhdr: Image, Exposure, Frame, Bracket.

All are frozen and checked once, when they are made; code further in relies on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from openhdr.core.errors import RequestError

Encoding = Literal["linear", "srgb"]
"""How pixel values stand for light.

`linear`: proportional to scene radiance (HDR files, RAW).
`srgb`: the code values of a photo, read with the sRGB curve unless a camera response says otherwise.
"""

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""CIE xy of red, green, blue and white."""

REC709: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, 0.3127, 0.3290)  # BT.709-6, item 1.3

_FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}


@dataclass(frozen=True)
class Exposure:
    """What the camera recorded about one shot; None where it recorded nothing."""

    time_s: float | None = None  # shutter time in seconds, > 0
    iso: float | None = None  # sensitivity, > 0
    f_number: float | None = None  # aperture, > 0
    bias_ev: float | None = None  # exposure compensation in EV; informative only

    def __post_init__(self) -> None:
        for name in ("time_s", "iso", "f_number"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise RequestError(f"exposure {name} is {value}; expected a finite number above 0 or None")


@dataclass(frozen=True)
class Image:
    """Pixels with what they mean.

    pixels: (H, W, 3) RGB. uint8 or uint16 code values, or float32
        (`linear`: relative radiance, >= 0, finite; `srgb`: 0..1).
    encoding: how values stand for light, see `Encoding`.
    exposure: what the camera recorded, or None.
    metadata: facts carried along from file to file (`make`, `model`, `date`, `white_luminance` in cd/m2 of
        the value 1.0, ...).
    notes: what reading or processing changed that a user should know, one sentence each.
    primaries: of the pixels; Rec.709 unless the file was read `as stored` (see `io.read`).

    >>> import numpy as np, openhdr
    >>> openhdr.Image(np.zeros((4, 6, 3), np.uint8), "srgb").width
    6
    """

    pixels: np.ndarray
    encoding: Encoding = "linear"
    exposure: Exposure | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    primaries: Chromaticities = REC709

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise RequestError(f"image pixels have shape {pixels.shape}; expected (height, width, 3)")
        if pixels.dtype not in _FULL_SCALE:
            raise RequestError(f"image pixels are {pixels.dtype}; expected uint8, uint16 or float32")
        if self.encoding not in ("linear", "srgb"):
            raise RequestError(f"image encoding is '{self.encoding}'; expected 'linear' or 'srgb'")
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @cached_property
    def overviews(self) -> dict[tuple[int, int], np.ndarray]:
        """Smaller copies of the pixels that were asked for, by (width, height); see `geometry.overview`."""
        return {}

    @property
    def full_scale(self) -> float:
        """The code value that means 1.0: 255, 65535 or 1."""
        return _FULL_SCALE[self.pixels.dtype]

    def with_pixels(self, pixels: np.ndarray, encoding: Encoding | None = None) -> Image:
        """The same image with other pixel values, facts and notes kept."""
        return replace(self, pixels=pixels, encoding=encoding or self.encoding)

    def with_notes(self, *notes: str) -> Image:
        """The same image with more notes."""
        return replace(self, notes=self.notes + notes)


ImageOrPath = Image | str | Path
"""An image, or the file that it is read from."""


@dataclass(frozen=True)
class Frame:
    """One photo of a bracket with its exposure in stops (only differences within a bracket matter)."""

    image: Image
    ev: float
    name: str = ""

    def __post_init__(self) -> None:
        if not np.isfinite(self.ev):
            raise RequestError(
                f"frame {self.name or '?'}: EV is {self.ev}; expected a finite number of stops"
            )


@dataclass(frozen=True)
class Bracket:
    """Two or more frames of one scene, equal in size, in the order given.

    reference: index of the frame whose geometry and scale the result keeps.
    """

    frames: tuple[Frame, ...]
    reference: int

    def __post_init__(self) -> None:
        if len(self.frames) < 2:
            raise RequestError(f"a bracket needs at least two frames; got {len(self.frames)}")
        if not 0 <= self.reference < len(self.frames):
            raise RequestError(f"reference {self.reference + 1} is not one of the {len(self.frames)} frames")
        first = self.frames[0]
        for frame in self.frames[1:]:
            if frame.image.pixels.shape != first.image.pixels.shape:
                raise RequestError(
                    f"{frame.name or 'a frame'} is {frame.image.width}x{frame.image.height}, but "
                    f"{first.name or 'the first'} is {first.image.width}x{first.image.height}; "
                    "frames of a bracket must have one size (openhdr batch sorts a folder of several brackets)"
                )
            if frame.image.primaries != first.image.primaries:
                raise RequestError(
                    f"{frame.name or 'a frame'} has other primaries than {first.name or 'the first'}; frames of a "
                    "bracket must have one colour space: convert them first"
                )
            if _kind(frame.image) != _kind(first.image):
                raise RequestError(
                    f"{frame.name or 'a frame'} holds {_kind(frame.image)} values, but {first.name or 'the first'} "
                    f"{_kind(first.image)}; frames of a bracket must be of one kind: convert them first"
                )

    @property
    def ev(self) -> np.ndarray:
        """(N,) float64: stops relative to the reference frame."""
        stops = np.array([frame.ev for frame in self.frames])
        return stops - stops[self.reference]


def _kind(image: Image) -> str:
    """What the pixel values are, in words."""
    return f"{image.pixels.dtype.itemsize * 8}-bit {'linear' if image.encoding == 'linear' else 'photo'}"


def middle_exposure(ev: np.ndarray) -> int:
    """Index of the middle exposure; of two middles the shorter one."""
    return int(np.argsort(ev, kind="stable")[(len(ev) - 1) // 2])
