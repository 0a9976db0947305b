"""Clipped light estimated from its surroundings, by a small regression fitted to panoramas.

A clipped channel says "at least 1". How much more depends on what the place is: the disc of a lamp, a bright
cloud, a window. Three things that a photo shows tell them apart: how large the clipped area is and how far
inside it a pixel lies, how the codes fall off around it, and what the whole picture looks like. They go
through a few small convolutions over a coarse view of the picture (96 cells on its longest side) and, with
features of the place itself, through a small perceptron for each clipped pixel. It gives the stops above 1
of every clipped channel, >= 0. Channels that are not clipped keep their measured light. Three such
regressions, fitted from different starts, are averaged: where they disagree, the mean is the better guess.

The numbers (`regression.npz`) minimise the mean error in dB of PU21 values, with 1.0 shown at 100 cd/m2,
over simulated photos of CC0 panoramas; `scripts/fit_expansion.py` fits them. An estimate of this kind is a
mean of what might have been there: it gets the light of an area about right, and invents no detail. Where
all channels clip, it is held near grey: a colour that nothing shows would be a guess that the eye sees.

Sizes are measured in shares of the picture's diagonal, so that a photo and its reduced copy give alike
results.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np

from openhdr.core.progress import task
from openhdr.core.threads import in_threads
from openhdr.expansion.photo import Photo
from openhdr.expansion.rise import RiseOptions, rise_limit

CELLS = 96  # cells of the coarse view on its longest side; both sides are multiples of CELL_STEP
CELL_STEP = 8  # the coarse view is halved three times
WORK_SIDE = 768  # longest side of the picture on which features of a place are computed, pixels
NEAR, MIDDLE, WIDE = 0.004, 0.012, 0.036  # sigmas of blurs, shares of the diagonal
FARTHEST = 0.25  # distance from the border of a clipped area that still counts, share of the diagonal
CHUNK = 1 << 17  # pixels at a time
Layer = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class RegressionOptions:
    strength: float = 1.0  # factor on the estimated stops; 0 leaves the photo as it is
    most_stops: float = 7.0  # above the clipping level
    rise: RiseOptions = RiseOptions()  # how fast light may rise inside a clipped area


def regression(photo: Photo, options: RegressionOptions = RegressionOptions()) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    result = photo.linear.copy()
    rows, columns = np.nonzero(photo.lost_anywhere)
    if not len(rows):
        return result
    view, places = coarse_view(photo), place_maps(photo)
    contexts = [coarse_features(view, weights) for weights in members()]
    limit = rise_limit(photo, work_size(photo), options.rise)

    def estimate(start: int) -> None:
        at = rows[start : start + CHUNK], columns[start : start + CHUNK]
        bound = np.minimum(_read(limit, photo.shape, at), np.float32(options.most_stops))
        stops = options.strength * _mean_stops(photo, contexts, places, at)
        stops = bound * -np.expm1(-stops / bound)  # stays below the bound and is smooth
        result[at] = np.where(photo.lost[at], np.exp2(stops), result[at])
        advance()

    starts = range(0, len(rows), CHUNK)
    with task("expanding", len(starts)) as advance:
        in_threads(estimate, starts)
    return result


def _mean_stops(
    photo: Photo, contexts: list[np.ndarray], places: np.ndarray, at: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """(N, 3) stops above the clipping level at pixels (rows, columns): the mean of the members' estimates."""
    own = own_features(photo, places, at)
    estimates = [
        pixel_stops(np.concatenate((_read(context, photo.shape, at), own), axis=1), weights)
        for context, weights in zip(contexts, members(), strict=True)
    ]
    return np.mean(estimates, axis=0, dtype=np.float32)


def coarse_view(photo: Photo) -> np.ndarray:
    """(h, w, 10) float32: of every cell the mean code (3), the clipped share of each channel (3) and of all
    together, the mean of the darkest channel, the spread of brightness, the height in the picture (-1..1).
    """
    height, width = photo.shape
    scale = CELLS / max(height, width)
    size = tuple(max(CELL_STEP, round(n * scale / CELL_STEP) * CELL_STEP) for n in (width, height))

    def cells(plane: np.ndarray) -> np.ndarray:
        return cv2.resize(plane.astype(np.float32, copy=False), size, interpolation=cv2.INTER_AREA)

    level = photo.code @ np.full(3, 1 / 3, np.float32)
    spread = np.sqrt(np.maximum(cells(level * level) - cells(level) ** 2, 0))
    up = np.repeat(np.linspace(-1, 1, size[1], dtype=np.float32)[:, None], size[0], axis=1)
    planes = (
        cells(photo.code),
        cells(photo.lost),
        cells(photo.lost_everywhere),
        cells(np.minimum(np.minimum(photo.code[..., 0], photo.code[..., 1]), photo.code[..., 2])),
        4 * spread,
        up,
    )
    return np.dstack(planes)


def coarse_features(view: np.ndarray, weights: dict[str, Layer]) -> np.ndarray:
    """The coarse view through convolutions over four scales, with the mean over the picture at the coarsest:
    (h, w, 10) -> (h, w, k) float32.
    """
    x, skips = view, []
    for level in range(4):
        x = _relu(_conv3x3(x, weights[f"down{level}"]))
        if level < 3:
            skips.append(x)
            x = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).mean(axis=(1, 3))
    x = x + _relu(_linear(x.mean(axis=(0, 1)), weights["whole"]))
    for level in range(3):
        x = x.repeat(2, axis=0).repeat(2, axis=1)
        x = _relu(_conv3x3(np.dstack((x, skips.pop())), weights[f"up{level}"]))
    return x


def work_size(photo: Photo) -> tuple[int, int]:
    """(width, height) of the reduced picture on which features of a place are computed."""
    height, width = photo.shape
    shrink = min(1.0, WORK_SIDE / max(height, width))
    return max(round(width * shrink), 1), max(round(height * shrink), 1)


def place_maps(photo: Photo) -> np.ndarray:
    """(h, w, 7) float32 on the reduced picture: the code blurred (3), the fully clipped share within three
    distances, the root of the distance to the nearest pixel that is not fully clipped.
    """
    size = work_size(photo)
    code = cv2.resize(photo.code, size, interpolation=cv2.INTER_AREA)
    lost = cv2.resize(photo.lost_everywhere.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = cv2.distanceTransform((lost > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / np.hypot(*size)
    depth = 2 * np.sqrt(np.minimum(inside, FARTHEST)).astype(np.float32)
    return np.dstack((_blur(code, NEAR), *(_blur(lost, sigma) for sigma in (NEAR, MIDDLE, WIDE)), depth))


def _blur(plane: np.ndarray, share: float) -> np.ndarray:
    """Gaussian of sigma = `share` of the diagonal; wide ones on a reduced copy."""
    height, width = plane.shape[:2]
    sigma = share * float(np.hypot(height, width))
    step = max(1, int(sigma / 4))
    if step > 1:
        size = (max(1, round(width / step)), max(1, round(height / step)))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    plane = cv2.GaussianBlur(plane, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) if step > 1 else plane


def own_features(photo: Photo, places: np.ndarray, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(N, 13) float32 of the pixels at (rows, columns): code, what clips, and the maps of the place."""
    clipped = photo.lost[at].astype(np.float32)
    return np.concatenate((photo.code[at], clipped, _read(places, photo.shape, at)), axis=1)


def _read(maps: np.ndarray, shape: tuple[int, int], at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(N, C): maps (h, w, C) of a picture of `shape` (H, W), bilinear at its pixels (rows, columns)."""
    if maps.shape[:2] == shape:
        return maps[at]
    low, share = [], []
    for places, full, length in zip(at, shape, maps.shape, strict=False):
        x = np.clip((places + 0.5) * (length / full) - 0.5, 0, length - 1).astype(np.float32)
        first = np.minimum(x.astype(np.int32), max(length - 2, 0))
        low.append(first)
        share.append((x - first)[:, None])
    (y, x), (down, right) = low, share
    y1, x1 = np.minimum(y + 1, maps.shape[0] - 1), np.minimum(x + 1, maps.shape[1] - 1)
    top = maps[y, x] * (1 - right) + maps[y, x1] * right
    bottom = maps[y1, x] * (1 - right) + maps[y1, x1] * right
    return top * (1 - down) + bottom * down


def pixel_stops(features: np.ndarray, weights: dict[str, Layer]) -> np.ndarray:
    """(N, k + 13) -> (N, 3) stops above the clipping level, >= 0."""
    x = _relu(_linear(features, weights["pixel0"]))
    x = _relu(_linear(x, weights["pixel1"]))
    return np.logaddexp(0, _linear(x, weights["pixel2"]))


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _linear(x: np.ndarray, layer: Layer) -> np.ndarray:
    return x @ layer[0] + layer[1]


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
