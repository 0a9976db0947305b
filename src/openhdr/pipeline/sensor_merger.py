"""Brackets of camera RAW, merged before demosaicing: the steps of `bracket_to_hdr` on proxies, then the sensor values.

Reading gives mosaics, and their proxies are the frames that are exposed, registered and compared like photos. The
merge itself works on the mosaics (`merging.mosaics`); then highlights are recovered and the merged light is developed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from openhdr import io
from openhdr.camera.demosaic import develop
from openhdr.camera.mosaic import Mosaic, proxy
from openhdr.core import progress
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import Image, ImageOrPath
from openhdr.io import isolated
from openhdr.io.pixels import orient
from openhdr.merging import DEFAULT
from openhdr.merging.merger import Merger
from openhdr.merging.mosaics import merge_mosaics, recover_highlights
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.strips import Merged
from openhdr.pipeline.options import MergeOptions

DOMAINS = ("auto", "on", "off")
METHODS = ("mle", "trustnet", "trustnet-tiny")
"""Methods that weigh by the sensor's noise: they merge sensor values by `mle`.

TrustNet's networks have seen photos in white balance only: on sensor values the classical comparison is better.
"""


@dataclass
class SensorMerger(Merger):
    """Maximum likelihood on sensor values. mosaics: one a frame. merged: the last result, before it is developed."""

    mosaics: list[Mosaic]
    merged: Mosaic | None = field(default=None)

    def merge(self, registered: RegisteredBracket) -> Merged:
        self.merged = recover_highlights(merge_mosaics(self.mosaics, registered))
        return Merged(develop(self.merged))


def sensor_values(frames: Sequence[ImageOrPath], options: MergeOptions) -> list[Mosaic] | None:
    """The mosaics of a bracket of camera RAW; None where it is merged as photos. Raises RequestError and FileError."""
    if options.raw_domain not in DOMAINS:
        raise unknown_name("raw domain", options.raw_domain, DOMAINS)
    method = options.method or DEFAULT
    paths = [Path(frame) for frame in frames if not isinstance(frame, Image)]
    if options.raw_domain == "off":
        return None
    found: list[Mosaic] | str
    if method not in METHODS:
        found = f"the method '{method}' merges photos; use one of {', '.join(METHODS)}"
    elif len(paths) < len(frames):
        found = "frames are given as images; give the files"
    elif isolated.wanted():
        found = f"{isolated.VARIABLE} is set, and files are read as photos then; unset it"
    else:
        found = read_mosaics(paths)
    if isinstance(found, str):
        if options.raw_domain == "on":
            raise RequestError(f"`raw_domain=on`: {found}, or leave it out")
        return None
    return found


def read_mosaics(paths: list[Path]) -> list[Mosaic] | str:
    """The sensor values of all files, upright and of one size, or why there are none."""
    found = []
    with progress.task("reading sensor values", len(paths)) as advance:
        for path in paths:
            mosaic = io.read_mosaic(path)
            if mosaic is None:
                return f"{path.name} holds no sensor values"
            found.append(upright(mosaic))
            advance()
    first = found[0]
    for path, mosaic in zip(paths, found, strict=True):
        if mosaic.shape != first.shape or not np.array_equal(mosaic.pattern, first.pattern):
            return f"{path.name} and {paths[0].name} are of different sensors or sizes"
    return found


def proxies(mosaics: list[Mosaic]) -> list[Image]:
    """Pictures without a filter array, in camera colours: 1.0 = a site clips."""
    return [
        Image(proxy(mosaic), "linear", mosaic.exposure, mosaic.metadata, mosaic.notes) for mosaic in mosaics
    ]


def upright(mosaic: Mosaic) -> Mosaic:
    """The mosaic turned upright and cut to whole cells; its array begins with another colour then."""
    rows = slice(0, mosaic.shape[0])
    period = len(mosaic.pattern)
    pattern, black, white = (
        orient(mosaic.tiled(tile, rows)[..., None], mosaic.orientation)[:period, :period, 0]
        for tile in (mosaic.pattern, mosaic.black, mosaic.white)
    )
    values = orient(mosaic.values[..., None], mosaic.orientation)[..., 0]
    height, width = (side // mosaic.cell * mosaic.cell for side in values.shape)
    values = np.ascontiguousarray(values[:height, :width])
    return replace(mosaic, values=values, pattern=pattern, black=black, white=white, orientation=1)
