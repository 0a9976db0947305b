"""Brackets of camera RAW, merged before demosaicing: the steps of `bracket_to_hdr` on proxies, then the sensor values.

Reading gives mosaics, and their proxies are the frames that are exposed, registered and compared like photos. The
merge itself works on the mosaics (`merging.mosaics`); then highlights are recovered and the merged light is developed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from openhdr import io
from openhdr.alignment import flow, homography
from openhdr.camera.defects import without_defects
from openhdr.camera.demosaic import develop
from openhdr.camera.lateral_ca import corrected_mosaics
from openhdr.camera.mosaic import Mosaic, proxy
from openhdr.camera.response import Response
from openhdr.color.primaries import REC2020
from openhdr.core import progress
from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.image import Bracket, Image, ImageOrPath
from openhdr.core.threads import in_threads
from openhdr.geometry import Registration
from openhdr.io import isolated
from openhdr.io.pixels import orient
from openhdr.merging import DEFAULT
from openhdr.merging.merger import Merger
from openhdr.merging.mosaics import merge_mosaics, noise_of, one_shot, recover_highlights
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.strips import Merged
from openhdr.pipeline.pipeline_options import MergeOptions

Align = Callable[[Bracket, Response], list[Registration]]

DOMAINS = ("auto", "on", "off")
METHODS = ("mle", "trustnet", "trustnet-tiny")
"""Methods that weigh by the sensor's noise: they merge sensor values by `mle`.

TrustNet's networks have seen photos in white balance only: on sensor values the classical comparison is better.
"""


@dataclass(frozen=True)
class SensorMerger(Merger):
    """Maximum likelihood on sensor values. mosaics: one a frame; what is registered are their proxies."""

    mosaics: Sequence[Mosaic]

    def merge(self, registered: RegisteredBracket) -> Merged:
        mosaic = recover_highlights(merge_mosaics(self.mosaics, registered))
        return Merged(develop(mosaic, primaries=REC2020), mosaic=mosaic)


def sensor_values(frames: Sequence[ImageOrPath], options: MergeOptions) -> list[Mosaic] | None:
    """The mosaics of a bracket of camera RAW; None where it is merged as photos. Raises RequestError and FileError."""
    if options.raw_domain not in DOMAINS:
        raise unknown_name("raw domain", options.raw_domain, DOMAINS)
    method = options.method or DEFAULT
    paths = [Path(frame) for frame in frames if not isinstance(frame, Image)]
    asked = [f"`{name}`" for name in ("neutral", "dark", "flat") if getattr(options, name) is not None]
    if options.raw_domain == "off" and not asked:
        return None
    found: list[Mosaic] | str
    if options.raw_domain == "off":
        found = "`raw_domain=off` develops every photo by itself; choose another"
    elif method not in METHODS:
        found = f"the method '{method}' merges photos; use one of {', '.join(METHODS)}"
    elif len(paths) < len(frames):
        found = "frames are given as images; give the files"
    elif isolated.wanted():
        found = f"{isolated.VARIABLE} is set, and files are read as photos then; unset it"
    else:
        read = read_mosaics(paths)
        found = f"{read}; give others" if isinstance(read, str) else read
    if not isinstance(found, str):
        mosaics = [corrected(mosaic, options) for mosaic in with_seen_white(found)]
        mosaics = in_threads(lambda mosaic: replace(mosaic, noise=noise_of(mosaic)), mosaics)
        mosaics = without_defects(mosaics)
        return corrected_mosaics(mosaics) if options.correct_ca else mosaics
    if options.raw_domain == "on" or asked:
        raise RequestError(f"{' and '.join(asked) or '`raw_domain=on`'}: {found}, or leave it out")
    return None


def recovered_photo(photo: ImageOrPath) -> tuple[Image, np.ndarray] | None:
    """One camera RAW file as light, 1.0 = white clips; None where it holds no sensor values.

    Clipped sites are raised by what the other colours beside them measured. Second: (H, W) bool, where one of them did.
    """
    mosaic = None if isinstance(photo, Image) or isolated.wanted() else io.read_mosaic(photo)
    if mosaic is None or mosaic.values.dtype != np.uint16:  # floats are merged already
        return None
    (mosaic,) = with_seen_white([upright(mosaic)])
    taken = one_shot(mosaic)
    blind = cv2.erode(taken.bound.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    pixels = develop(recover_highlights(taken))
    return Image(pixels, "linear", mosaic.exposure, mosaic.metadata, mosaic.notes), ~blind


PILE_SHARE, PILE_WIDTH, PILE_PEAK = 0.002, 0.002, 4.0  # of sites; of their level; over as wide a band below
FLAT_SIGMA, LEAST_FLAT = (
    8.0,
    0.05,
)  # sites over which a flat field is smoothed; share of light that is believed


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


def with_seen_white(mosaics: list[Mosaic]) -> list[Mosaic]:
    """The mosaics with the level at which they clip, where sites pile up below the one that the files state."""
    brightest = max(mosaics, key=lambda mosaic: float(mosaic.values[::7, ::5].mean()))
    if brightest.values.dtype != np.uint16:
        return mosaics
    count = np.bincount(brightest.values[::3].ravel(), minlength=1 << 16)
    top = int(np.flatnonzero(count)[-1])
    near = slice(top - max(round(PILE_WIDTH * top), 1), top + 1)
    below = count[2 * near.start - near.stop : near.start].sum()
    piled = count[near].sum() > max(PILE_SHARE * count.sum(), PILE_PEAK * below)
    if not piled or top >= brightest.white.min():
        return mosaics
    return [replace(one, white=np.minimum(one.white, np.float32(near.start))) for one in mosaics]


def corrected(mosaic: Mosaic, options: MergeOptions) -> Mosaic:
    """The mosaic with the asked white balance, less the dark frame, divided by the flat field."""
    if options.neutral is not None:
        neutral = np.array(options.neutral, np.float64)
        if neutral.shape != (3,) or not (np.isfinite(neutral) & (neutral > 0)).all():
            raise RequestError(
                f"`neutral={options.neutral}`: expected three numbers above 0, such as 0.5,1,0.6"
            )
        mosaic = replace(mosaic, neutral=neutral / neutral.max())
    for name, path in (("dark", options.dark), ("flat", options.flat)):
        if path is None:
            continue
        other = read_mosaics([path])
        if isinstance(other, str):
            raise RequestError(f"`{name}={path.name}`: {other}; name a camera RAW file")
        if other[0].shape != mosaic.shape or not np.array_equal(other[0].pattern, mosaic.pattern):
            raise RequestError(f"`{name}={path.name}` is of another sensor or size than the photos")
        rows = slice(0, mosaic.shape[0])
        light, measured = mosaic.light(rows), other[0].light(rows)
        clipped = light >= 1  # what the correction would take away from clipped sites they do not show
        if name == "dark":
            light -= measured
        else:
            light /= evened(measured, mosaic)
        light[clipped] = np.maximum(light[clipped], 1)
        ones = np.ones_like(mosaic.white)
        mosaic = replace(mosaic, values=light, black=0 * ones, white=ones)
    return mosaic


def evened(flat: np.ndarray, mosaic: Mosaic) -> np.ndarray:
    """(H, W) share of light that reaches each site of a flat field: smoothed, 1 at each colour's brightest place."""
    colours = mosaic.tiled(mosaic.pattern, slice(0, mosaic.shape[0]))
    out = np.ones_like(flat)
    for colour in np.unique(mosaic.pattern):
        sites = (colours == colour).astype(np.float32)
        total, weight = (cv2.GaussianBlur(one, (0, 0), FLAT_SIGMA) for one in (flat * sites, sites))
        smooth = total / weight
        np.copyto(out, smooth / smooth.max(), where=sites > 0)
    return np.maximum(out, LEAST_FLAT)


def of_proxies(align: Align, cell: int) -> Align:
    """The aligner for pictures of one pixel a cell: a tripod gives way by as much on the sensor as with photos."""
    options = homography.AlignOptions()
    options = replace(options, rest_px=options.rest_px / cell)
    if align is homography.align:
        return partial(homography.align, options=options)
    if align is flow.align:
        return partial(flow.align, options=flow.FlowOptions(homography=options))
    return align


def proxies(mosaics: list[Mosaic]) -> list[Image]:
    """Pictures without a filter array, in camera colours: 1.0 = a site clips. What is merged of them is Rec.2020."""
    return [
        Image(proxy(mosaic), "linear", mosaic.exposure, mosaic.metadata, mosaic.notes, REC2020)
        for mosaic in mosaics
    ]


def upright(mosaic: Mosaic) -> Mosaic:
    """The mosaic turned upright and cut to whole cells; its array begins with another colour then."""
    period = len(mosaic.pattern)
    last = [period + side % period for side in mosaic.shape]  # sites up to there end like the whole
    pattern, black, white = (
        orient(np.tile(tile, (2, 2))[: last[0], : last[1], None], mosaic.orientation)[:period, :period, 0]
        for tile in (mosaic.pattern, mosaic.black, mosaic.white)
    )
    values = orient(mosaic.values[..., None], mosaic.orientation)[..., 0]
    height, width = (side // mosaic.cell * mosaic.cell for side in values.shape)
    values = np.ascontiguousarray(values[:height, :width])
    return replace(mosaic, values=values, pattern=pattern, black=black, white=white, orientation=1)
