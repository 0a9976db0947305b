"""What TrustNet's refining network sees of a merged picture, and how far its answer moves each value.

A merge assumes the noise of a typical photo; the weights of its frames hardly depend on it. Here it matters how much
there really is, so it is measured on the reference.

The same formulas as of `openhdr.models.trustnet`, which trains the network. Here they are computed by NumPy, whose
logarithms and copies cost a third of what they cost inside an ONNX graph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.noise import TYPICAL
from openhdr.camera.noise_estimation import estimate_noise
from openhdr.camera.response import Response
from openhdr.color.channels import brightest_channel, look_up, mean_channel, per_channel, where
from openhdr.color.transfer import MU
from openhdr.core.image import Image
from openhdr.merging.registered import RegisteredBracket, decode, saturation_weight
from openhdr.merging.strips import Known
from openhdr.merging.trustnet.features import mu_code, repeat_edges

STEP = 8  # px, of which heights and widths are multiples
MERGED_CHANNELS = 8
LEAST_SD, MOST_SD = 1e-5, 0.3  # standard deviations of mu codes are taken as within these
REACH_SD = 6.0  # most that a measured value may change by
LOG_MU = math.log1p(MU)
GRAIN_LIGHT = 0.1  # light at which noises are compared
LEAST_GRAIN, MOST_GRAIN = 0.1, 4.0  # times the variance of a typical photo; few that it learned from had more
GRAIN_ROWS, GRAIN_PIXELS = 64, 2_000_000  # of the reference, of which its noise is measured


@dataclass(frozen=True)
class Seen:
    """A piece of a merged picture as the network sees it.

    planes: (8, h, w) float32, h and w multiples of `STEP`: mu code of the light (3), logarithm of its standard
        deviation, coverage, mu code of the reference's light (3).
    sd: (h', w') float32, of the mu code, of the piece without the rows and columns that were repeated.
    measured: (h', w') bool, whether any frame told more than a bound.
    """

    planes: np.ndarray
    sd: np.ndarray
    measured: np.ndarray

    def cut(self, rows: slice, columns: slice) -> Seen:
        """Some rows and columns, as views."""
        return Seen(self.planes[:, rows, columns], self.sd[rows, columns], self.measured[rows, columns])


def grain(registered: RegisteredBracket) -> float:
    """`grain_of` the reference, measured on rows spread over it."""
    image = registered.bracket.frames[registered.bracket.reference].image
    response = registered.responses[registered.bracket.reference]
    height, width = registered.shape
    count = max(min(GRAIN_PIXELS // (GRAIN_ROWS * width), height // GRAIN_ROWS), 1)
    spread = np.linspace(0, max(height - GRAIN_ROWS, 0), count).astype(int)
    codes = np.concatenate([image.pixels[top : top + GRAIN_ROWS] for top in spread])
    light = decode(image.with_pixels(codes), response)
    return grain_of(light, saturation_weight(brightest_channel(codes), registered.clip))


def grain_of(light: np.ndarray, saturation_weight: np.ndarray) -> float:
    """How many times the variance of a typical photo the noise of a frame has.

    light: (h, w, 3) float32, 1.0 = the frame clips. saturation_weight: (h, w), see `Strip`.
    """
    level = np.array(GRAIN_LIGHT)
    measured = estimate_noise(light, saturation_weight).variance(level)
    return float(np.clip(measured / TYPICAL.variance(level), LEAST_GRAIN, MOST_GRAIN))


def seen(
    registered: RegisteredBracket,
    known: Known,
    light: np.ndarray,
    rows: slice,
    columns: slice,
    grain: float = 1.0,
) -> Seen:
    """What the network sees of some rows and columns, of which `light` (h', w', 3) is the merged radiance.

    grain: of the reference, see `grain_of`.
    The size is rounded up to multiples of `STEP`; the last row and column are repeated.
    """
    height, width = light.shape[:2]
    reference = registered.bracket.reference
    image = registered.bracket.frames[reference].image
    slope = np.float32(MU / LOG_MU) / (1 + np.float32(MU) * mean_channel(light))
    weight = known.weight(rows, columns)
    measured = weight > 0
    weight *= np.float32(1 / grain)
    np.maximum(weight, 1, out=weight)
    sd = np.clip(slope / np.sqrt(weight, out=weight), np.float32(LEAST_SD), np.float32(MOST_SD))
    planes = np.empty((MERGED_CHANNELS, -(-height // STEP) * STEP, -(-width // STEP) * STEP), np.float32)
    inside = planes[:, :height, :width]
    cv2.split(mu_code(light), list(inside[:3]))
    np.log2(sd, out=inside[3])
    inside[3] *= np.float32(1 / 8)
    inside[3] += 1
    inside[4] = known.coverage(rows, columns)
    cut = image.with_pixels(image.pixels[rows, columns])
    inside[5:] = cv2.split(_decode_mu(cut, registered.responses[reference]))
    repeat_edges(planes, height, width)
    return Seen(planes, sd, measured)


def moved(light: np.ndarray, seen: Seen, change: np.ndarray) -> np.ndarray:
    """(h', w', 3) float32 radiance: `light` as far changed as its noise and the network's answer say.

    change: (12, h / 2, w / 2), the network's answer: 2 x 2 pixels of three channels.
    """
    height, width = seen.sd.shape
    coverage = seen.planes[4, :height, :width]
    room = np.float32(REACH_SD) * seen.sd * coverage
    share, (rows, columns) = np.tanh(change), change.shape[1:]
    pixels = np.empty((3, rows, 2, 2 * columns), np.float32)
    for number in range(0, len(share), 2):  # pixel shuffle: four planes are the four pixels of every 2 x 2
        channel, row = divmod(number // 2, 2)
        pixels[channel, :, row] = cv2.merge(list(share[number : number + 2])).reshape(rows, 2 * columns)
    code = pixels.reshape(3, 2 * rows, 2 * columns)[:, :height, :width]
    code *= room
    code += seen.planes[:3, :height, :width]
    np.maximum(code, 0, out=code)
    code *= np.float32(LOG_MU)
    refined = cv2.merge(list(code))
    cv2.exp(refined, refined)
    refined -= 1
    refined *= np.float32(1 / MU)
    # a clipped level is a bound, and no noise is taken out of a bound
    bound = ~seen.measured & (coverage > 0.5)
    return where(per_channel(bound), light, refined) if bound.any() else refined


def _decode_mu(image: Image, response: Response) -> np.ndarray:
    """(h, w, 3) float32 mu code of an image's light."""
    if image.encoding == "srgb" and image.pixels.dtype == np.uint8:
        return look_up(image.pixels, mu_code(response.table(np.dtype(np.uint8))))
    return mu_code(decode(image, response))
