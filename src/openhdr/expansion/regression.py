"""Clipped light estimated from its surroundings, by a small regression fitted to panoramas.

A clipped channel says "at least 1". How much more depends on what the place is: the disc of a lamp, a bright
cloud, a window. Three things that a photo shows tell them apart: how large the clipped area is and how far
inside it a pixel lies, how the codes fall off around it, and what the whole picture looks like. They go
through a few small convolutions over a coarse view of the picture (48 cells on its longest side) and, with
features of the place itself, through a small perceptron for each clipped pixel. It gives the stops above 1
of every clipped channel, >= 0, which `rise` bounds. Channels that are not clipped keep their measured light.
Several such regressions, fitted from different starts, are averaged: where they disagree, the mean is the
better guess. `borders` keeps walls from turning green.

The numbers (`regression.npz`) minimise the mean error in dB of PU21 values, with 1.0 shown at 100 cd/m2,
over simulated photos of CC0 panoramas; `scripts/fit_expansion.py` fits them. An estimate of this kind is a
mean of what might have been there: it gets the light of an area about right, and invents no detail. Where
all channels clip, it is held near grey: a colour that nothing shows would be a guess that the eye sees.

Sizes are measured in shares of the picture's diagonal, and all but the pixel's own code is read from an
overview of the photo, so that a photo and its reduced copy give alike results.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np

from openhdr.core.progress import task
from openhdr.core.threads import in_threads
from openhdr.expansion.borders import border_colour, stops_by_colour
from openhdr.expansion.overview import Overview, overview_of
from openhdr.expansion.photo import Photo
from openhdr.expansion.rise import RiseOptions, border_slope, held_together, rise_limit
from openhdr.filters.gaussian import blur

CELLS = (
    96  # of the coarse view on its longest side, before it is halved; both sides are multiples of CELL_STEP
)
VIEW_FEATURES, OWN_FEATURES = 10, 21  # of a coarse cell; of a pixel and its place
CELL_STEP = 16  # the coarse view is halved four times
RING = np.ones((5, 5), np.uint8)  # how far outside clipped areas their border is looked at
EDGE, NEAR, MIDDLE, WIDE, WIDEST = (
    0.0016,
    0.004,
    0.012,
    0.036,
    0.09,
)  # sigmas of blurs, shares of the diagonal
FARTHEST = 0.25  # distance from the border of a clipped area that still counts, share of the diagonal
TO_MEAN = (
    0.25  # of what exceeds the mean of its fully clipped area is taken off: suns and lamps stay above it
)
BAND = 1 << 14  # pixels of the picture at a time: what is computed of them stays in the processor's cache
ALONE = 1 << 18  # multiplications in a matrix product up to which OpenBLAS uses one thread
Layer = tuple[np.ndarray, np.ndarray]
Pixels = tuple[np.ndarray, np.ndarray]  # rows, columns


@dataclass(frozen=True)
class RegressionOptions:
    strength: float = 1.05  # factor on the estimated stops, best on scenes left out of a fit; 0 = the photo
    most_stops: float = 7.0  # above the clipping level
    evenness: float = 0.06  # sigma of the mean over a fully clipped area, share of the diagonal
    rise: RiseOptions = RiseOptions()  # how fast light may rise inside a clipped area


def regression(photo: Photo, options: RegressionOptions = RegressionOptions()) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    result = photo.linear.copy()
    if not photo.lost_anywhere.any():
        return result
    guide = _guide_of(photo, options)
    step = max(1, BAND // photo.shape[1])

    def estimate(top: int) -> None:
        rows, columns = np.nonzero(photo.lost_anywhere[top : top + step])
        if len(rows):
            at = rows + top, columns
            light = np.exp(np.float32(np.log(2)) * _stops(photo, guide, options, at))
            result[at] = np.where(photo.lost[at], light, result[at])
        advance()

    tops = range(0, photo.shape[0], step)
    with task("expanding", len(tops)) as advance:
        in_threads(estimate, tops)
    return result


@dataclass(frozen=True)
class _Guide:
    """What is known of the whole picture: features of the place, of every member's coarse view (side by side), the
    bound on stops, stops of fully clipped areas, and the colour of borders.
    """

    places: np.ndarray
    contexts: np.ndarray
    limit: np.ndarray
    evened: np.ndarray
    colour: np.ndarray


def _guide_of(photo: Photo, options: RegressionOptions) -> _Guide:
    view = overview_of(photo)
    slope = border_slope(view)
    coarse = coarse_view(view)
    contexts = np.dstack([coarse_features(coarse, weights) for weights in members()])
    places = place_maps(view, slope)
    limit = np.minimum(rise_limit(view, slope, options.rise), np.float32(options.most_stops))
    evened = _evened(view, places, contexts, options)
    return _Guide(places, contexts, limit, evened, border_colour(view))


def _evened(
    view: Overview, places: np.ndarray, contexts: np.ndarray, options: RegressionOptions
) -> np.ndarray:
    """(h, w, 4) float32: stops where all channels clip, averaged over the area, and how far such an area goes, 0..1.

    A pixel there shows nothing of its own, so estimates vary with the distance from the border alone. In a sky behind
    trees that looks like grey clouds.
    """
    inside = view.everywhere > 0.5
    rows, columns = np.nonzero(inside)
    at = rows, columns
    stops = np.zeros((*inside.shape, 3), np.float32)
    if len(rows):
        own = np.concatenate((np.ones((len(rows), 3), np.float32), places[at]), axis=1)
        stops[at] = _estimate(read(contexts, inside.shape, at), own)
    both = blur(np.dstack((stops, inside.astype(np.float32))), options.evenness)
    return np.dstack(
        (both[..., :3] / np.maximum(both[..., 3:], np.float32(1e-12)), blur(view.everywhere, NEAR))
    )


def _stops(photo: Photo, guide: _Guide, options: RegressionOptions, at: Pixels) -> np.ndarray:
    """(N, 3) float32 stops above the clipping level: the mean of the members' estimates, kept below the bound."""
    total = _estimate(read(guide.contexts, photo.shape, at), own_features(photo, guide.places, at))
    evened = read(guide.evened, photo.shape, at)
    share = np.where(photo.lost_everywhere[at], np.clip(evened[:, 3], 0, 1), 0)[:, None]
    lacking = evened[:, :3] - total
    total += share * np.where(lacking > 0, lacking, np.float32(TO_MEAN) * lacking)
    bound = held_together(read(guide.limit, photo.shape, at), photo.linear[at], photo.lost[at], options.rise)
    stops = bound * (1 - np.exp(total * np.float32(-options.strength) / bound))
    colour = read(guide.colour, photo.shape, at)
    return np.maximum(stops, stops_by_colour(colour, photo.linear[at], photo.lost[at]))


def _estimate(contexts: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(N, members x k), (N, 21) -> (N, 3) stops, the mean of the members'."""
    parts = np.split(contexts, len(members()), axis=1)
    stops = [pixel_stops(part, own, weights) for part, weights in zip(parts, members(), strict=True)]
    return sum(stops[1:], start=stops[0]) * np.float32(1 / len(stops))


def coarse_view(view: Overview) -> np.ndarray:
    """(h, w, 10) float32: of every cell the mean code (3), the clipped share of each channel (3) and of all
    together, the mean of the darkest channel, the spread of brightness, the height in the picture (-1..1).
    """
    scale = CELLS / max(view.size)
    size = tuple(max(CELL_STEP, round(n * scale / CELL_STEP) * CELL_STEP) for n in view.size)

    def cells(plane: np.ndarray) -> np.ndarray:
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)

    red, green, blue = cv2.split(view.code)
    level = (red + green + blue) / 3
    spread = np.sqrt(np.maximum(cells(level * level) - cells(level) ** 2, 0))
    up = np.repeat(np.linspace(-1, 1, size[1], dtype=np.float32)[:, None], size[0], axis=1)
    darkest = cells(np.minimum(np.minimum(red, green), blue))
    return np.dstack((cells(view.code), cells(view.lost), cells(view.everywhere), darkest, 4 * spread, up))


def coarse_features(view: np.ndarray, weights: dict[str, Layer]) -> np.ndarray:
    """The coarse view, halved, through convolutions over four scales, with the mean over the picture at the
    coarsest: (h, w, 10) -> (h / 2, w / 2, k) float32.
    """
    x, skips = _halved(view), []
    for level in range(4):
        x = _relu(_conv3x3(x, weights[f"down{level}"]))
        if level < 3:
            skips.append(x)
            x = _halved(x)
    x = x + _relu(_linear(x.mean(axis=(0, 1)), weights["whole"]))
    for level in range(3):
        x = x.repeat(2, axis=0).repeat(2, axis=1)
        x = _relu(_conv3x3(np.dstack((x, skips.pop())), weights[f"up{level}"]))
    return x


def _halved(x: np.ndarray) -> np.ndarray:
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).mean(axis=(1, 3))


def place_maps(view: Overview, slope: np.ndarray) -> np.ndarray:
    """(h, w, 18) float32: the clipped share of each channel (3), the code blurred (3), the fully clipped share
    within four distances, the root of the distance to the nearest pixel that is not fully clipped; the partly
    clipped share within two distances and the root of the distance to the nearest measured pixel; the slope of
    light at the borders near; the code of these borders (3).
    """
    border = _border_code(view)
    return np.dstack(
        (
            blur(view.lost, EDGE),
            blur(view.code, NEAR),
            *(blur(view.everywhere, sigma) for sigma in (NEAR, MIDDLE, WIDE, WIDEST)),
            _rooted(view.depth((view.everywhere > 0.5).astype(np.uint8))),
            *(blur(view.anywhere, sigma) for sigma in (MIDDLE, WIDE)),
            _rooted(view.depth((view.anywhere > 0.5).astype(np.uint8))),
            np.log2(slope + 1) / 4,
            border,
        )
    )


def _rooted(depth: np.ndarray) -> np.ndarray:
    return 2 * np.sqrt(np.minimum(depth, np.float32(FARTHEST)))


def _border_code(view: Overview) -> np.ndarray:
    """(h, w, 3) float32: the mean code just outside clipped areas, of the border near each place."""
    inside = (view.anywhere > 0.5).astype(np.uint8)
    ring = (cv2.dilate(inside, RING) - inside).astype(np.float32)
    both = np.dstack((view.code * ring[..., None], ring))
    whole = np.array(cv2.mean(both), np.float32)
    total = blur(both, MIDDLE) + np.float32(0.02) * blur(both, WIDE) + np.float32(1e-4) * whole
    return total[..., :3] / np.maximum(total[..., 3:], np.float32(1e-9))


def own_features(photo: Photo, places: np.ndarray, at: Pixels) -> np.ndarray:
    """(N, 21) float32 of the pixels at (rows, columns): code, and the maps of the place."""
    return np.concatenate((photo.code[at], read(places, photo.shape, at)), axis=1)


def read(maps: np.ndarray, shape: tuple[int, int], at: Pixels) -> np.ndarray:
    """(N, C): maps (h, w, C) of a picture of `shape` (H, W), bilinear at its pixels (rows, columns)."""
    if maps.shape[:2] == shape:
        return maps[at]
    rows, columns = at
    y = np.clip((rows + 0.5) * (len(maps) / shape[0]) - 0.5, 0, len(maps) - 1).astype(np.float32)
    first = np.minimum(y.astype(np.int32), max(len(maps) - 2, 0))
    top, bottom = int(first.min()), min(int(first.max()) + 2, len(maps))
    wide = cv2.resize(maps[top:bottom], (shape[1], bottom - top), interpolation=cv2.INTER_LINEAR)
    upper = wide[first - top, columns]
    lower = wide[np.minimum(first - top + 1, bottom - top - 1), columns]
    return upper + (lower - upper) * (y - first).astype(np.float32)[:, None]


def pixel_stops(context: np.ndarray, own: np.ndarray, weights: dict[str, Layer]) -> np.ndarray:
    """(N, k), (N, 21) -> (N, 3) stops above the clipping level, >= 0."""
    x = _relu(_linear(np.concatenate((context, own), axis=1), weights["pixel0"]))
    x = _linear(_relu(_linear(x, weights["pixel1"])), weights["pixel2"])
    return np.log(1 + np.exp(-np.abs(x))) + np.maximum(x, 0)  # softplus


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0, out=x)


def _linear(x: np.ndarray, layer: Layer) -> np.ndarray:
    """(..., C) -> (..., C'), in products so small that BLAS starts no threads of its own: bands share the cores
    already, and threads that wait for each other take many times as long on a busy machine.
    """
    matrix, bias = layer
    flat = x.reshape(-1, len(matrix))
    rows = max(1, ALONE // matrix.size)
    even = len(flat) // rows * rows
    out = np.empty((len(flat), len(bias)), np.float32)
    np.matmul(flat[:even].reshape(-1, rows, len(matrix)), matrix, out=out[:even].reshape(-1, rows, len(bias)))
    np.matmul(flat[even:], matrix, out=out[even:])
    out += bias
    return out.reshape(*x.shape[:-1], len(bias))


def _conv3x3(x: np.ndarray, layer: Layer) -> np.ndarray:
    """(h, w, C) -> (h, w, C'), borders repeated. layer: (9 C, C') and (C',), taps row by row."""
    height, width = x.shape[:2]
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="edge")
    taps = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return _linear(np.concatenate(taps, axis=2), layer)


@cache
def members() -> tuple[dict[str, Layer], ...]:
    """Of every member, layer -> (weight, bias), float32."""
    file = resources.files("openhdr.expansion").joinpath("regression.npz")
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float32) for name in stored.files}
    found: dict[str, dict[str, Layer]] = {}
    for name in arrays:
        member, layer, part = name.split(".")
        if part == "weight":
            pair = arrays[name], arrays[f"{member}.{layer}.bias"]
            found.setdefault(member, {})[layer] = pair
    return tuple(found.values())
