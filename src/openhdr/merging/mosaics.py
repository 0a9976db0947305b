"""Merging sensor values before demosaicing: every site of the reference from light of its own colour in all frames.

A bracket is registered and compared on proxies (`camera.mosaic.proxy`), pictures without a filter array. What that
found is applied here to the sensor values themselves: frames at rest give their sites as they are, moved ones what
their sites of the same colour measured around the place where a site looks. Sites clip one by one, and weights are
inverse variances of the sensor's own noise, as in `mle`. The result is a mosaic on the reference's scale that has no
upper end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from openhdr.camera.demosaic import HALO, STRIP_SITES, demosaic
from openhdr.camera.mosaic import Mosaic
from openhdr.camera.noise import NoiseModel
from openhdr.camera.noise_estimation import estimate_noise
from openhdr.color.channels import brightest_channel, mean_channel
from openhdr.core import progress
from openhdr.core.threads import in_threads
from openhdr.geometry import Registration, resize_strip, sampling_positions, shrink, steepness
from openhdr.merging.hole_fill import pull_push
from openhdr.merging.registered import RegisteredBracket

CLIPPED, RAMP = (
    0.985,
    0.05,
)  # share of the white level from which a site is clipped, and where doubt begins below it
HARDLY_SEEN = 0.05  # consistency times saturation weight, summed over the frames
HUE = 0.3  # stops by which clipped colours may differ from white: farther, continued colours err more than white
HUE_PIXELS = 1_000_000  # at which the colours of highlights are continued
STRIP_CELLS = 32  # rows of them at a time
BRIGHT = 0.8  # share of the reference's clipping level from which the hole fill is shown
RESAMPLING_PX = np.float32(0.05)  # of its slope, by which resampled light is off
TINY = np.float32(1e-12)
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class MergedMosaic:
    """Merged sensor values.

    mosaic: float32 light, 1.0 = the reference clips. bound: (H, W) bool, sites whose light is at least that.
    """

    mosaic: Mosaic
    bound: np.ndarray


def noise_of(mosaic: Mosaic) -> NoiseModel:
    """What the file says of the sensor's noise, or the photon transfer line of the green sites of one phase."""
    if mosaic.noise is not None:
        return mosaic.noise
    row, column = np.argwhere(mosaic.pattern == 1)[0] % mosaic.cell
    sites = mosaic.light(slice(0, mosaic.shape[0]))[row :: mosaic.cell, column :: mosaic.cell]
    return estimate_noise(np.broadcast_to(sites[..., None], (*sites.shape, 3)), sites < CLIPPED - RAMP)


def merge_mosaics(mosaics: Sequence[Mosaic], registered: RegisteredBracket) -> MergedMosaic:
    """One mosaic of all. registered: their proxies, with exposures, places, consistency and hole fill."""
    ev, reference = registered.bracket.ev, mosaics[registered.bracket.reference]
    height, width = reference.shape
    cell = height // registered.shape[0]
    noise = [on_scale(noise_of(mosaic), -stops) for mosaic, stops in zip(mosaics, ev, strict=True)]
    places = on_sites(registered.registrations, cell)
    values, bound = np.empty((height, width), np.float32), np.empty((height, width), bool)
    shortest = int(np.argmin(ev))

    def work(rows: slice) -> None:
        light, usable, consistent = [], [], []
        for index, mosaic in enumerate(mosaics):
            seen, clear, inside = _seen(mosaic, places[index], rows)
            known = registered.consistency[index]
            if places[index].status == "rejected":
                inside[:] = 0
            elif known is not None:
                inside *= resize_strip(known, rows, (height, width))
            seen *= np.float32(2.0 ** -ev[index])
            clear *= inside
            light.append(seen)
            usable.append(clear)
            consistent.append(inside)
        gains = reference.tiled(reference.gains[reference.pattern], rows)
        guide = guide_of(light, usable, ev, gains)
        slope = np.square(RESAMPLING_PX * steepness(guide * gains) / gains)
        total, weights, coverage = np.zeros_like(guide), np.full_like(guide, TINY), np.zeros_like(guide)
        for index, model in enumerate(noise):
            variance = model.variance(guide)
            if places[index].moves:
                variance += slope
            weight = usable[index] / variance
            weights += weight
            weight *= light[index]
            total += weight
            coverage += usable[index]
        merged = np.divide(total, weights, out=total)
        # what clips everywhere is at least as bright as the shortest frame that shows the place
        blind = np.less(coverage, HARDLY_SEEN, out=bound[rows])
        if blind.any():
            least = light[registered.bracket.reference].copy()
            for index in np.argsort(-ev):
                np.copyto(least, light[index], where=consistent[index] > 0.5)
            np.copyto(merged, least, where=blind)
        coverage += consistent[shortest] - usable[shortest]  # it counts where it clips, too
        if registered.hole_fill is not None and coverage.min() < 1:
            # the reference where no consistent frame measured, its brightest sites raised to the fill
            seen = light[registered.bracket.reference]
            filled = _of_sites(resize_strip(registered.hole_fill, rows, (height, width)), reference, rows)
            shown = np.where(seen > BRIGHT, np.maximum(filled, seen), seen)
            merged = shown + np.minimum(coverage, 1) * (merged - shown)
        values[rows] = merged
        advance()

    strips = _strips(reference)
    with progress.task("merging sensor values", len(strips)) as advance:
        in_threads(work, strips)
    kept = np.array([one.status != "rejected" for one in places])
    left = noise[int(np.argmax(np.where(kept, ev, -np.inf)))]  # of the longest
    ones = np.ones(reference.pattern.shape, np.float32)
    return MergedMosaic(replace(reference, values=values, black=0 * ones, white=ones, noise=left), bound)


def one_shot(mosaic: Mosaic) -> MergedMosaic:
    """A single shot as if it were merged."""
    light, ones = mosaic.light(slice(0, mosaic.shape[0])), np.ones_like(mosaic.white)
    noise = noise_of(mosaic)
    return MergedMosaic(
        replace(mosaic, values=light, black=0 * ones, white=ones, noise=noise), light >= np.float32(CLIPPED)
    )


def on_scale(noise: NoiseModel, stops: float) -> NoiseModel:
    """The noise of light that is multiplied by 2^stops."""
    return NoiseModel(noise.shot * 2.0**stops, noise.read * 2.0**stops)


def on_sites(registrations: list[Registration], cell: int) -> list[Registration]:
    """Registrations of proxies as those of sites."""
    return [
        replace(shrink(one, (cell, cell)), shift_px=one.shift_px * cell) if one.moves else one
        for one in registrations
    ]


def _strips(mosaic: Mosaic) -> list[slice]:
    """Rows in strips that begin with the array."""
    height, width = mosaic.shape
    step = max(STRIP_SITES // width // HALO, 1) * HALO
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def _seen(mosaic: Mosaic, place: Registration, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a frame, at the sites of some rows: light (h, W), weight 0..1 by the distance from clipping, 1 = inside."""
    if not place.moves:
        light = mosaic.light(rows)
        return light, _clear(light), np.ones_like(light)
    height, width = mosaic.shape
    x, y = sampling_positions(place, rows, mosaic.shape)
    (left, right, *_), (up, down, *_) = cv2.minMaxLoc(x), cv2.minMaxLoc(y)
    inside = np.ones_like(x)
    if min(left, up) < 0 or right > width - 1 or down > height - 1:
        inside *= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    period = len(mosaic.pattern)
    top = int(np.clip(np.floor(up) - 4 - HALO, 0, height - 2 * period)) // period * period
    bottom = int(np.clip(np.ceil(down) + 5 + HALO, top + 2 * period, height))
    piece = slice(top, bottom)
    sample = _by_planes if mosaic.pattern.shape == (2, 2) else _by_demosaicing
    y -= np.float32(top)
    light, clear = sample(mosaic, piece, rows, x, y)
    return light, clear, inside


def _by_planes(
    mosaic: Mosaic, piece: slice, rows: slice, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Light and clearness of Bayer arrays at x, y: sites of one phase are a picture of their own.

    Green is the mean of its two phases: what one aliases, the other does in opposite sense.
    """
    source = mosaic.light(piece)
    light, clear = np.zeros_like(x), np.ones_like(x)
    phases = [(row, column) for row in (0, 1) for column in (0, 1)]
    planes = {(row, column): np.ascontiguousarray(source[row::2, column::2]) for row, column in phases}
    floors = {phase: cv2.erode(plane, SQUARE) for phase, plane in planes.items()}
    rooms = {phase: _clear(cv2.dilate(plane, SQUARE)) for phase, plane in planes.items()}
    for row, column in phases:
        sites = (slice((row - rows.start) % 2, None, 2), slice(column, None, 2))
        same = [phase for phase in phases if mosaic.pattern[phase] == mosaic.pattern[row, column]]
        u, v = x[sites] / 2, y[sites] / 2
        for down, right in same:
            where = cv2.convertMaps(u - np.float32(right / 2), v - np.float32(down / 2), cv2.CV_16SC2)
            found = _looked_up(planes[down, right], where, cv2.INTER_CUBIC)
            # cubic undershoots beside bright edges: never below the neighbourhood
            cv2.max(found, _looked_up(floors[down, right], where, cv2.INTER_LINEAR), dst=found)
            found *= np.float32(1 / len(same))
            light[sites] += found
            room = _looked_up(rooms[down, right], where, cv2.INTER_LINEAR)
            clear[sites] = np.minimum(clear[sites], room)
    return light, clear


def _looked_up(plane: np.ndarray, where: tuple[np.ndarray, np.ndarray], interpolation: int) -> np.ndarray:
    """A plane at the places that `cv2.convertMaps` has made integers of: several planes are looked up at them."""
    return cv2.remap(plane, *where, interpolation, borderMode=cv2.BORDER_REPLICATE)


def _by_demosaicing(
    mosaic: Mosaic, piece: slice, rows: slice, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Light and clearness of other arrays at x, y: their sites of one colour are no grid."""
    source, gains = mosaic.light(piece), mosaic.gains[mosaic.pattern]
    colours = demosaic(source * mosaic.tiled(gains, piece), mosaic, piece, floor=1e-3)
    colours = cv2.remap(colours, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    light = _of_sites(colours, mosaic, rows) / mosaic.tiled(gains, rows)
    room = cv2.erode(_clear(source), np.ones((5, 5), np.uint8))
    return np.maximum(light, 0), cv2.remap(room, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _clear(light: np.ndarray) -> np.ndarray:
    """1 well below clipping, 0 where light is taken as clipped."""
    clear = np.float32(CLIPPED / RAMP) - light * np.float32(1 / RAMP)
    return np.clip(clear, 0, 1, out=clear)


def guide_of(
    light: list[np.ndarray], usable: list[np.ndarray], ev: np.ndarray, gains: np.ndarray
) -> np.ndarray:
    """(h, W) light of the longest frame that does not clip, smoothed: what stands inside the variance of all."""
    order = np.argsort(ev)
    guide = light[order[0]].copy()
    for index in order[1:]:
        guide += usable[index] * (light[index] - guide)
    guide = cv2.blur(guide * gains, (3, 3))
    guide /= gains
    return np.maximum(guide, 0, out=guide)


def _of_sites(colours: np.ndarray, mosaic: Mosaic, rows: slice) -> np.ndarray:
    """(h, W) from (h, W, 3): of each site its own colour."""
    pattern = mosaic.tiled(mosaic.pattern, rows).astype(np.intp)
    return np.take_along_axis(colours, pattern[..., None], 2)[..., 0]


def recover_highlights(merged: MergedMosaic) -> Mosaic:
    """The mosaic with clipped sites raised to what their surroundings and the channels that did not clip tell.

    Colours of light beside a clipped place are continued over it (pull-push). Where a channel still measures, it gives
    the others their brightness; where none does, the highest bound of the three gives all: white, never magenta.
    """
    mosaic = merged.mosaic
    if not merged.bound.any() or mosaic.monochrome:
        return mosaic
    height, width = (side // mosaic.cell for side in mosaic.shape)
    coarse = max(round((height * width / HUE_PIXELS) ** 0.5), 1) * mosaic.cell
    step, end = coarse * STRIP_CELLS, mosaic.shape[0] // coarse * coarse

    def tints(top: int) -> tuple[np.ndarray, np.ndarray]:
        log, count, _ = _cells(mosaic, merged.bound, slice(top, min(top + step, end)), coarse)
        bright = (count[..., 0] == 3) & (brightest_channel(log) > np.log2(0.05))
        return log - mean_channel(log)[..., None], bright.astype(np.float32)

    found, known = (
        np.concatenate(parts) for parts in zip(*in_threads(tints, range(0, end, step)), strict=True)
    )
    hue = np.clip(pull_push(found, known), -HUE, HUE)
    values = mosaic.values.copy()

    def work(rows: slice) -> None:
        here = merged.bound[rows]
        if not here.any():
            return
        log, count, measured = _cells(mosaic, merged.bound, rows, mosaic.cell)
        top = rows.start // mosaic.cell
        own = resize_strip(hue, slice(top, top + len(log)), (height, width))
        level = (measured * (log - own)).sum(axis=2, keepdims=True) / np.maximum(count, 1)
        estimate = np.where(count > 0, level + own, log.max(axis=2, keepdims=True))
        estimate = np.exp2(np.maximum(estimate, log)) / mosaic.gains
        raised = cv2.resize(estimate.astype(np.float32), here.shape[::-1], interpolation=cv2.INTER_LINEAR)
        values[rows] = np.where(here, np.maximum(values[rows], _of_sites(raised, mosaic, rows)), values[rows])

    in_threads(work, _strips(mosaic))
    return replace(mosaic, values=values)


def _cells(
    mosaic: Mosaic, bound: np.ndarray, rows: slice, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of squares of sites: logarithm of white-balanced light (h, w, 3), how many channels are measured, and which."""
    width = mosaic.shape[1] // size * size
    shape = (width // size, (rows.stop - rows.start) // size)
    colours = mosaic.tiled(mosaic.pattern, rows)[:, :width]
    values, bounds = mosaic.values[rows, :width], bound[rows, :width]
    log = np.empty((*shape[::-1], 3), np.float32)
    measured = np.empty_like(log)
    for colour in range(3):
        sites = (colours == colour).astype(np.float32)
        share = cv2.resize(sites, shape, interpolation=cv2.INTER_AREA)
        light = cv2.resize(values * sites, shape, interpolation=cv2.INTER_AREA) / share * mosaic.gains[colour]
        log[..., colour] = np.log2(np.maximum(light, 1e-6))
        measured[..., colour] = cv2.resize(sites * bounds, shape, interpolation=cv2.INTER_AREA) == 0
    return log, measured.sum(axis=2, keepdims=True), measured
