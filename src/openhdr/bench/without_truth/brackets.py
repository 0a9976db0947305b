"""Brackets of real photos without truth: FOLDER/SET/*.jpg, with exposures from their metadata or a file beside them.

info.json   a list of {"path": "1.jpg", "t": seconds}, or "ev" in place of "t"
ev.txt      one number of stops a photo, in the order of the names
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from openhdr import io
from openhdr.bench.methods.photos import Photos
from openhdr.bracketing.exposure_estimation import estimate_ev, likely_response
from openhdr.camera.exposure import ev_from_metadata
from openhdr.core.errors import ExposureError, FileError, RequestError
from openhdr.data.brackets import PHOTOS, listed_stops
from openhdr.data.dataset import subfolders
from openhdr.io import images_in

LAYOUT = (
    "a folder a bracket with two or more photos of one size; exposures in their EXIF, info.json or ev.txt"
)
REDUCED_ABOVE = 6e6  # pixels


@dataclass(frozen=True)
class Size:
    """What of a photo is used, so that whole benchmarks stay short: its middle, at most width x height pixels.

    Photos of more than 6 megapixels are averaged to half their size first: their finest pixels hold little detail.
    """

    width: int = 1600
    height: int = 1100

    @staticmethod
    def parse(text: str) -> Size | None:
        """`1600x1100`; `full` = None, photos as they are."""
        if text == "full":
            return None
        width, _, height = text.partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            raise RequestError(f"`size={text}`: expected WIDTHxHEIGHT, such as 1600x1100, or full")
        return Size(int(width), int(height))

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """(H, W, 3) -> (h, w, 3), of the same type."""
        height, width = pixels.shape[:2]
        if height * width > REDUCED_ABOVE:
            pixels = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
            height, width = pixels.shape[:2]
        h, w = min(height, self.height), min(width, self.width)
        top, left = (height - h) // 2, (width - w) // 2
        return np.ascontiguousarray(pixels[top : top + h, left : left + w])


@dataclass(frozen=True)
class Showing:
    """What of the photos is used and shown.

    size: None = photos as they are. pictured: brackets in the page, None = all. compressed: small images rather
    than exact ones. operator: of tone-mapped images, None = the default.
    """

    size: Size | None = None
    pictured: tuple[str, ...] | None = None
    compressed: bool = False
    operator: str | None = None


@dataclass(frozen=True)
class PhotoSet:
    """A bracket on disk. paths: its photos, in the order of their names."""

    name: str
    paths: tuple[Path, ...]

    @property
    def files(self) -> list[str]:
        """Its photos as a process in another folder finds them."""
        return [str(path.absolute()) for path in self.paths]

    def load(self, size: Size | None, estimate: bool = False) -> tuple[Photos, tuple[str, ...]]:
        """The photos, shortest first, and their file names. size: None = as they are.

        estimate: whether exposures that nothing declares are measured in the pixels. Raises FileError or ExposureError
        when a photo cannot be used or its exposure is not known.
        """
        images = [io.read(path) for path in self.paths]
        names = [path.name for path in self.paths]
        for path, image in zip(self.paths, images, strict=True):
            if image.encoding == "linear":
                raise FileError(path, "is no photo with codes", f"expected {LAYOUT}")
            if (image.pixels.shape, image.pixels.dtype) != (images[0].pixels.shape, images[0].pixels.dtype):
                raise FileError(path, f"is not of the size and depth of {names[0]}", f"expected {LAYOUT}")
        ev = listed_stops(self.paths)
        if ev is None:
            places = [str(path) for path in self.paths]
            try:
                ev = ev_from_metadata([image.exposure for image in images], places)
            except ExposureError:
                if not estimate:
                    raise
                ev = estimate_ev(images, likely_response(images), places)
        if size:
            images = [image.with_pixels(size.of(image.pixels)) for image in images]
        order = np.argsort(ev, kind="stable")
        photos = Photos(tuple(images[k] for k in order), tuple(float(ev[k]) for k in order))
        return photos, tuple(names[k] for k in order)


def photo_sets(folder: Path) -> list[PhotoSet]:
    """The brackets in a folder, or the folder itself as one. Raises FileError where there are none."""
    found = [(one, images_in(one, PHOTOS)) for one in subfolders(folder) or [folder]]
    sets = [PhotoSet(one.name, tuple(paths)) for one, paths in found if len(paths) > 1]
    if not sets:
        raise FileError(folder, "holds no bracket", f"expected {LAYOUT}")
    return sets
