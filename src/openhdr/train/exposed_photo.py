"""Photos of views that are exposed anew, as the network of `trustnet-single` sees them: what it trains on.

A view is light. A photo is a crop of it, mirrored, tinted and with a little more or less contrast, of which a share
clips. Some went through JPEG. Some have another response than sRGB, by which all are decoded, as `openhdr expand` does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from openhdr.camera.response import ASSUMED_RESPONSE, parse
from openhdr.core.image import Image
from openhdr.expansion.overview import overview_of
from openhdr.expansion.photo import photo_of
from openhdr.expansion.rise import border_slope, held_together, rise_limit
from openhdr.expansion.trustnet_single import TrustNetSingleOptions, lost_cells, network_input, read
from openhdr.simulation import sensor
from openhdr.simulation.distributions import LogUniform, Mixture, Normal, Uniform

LEAST_CLIPPED = 0.02  # share of pixels; with less there is nothing to learn
SHOT = LogUniform(3e-5, 5e-4)  # variance of noise at 1.0
JPEG_SHARE, JPEG_QUALITY, SIGMOID_SHARE = 0.35, Uniform(60, 100), 0.25
CAST, CONTRAST = Normal(0, 0.22), Normal(0, 0.06)  # stops of each channel; logarithm of a power
NARROWEST = 0.78  # share of a view that a photo shows, of its width or height
PIXELS = 3072  # of a photo, by which an estimate is judged


@dataclass(frozen=True)
class ExposedPhoto:
    """What the network sees, and of N lost pixels what is known and what is true.

    seen: (11, h, w) float16, see `network_input`. counts: (1, h, w) float32, how much its cells count.
    places: (N, 2) float32 (x, y) in -1..1. bound: (N, 3) float32, most stops above the clipping level.
    truth: (N, 3) float32 light, 1.0 = the photo clips. lost: (N, 3) bool, channels that are.
    share: (1,) float32, of the photo's pixels that the N stand for.
    """

    seen: np.ndarray
    counts: np.ndarray
    places: np.ndarray
    bound: np.ndarray
    truth: np.ndarray
    lost: np.ndarray
    share: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def varied(self, rng: np.random.Generator) -> ExposedPhoto:
        """Half of its pixels, mirrored or with colours exchanged by chance."""
        some = rng.permutation(len(self.places))[: len(self.places) // 2]
        seen, counts, places = self.seen.astype(np.float32), self.counts, self.places[some]
        bound, truth, lost = self.bound[some], self.truth[some], self.lost[some]
        if rng.random() < 0.5:
            seen, counts = seen[..., ::-1].copy(), counts[..., ::-1].copy()
            places = places * np.array([-1, 1], np.float32)
        if rng.random() < 0.25:
            order = rng.permutation(3)
            seen = np.concatenate((seen[order], seen[3 + order], seen[6:]))  # codes, clipped shares, the rest
            bound, truth, lost = bound[:, order], truth[:, order], lost[:, order]
        return ExposedPhoto(seen, counts, places, bound, truth, lost, self.share)


def exposed_photo(
    view: np.ndarray, shape: tuple[int, int], clip_share: tuple[float, float], rng: np.random.Generator
) -> ExposedPhoto | None:
    """A photo of `shape` (H, W) of a view, (h, w, 3) log2 of light; None where hardly anything clips.

    clip_share: least and most of its pixels that clip, about; half of the photos evenly, half in logarithms.
    """
    light = _changed(view, shape, rng)
    clipped = Mixture(0.5, LogUniform(*clip_share), Uniform(*clip_share)).draw(rng)
    light /= np.float32(max(np.quantile(light[::3, ::3].max(axis=2), 1 - clipped), 1e-6))
    variance = np.float32(SHOT.draw(rng)) * np.minimum(light, 2) + np.float32(1e-7)
    recorded = np.clip(light + np.sqrt(variance) * rng.standard_normal(light.shape, np.float32), 0, 1)
    bends = rng.random() < SIGMOID_SHARE
    response = f"sigmoid:{Normal(0.9, 0.1).draw(rng)}:{Normal(0.6, 0.1).draw(rng)}" if bends else "srgb"
    code = np.rint(sensor.encode(recorded, response) * 255).astype(np.uint8)
    if rng.random() < JPEG_SHARE:
        code = sensor.compress(code, int(JPEG_QUALITY.draw(rng)))
    return _seen(code, light, rng)


def _changed(view: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32 light of a crop of a view: brought to `shape`, mirrored, tinted, of another contrast."""
    scale = min(view.shape[0] / shape[0], view.shape[1] / shape[1]) * rng.uniform(NARROWEST, 1)
    rows, columns = (round(length * scale) for length in shape)
    top, left = (
        int(rng.integers(whole - part + 1)) for whole, part in zip(view.shape, (rows, columns), strict=False)
    )
    light = np.exp2(view[top : top + rows, left : left + columns].astype(np.float32))
    light = cv2.resize(light, shape[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        light = light[:, ::-1]
    cast = np.exp2([CAST.draw(rng) for _ in range(3)])
    light = np.maximum(light * (cast / cast[1]).astype(np.float32), np.float32(1e-6))
    return light ** np.float32(np.exp(CONTRAST.draw(rng)))


def _seen(code: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> ExposedPhoto | None:
    """A photo's codes as `trustnet_single` takes them, and PIXELS of what is lost, drawn."""
    photo = photo_of(Image(code, "srgb"), parse(ASSUMED_RESPONSE))
    rows, columns = np.nonzero(photo.lost_anywhere)
    share = len(rows) / photo.lost_anywhere.size
    if share < LEAST_CLIPPED:
        return None
    chosen = rng.integers(0, len(rows), PIXELS)
    at = rows[chosen], columns[chosen]
    overview = overview_of(photo)
    slope = border_slope(overview)
    limit = np.minimum(rise_limit(overview, slope), np.float32(TrustNetSingleOptions().most_stops))
    seen = network_input(overview, slope)
    y, x = ((2 * index + 1) / length - 1 for index, length in zip(at, photo.shape, strict=True))
    return ExposedPhoto(
        seen.astype(np.float16),
        lost_cells(overview, seen)[None],
        np.stack((x, y), 1).astype(np.float32),
        held_together(read(limit, photo.shape, at), photo.linear[at], photo.lost[at]),
        truth[at],
        photo.lost[at],
        np.array([share], np.float32),
    )
