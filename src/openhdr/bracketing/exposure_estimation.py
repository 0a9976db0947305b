"""Exposure differences measured from the pixels, for brackets without trustworthy metadata.

Two frames of one scene differ by a factor wherever both are properly exposed; its logarithm is the exposure
difference in stops, under the response that is assumed. Frames are shrunk first, so that hand shake hardly matters, and
the median makes moving objects outliers. Differences of all pairs are then reconciled by least squares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from openhdr.bracketing.tone_difference import densest
from openhdr.camera.exposure import SAME_EV
from openhdr.camera.response import ASSUMED_RESPONSE, TYPICAL_RESPONSE, Response, analytic
from openhdr.core.errors import ExposureError
from openhdr.core.image import Image
from openhdr.core.threads import in_threads
from openhdr.geometry import overview

SIDE_PX = 192  # frames are shrunk to about this side
DARK, BRIGHT = 0.004, 0.85  # light (1.0 = clipping) between which a pixel is properly exposed
LEAST_SHARED = 60  # pixels that a pair must share
CLASSES = 4  # of brightness, in which a pair's difference should be the same
TELLING_STOPS = 0.4, 4.0  # differences that show whether it is
EVEN = 0.06  # relative standard deviation of a pair's difference over brightness, up to which frames may be sRGB's


@dataclass(frozen=True)
class PairwiseEV:
    """stops[i, j]: EV of frame j minus EV of frame i; weight[i, j]: how many pixels say so (0 = none).

    level[i]: mean light of frame i, clipped pixels as 1.
    """

    stops: np.ndarray
    weight: np.ndarray
    level: np.ndarray


def measure_pairs(images: Sequence[Image], response: Response) -> PairwiseEV:
    """Median log2 ratio of every pair of frames."""
    lights = in_threads(lambda image: _shrunk_light(image, response), images)
    count = len(lights)
    stops, weight = np.zeros((count, count)), np.zeros((count, count))
    for (i, j), one, other in _pairs(lights):
        stops[i, j] = np.median(np.log2(other / one))
        weight[i, j] = len(one)
    level = np.array([float(np.nan_to_num(light, nan=1.0).mean()) for light in lights])
    return PairwiseEV(stops - stops.T, weight + weight.T, level)


def estimate_ev(images: Sequence[Image], response: Response, names: Sequence[str]) -> np.ndarray:
    """(N,) float64 stops, mean 0. Raises ExposureError when a frame shares no properly exposed pixels."""
    pairs = measure_pairs(images, response)
    lonely = _unreached(pairs.weight)
    if lonely is not None:
        raise ExposureError(
            f"{names[lonely]}: shares too few properly exposed pixels with the other frames to estimate its "
            "exposure; give the exposures as `ev` or `times`"
        )
    laplacian = np.diag(pairs.weight.sum(1)) - pairs.weight
    right = (pairs.weight * pairs.stops).sum(0)
    return np.linalg.lstsq(laplacian, right, rcond=None)[0]


def likely_response(images: Sequence[Image]) -> Response:
    """By which exposures are measured where no curve is known: sRGB's if the frames follow it, else most cameras'.

    A burst shows no curve and needs none for its exposures: sRGB's, as where its exposures are stated.
    Six brackets by cameras are uneven by 6 to 26 % when sRGB decodes them; pictures made with sRGB's curve by
    less than 1 %, and by up to 5 % by hand.
    """
    srgb, typical = analytic(ASSUMED_RESPONSE), analytic(TYPICAL_RESPONSE)
    uneven = _unevenness(images, srgb)
    return srgb if uneven <= EVEN and uneven <= _unevenness(images, typical) else typical


def _unevenness(images: Sequence[Image], response: Response) -> float:
    """By how much two frames' difference in stops changes with brightness, relative to it; 0 of a burst.

    Decoded by the curve that they were made with, frames differ by one factor, whatever the brightness; by another, by
    more where that is too steep. Infinite if no pair tells.
    """
    lights = in_threads(lambda image: _shrunk_light(image, response), images)
    uneven, told, sizes = 0.0, 0, []
    for _, one, other in _pairs(lights):
        stops = np.log2(other / one)
        by_brightness = np.array_split(np.argsort(one * other), CLASSES)
        size = abs(np.median(stops))
        sizes.append(size)
        if TELLING_STOPS[0] <= size <= TELLING_STOPS[1]:
            uneven += len(stops) * np.std([densest(stops[part]) for part in by_brightness]) / size
            told += len(stops)
    if told:
        return uneven / told
    return 0.0 if sizes and max(sizes) < SAME_EV else np.inf


def contradiction(ev: np.ndarray, pairs: PairwiseEV) -> tuple[int, int] | None:
    """A pair (i, j) stated at least half a stop longer but seen clearly darker, or None.

    An unknown response bends the measured size of a step, never its sign. The pixels that two unaligned frames
    share may be few and not show the same things, so the whole picture has to be darker, too.
    """
    stated = ev[None, :] - ev[:, None]
    darker = (pairs.stops < -0.3) & (pairs.level[None, :] < pairs.level[:, None])
    wrong = (stated > 0.5) & darker & (pairs.weight >= LEAST_SHARED)
    if not wrong.any():
        return None
    longer, darker_one = np.argwhere(wrong)[0].tolist()
    return longer, darker_one


def _shrunk_light(image: Image, response: Response) -> np.ndarray:
    """(h, w) float32 green light, NaN where a channel clips."""
    factor = max(min(image.height, image.width) / SIDE_PX, 1.0)
    size = (max(round(image.width / factor), 1), max(round(image.height / factor), 1))
    light = response.decode(image.with_pixels(overview(image, size)))
    return np.where(light.max(axis=2) < BRIGHT, light[..., 1], np.nan)


def _pairs(lights: Sequence[np.ndarray]) -> Iterator[tuple[tuple[int, int], np.ndarray, np.ndarray]]:
    """Indices of two frames, and the light (P,) of each where both are properly exposed, if there is enough of it."""
    for i, j in combinations(range(len(lights)), 2):
        shared = _good(lights[i]) & _good(lights[j])
        if shared.sum() >= LEAST_SHARED:
            yield (i, j), lights[i][shared], lights[j][shared]


def _good(light: np.ndarray) -> np.ndarray:
    return np.nan_to_num(light) > DARK


def _unreached(weight: np.ndarray) -> int | None:
    """Index of a frame that is not connected to frame 0 through pairs with weight, or None."""
    reached = {0}
    while True:
        more = {j for i in reached for j in np.flatnonzero(weight[i]).tolist()} - reached
        if not more:
            break
        reached |= more
    missing = set(range(len(weight))) - reached
    return min(missing) if missing else None
