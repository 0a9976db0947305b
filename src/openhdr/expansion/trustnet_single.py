"""Clipped light estimated by a small network that sees the whole photo.

A clipped channel says "at least 1". How much more depends on what the place is: the disc of a lamp, a bright cloud, a
window. A U-Net over an overview of the photo (192 cells on its longest side) gives the stops above 1 of every channel
of every cell, >= 0. They are evened where all channels clip, smoothed, read at the photo's own pixels, from clipped
cells only, and bounded: `rise` says how fast light may rise inside a clipped area, `borders` keeps walls from turning
green. Channels that are not clipped keep their measured light. The network sees the photo and its mirror image, and the
mean counts.

The network (`trustnet-single.onnx`; `openhdr.models.trustnet_single` has it for training) minimises the mean error in
dB of PU21 values, with 1.0 shown at 100 cd/m2, over simulated photos of CC0 panoramas. An estimate of this kind is a
mean of what might have been there: it gets the light of an area about right, and invents no detail. Where all channels
clip, it is drawn towards grey: a colour that nothing shows would be a guess that the eye sees.

Sizes are measured in shares of the picture's diagonal, so that a photo and its reduced copy give alike results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.core.network_file import packaged_network
from openhdr.core.progress import task
from openhdr.core.threads import in_threads
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.expansion.borders import border_colour, stops_by_colour
from openhdr.expansion.overview import Overview, overview_of
from openhdr.expansion.photo import Photo
from openhdr.expansion.rise import RiseOptions, border_slope, held_together, rise_limit
from openhdr.filters.gaussian import blur

CELLS, STEP = 192, 32  # of the network's picture on its longest side; both sides are multiples of STEP
FARTHEST = 0.25  # distance from the border of a clipped area that still counts, share of the diagonal
ELSEWHERE = np.float32(1e-3)  # weight of a cell in which nothing is lost, beside 1 where all is
BAND = 1 << 14  # pixels of the picture at a time: what is computed of them stays in the processor's cache
Pixels = tuple[np.ndarray, np.ndarray]  # rows, columns
Network = Callable[[np.ndarray], np.ndarray]
"""Reduced photos (B, 11, h, w) -> stops above the clipping level (B, 3, h, w), >= 0, float32; see `network_input`."""


@dataclass(frozen=True)
class TrustNetSingleOptions:
    strength: float = 1.2  # factor on the estimated stops, best on the validation panoramas; 0 = the photo
    greyness: float = 0.5  # how far the channels of fully clipped places are drawn to their mean, 0..1
    evenness: float = 0.08  # sigma of the mean over a fully clipped area, share of the diagonal
    smoothness: float = 0.006  # sigma of a blur that hides the network's cells, share of the diagonal
    most_stops: float = 7.0  # above the clipping level
    rise: RiseOptions = RiseOptions()  # how fast light may rise inside a clipped area


def trustnet_single(
    photo: Photo, options: TrustNetSingleOptions = TrustNetSingleOptions(), network: Network | None = None
) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips. network: takes the place of the shipped one."""
    result = photo.linear.copy()
    if not photo.lost_anywhere.any():
        return result
    guide = _guide_of(photo, options, network or shipped)
    step = max(1, BAND // photo.shape[1])

    def estimate(top: int) -> None:
        rows, columns = np.nonzero(photo.lost_anywhere[top : top + step])
        if len(rows):
            at = rows + top, columns
            light = np.exp2(_stops(photo, guide, options, at))
            result[at] = np.where(photo.lost[at], light, result[at])
        advance()

    tops = range(0, photo.shape[0], step)
    with task("expanding", len(tops)) as advance:
        in_threads(estimate, tops)
    return result


@dataclass(frozen=True)
class _Guide:
    """What is known of the whole picture: estimated stops times a weight, and the weight; the bound on stops; the
    colour of borders.
    """

    stops: np.ndarray
    limit: np.ndarray
    colour: np.ndarray


def _guide_of(photo: Photo, options: TrustNetSingleOptions, network: Network) -> _Guide:
    view = overview_of(photo)
    slope = border_slope(view)
    seen = network_input(view, slope)
    stops, lost = estimated(seen, network), lost_cells(view, seen)
    stops = _evened(stops, seen[6, :, :, None], options)
    stops = blur(np.dstack((stops * lost[..., None], lost)), options.smoothness)
    limit = np.minimum(rise_limit(view, slope, options.rise), np.float32(options.most_stops))
    return _Guide(stops, limit, border_colour(view))


def _evened(stops: np.ndarray, inside: np.ndarray, options: TrustNetSingleOptions) -> np.ndarray:
    """(h, w, 3) stops, greyer where all channels clip (inside: (h, w, 1), 0..1), and no less than the mean of the area.

    A pixel there shows nothing of its own, and places near a border or a twig are taken for darker than they are.
    """
    stops = stops + options.greyness * inside * (stops.mean(axis=2, keepdims=True) - stops)
    both = blur(np.dstack((stops * inside, inside)), options.evenness)
    mean = both[..., :3] / np.maximum(both[..., 3:], np.float32(1e-6))
    return stops + inside * np.maximum(mean - stops, 0)


def network_input(view: Overview, slope: np.ndarray) -> np.ndarray:
    """(11, h, w) float32: of every cell the mean code (3), the clipped share of each channel (3) and of all together,
    the slope of light at the borders near, the roots of the distances to the nearest pixel that is not fully clipped
    and to the nearest measured one, the height in the picture (-1..1).
    """
    scale = CELLS / max(view.size)
    size = tuple(max(STEP, round(n * scale / STEP) * STEP) for n in view.size)
    depths = (view.depth((plane > 0.5).astype(np.uint8)) for plane in (view.everywhere, view.anywhere))
    planes = (
        *cv2.split(view.code),
        *cv2.split(view.lost),
        view.everywhere,
        np.log2(slope + 1) / 4,
        *(2 * np.sqrt(np.minimum(depth, np.float32(FARTHEST))) for depth in depths),
    )
    small = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]
    up = np.repeat(np.linspace(-1, 1, size[1], dtype=np.float32)[:, None], size[0], axis=1)
    return np.stack((*small, up)).astype(np.float32)


def lost_cells(view: Overview, seen: np.ndarray) -> np.ndarray:
    """(h, w) float32 > 0: how much an estimate for each cell of the network's picture counts."""
    size = seen.shape[2], seen.shape[1]
    return cv2.resize(view.anywhere, size, interpolation=cv2.INTER_AREA) + ELSEWHERE


def _stops(photo: Photo, guide: _Guide, options: TrustNetSingleOptions, at: Pixels) -> np.ndarray:
    """(N, 3) float32 stops above the clipping level, kept below the bound."""
    found = read(guide.stops, photo.shape, at)
    total = found[:, :3] / found[:, 3:]
    bound = held_together(read(guide.limit, photo.shape, at), photo.linear[at], photo.lost[at], options.rise)
    stops = bound * -np.expm1(total * np.float32(-options.strength) / bound)
    colour = read(guide.colour, photo.shape, at)
    return np.maximum(stops, stops_by_colour(colour, photo.linear[at], photo.lost[at]))


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


def estimated(seen: np.ndarray, network: Network) -> np.ndarray:
    """(11, h, w) -> (h, w, 3) float32 stops above the clipping level, >= 0: the mean over the picture and its mirror
    image.
    """
    one, other = network(np.stack((seen, seen[..., ::-1])))
    return ((one + other[..., ::-1]) / 2).transpose(1, 2, 0)


def shipped(seen: np.ndarray) -> np.ndarray:
    """The network of the package, read when it is first needed."""
    ((file_name, sha256),) = INVERSE_TONE_MAPPERS["trustnet-single"].sha256
    stops: np.ndarray = packaged_network("openhdr.models.weights", file_name, sha256).run(
        None, {"seen": seen}
    )[0]
    return stops
