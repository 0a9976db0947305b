"""Lateral chromatic aberration: a lens draws red and blue a little larger or smaller than green.

It is measured in the photos themselves and taken back before they are merged. Around the centre of the picture a point
that green shows at radius r is shown by the other channel at r (1 + a + b r^2), r = 1 in the corners: the first two
terms of the radial model of Mallon and Whelan (2007, Calibration and removal of lateral chromatic aberration in images,
eq. 3). a and b minimise the difference of fine detail between the channels over all photos, by Gauss-Newton steps; what
an object's own colours differ by has no direction and averages out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from openhdr.camera.clipping import clip_code
from openhdr.camera.mosaic import Mosaic, proxy
from openhdr.color.channels import all_channels
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.core.threads import in_threads

WORKING_PIXELS = 2_000_000  # of the picture in which it is measured
STEPS = 5
DETAIL = (0.7, 3.0)  # sigmas in pixels: detail lies between them
SEEN = (0.02, 0.9)  # light that counts: above noise, below clipping
EDGES = 0.2  # share of the places that count: those of the steepest detail
SPREAD = 2.0  # of the median difference there, at which a place counts half
MOST = 0.01  # share of the radius that is believed
LEAST_PX = 0.05  # shift in the corners that is worth correcting
LEAST_ALIKE = 0.3  # correlation with green below which a channel shows other things, or noise
STRIP_ROWS = 128
BESIDE_CLIPPED = 0.9  # of the clipping code, from which a pixel that touches a clipped one counts as clipped
CLIPPED = 0.985  # share of the white level from which a site is clipped
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class LateralCA:
    """(2, 2) float64: a and b of red, and of blue. Zeros = none."""

    coefficients: np.ndarray

    def corner_shift(self, shape: tuple[int, int]) -> np.ndarray:
        """(2,) pixels by which red and blue lie too far out in the corners of a picture (H, W)."""
        shift: np.ndarray = self.coefficients.sum(axis=1) * np.hypot(*shape) / 2
        return shift

    @property
    def channels(self) -> list[int]:
        """Those that are displaced: 0 red, 2 blue."""
        return [channel for channel in (0, 2) if self.coefficients[channel // 2].any()]

    def places(
        self,
        channel: int,
        shape: tuple[int, int],
        rows: slice,
        first: tuple[int, int] = (0, 0),
        step: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """x, y (h, w) float32 at which a plane of a channel (0 or 2) is read for the places where green is.

        The plane holds every `step`th pixel of a picture of `shape`, from `first` on; x, y and rows count its pixels.
        """
        centre = (np.array(shape) - 1) / 2
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] * step + (first[0] - centre[0])
        x = np.arange(first[1], shape[1], step, dtype=np.float32) - centre[1]
        a, b = self.coefficients[channel // 2]
        scale = 1 + a + b / np.square(centre).sum() * (x * x + y * y)
        found = (x * scale + centre[1] - first[1]) / step, (y * scale + centre[0] - first[0]) / step
        return found[0].astype(np.float32), found[1].astype(np.float32)


def corrected_images(images: Sequence[Image]) -> list[Image]:
    """Photos of one lens, zoom and size without its lateral chromatic aberration; what was found is in their notes."""
    pictures = [
        np.sqrt(np.clip(image.pixels.astype(np.float32) / image.full_scale, 0, 1)) for image in images
    ]
    if images[0].encoding == "srgb":
        pictures = [np.square(picture) for picture in pictures]  # codes are near the root of light already
    found, shape = measured(pictures), (images[0].height, images[0].width)
    clip = clip_code(images)

    def correct(image: Image) -> Image:
        pixels = image.pixels.copy()
        for channel in found.channels:
            plane = np.ascontiguousarray(image.pixels[..., channel])
            pixels[..., channel] = _resampled(plane, partial(found.places, channel, shape), clip)
        return image.with_pixels(pixels)

    return [correct(image).with_notes(_note(found, shape)) for image in images]


def corrected_mosaics(mosaics: Sequence[Mosaic]) -> list[Mosaic]:
    """The same of sensor values behind a Bayer array: red and blue sites take what lies where green is."""
    first = mosaics[0]
    if first.monochrome:
        return list(mosaics)
    if first.pattern.shape != (2, 2):
        raise RequestError("`correct_ca`: this array is no Bayer array; give `raw_domain=off`, too")
    found, shape = measured([np.sqrt(proxy(mosaic)) for mosaic in mosaics]), first.shape

    def correct(mosaic: Mosaic) -> Mosaic:
        values = mosaic.values.copy()
        for row, column in np.argwhere(np.isin(mosaic.pattern, found.channels)).tolist():
            sites = (slice(row, None, 2), slice(column, None, 2))
            black, white = mosaic.black[row, column], mosaic.white[row, column]
            plane, clip = np.ascontiguousarray(mosaic.values[sites]), black + CLIPPED * (white - black)
            places = partial(found.places, mosaic.pattern[row, column], shape, first=(row, column), step=2)
            values[sites] = _resampled(plane, places, clip)
        return replace(mosaic, values=values, notes=(*mosaic.notes, _note(found, shape)))

    return [correct(mosaic) for mosaic in mosaics]


def _note(found: LateralCA, shape: tuple[int, int]) -> str:
    red, blue = found.corner_shift(shape)
    if not (red or blue):
        return "No lateral chromatic aberration was found."
    return (
        f"Lateral chromatic aberration was corrected: red {red:+.2f} px, blue {blue:+.2f} px in the corners."
    )


def _resampled(
    plane: np.ndarray, places: Callable[[slice], tuple[np.ndarray, np.ndarray]], clip: float
) -> np.ndarray:
    """A plane read at the places of its rows. Nothing leaves its neighbourhood's range; what clips stays clipped."""
    out = np.empty_like(plane)
    low, high = cv2.erode(plane, SQUARE), cv2.dilate(plane, SQUARE)

    def work(top: int) -> None:
        rows = slice(top, min(top + STRIP_ROWS, len(plane)))
        where = cv2.convertMaps(*places(rows), cv2.CV_16SC2)
        value, least, most = (
            cv2.remap(source, *where, kind, borderMode=cv2.BORDER_REPLICATE)
            for source, kind in (
                (plane, cv2.INTER_CUBIC),
                (low, cv2.INTER_NEAREST),
                (high, cv2.INTER_NEAREST),
            )
        )
        value = np.clip(value, least, most)
        out[rows] = np.where((most >= clip) & (value > BESIDE_CLIPPED * clip), most, value)

    in_threads(work, range(0, len(plane), STRIP_ROWS))
    return out


def measured(pictures: Sequence[np.ndarray]) -> LateralCA:
    """What photos of one lens show. pictures: (H, W, 3) float32 0..1, about the root of light, 1 = clips."""
    found = LateralCA(np.zeros((2, 2)))
    details = [detail_of(picture) for picture in pictures]
    for _ in range(STEPS):
        steps = [gauss_newton_step(details, channel, found) for channel in (0, 2)]
        found = LateralCA(np.clip(found.coefficients + steps, -MOST, MOST))
    alike = np.array([correlation(details, channel, found) for channel in (0, 2)]) > LEAST_ALIKE
    large = alike & (np.abs(found.corner_shift(pictures[0].shape[:2])) > LEAST_PX)
    return LateralCA(np.where(large[:, None], found.coefficients, 0))


def detail_of(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fine detail (h, w, 3) of a picture, shrunk, and (h, w) bool where all channels are seen."""
    height, width = picture.shape[:2]
    factor = max(int(np.ceil((height * width / WORKING_PIXELS) ** 0.5)), 1)
    size = (width // factor, height // factor)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if factor > 1 else picture
    fine, coarse = (cv2.GaussianBlur(small, (0, 0), sigma) for sigma in DETAIL)
    level = np.square(small)
    seen = all_channels((level > SEEN[0]) & (level < SEEN[1])).view(np.uint8)
    return fine - coarse, cv2.erode(seen, np.ones((9, 9), np.uint8)) > 0


def correlation(details: Sequence[tuple[np.ndarray, np.ndarray]], channel: int, found: LateralCA) -> float:
    """-1..1, of the corrected detail of a channel with green's: 0 where they show different things."""
    sums = np.full(3, 1e-12)
    for detail, seen in details:
        places = found.places(channel, detail.shape[:2], slice(0, len(detail)))
        other = cv2.remap(np.ascontiguousarray(detail[..., channel]), *places, cv2.INTER_CUBIC)[seen]
        green = detail[..., 1][seen]
        sums += [float(green @ other), float(green @ green), float(other @ other)]
    return float(sums[0] / np.sqrt(sums[1] * sums[2]))


def gauss_newton_step(
    details: Sequence[tuple[np.ndarray, np.ndarray]], channel: int, found: LateralCA
) -> np.ndarray:
    """(2,) what is added to a and b of a channel: least squares of what its detail still differs by from green's."""
    normal, right = np.eye(2) * 1e-9, np.zeros(2)
    for detail, seen in details:
        shape = detail.shape[:2]
        x, y = found.places(channel, shape, slice(0, shape[0]))
        other = cv2.remap(np.ascontiguousarray(detail[..., channel]), x, y, cv2.INTER_CUBIC)
        green = np.ascontiguousarray(detail[..., 1])
        both = (green + other) / 2
        across, down = (cv2.Sobel(both, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
        x -= np.float32((shape[1] - 1) / 2)
        y -= np.float32((shape[0] - 1) / 2)
        steep = np.hypot(across, down)[seen]
        if not len(steep):
            continue
        edges = seen & (np.hypot(across, down) > np.quantile(steep, 1 - EDGES))
        slope, error = (across * x + down * y)[edges].astype(np.float64), (green - other)[edges]
        weight = 1 / (1 + np.square(error / (SPREAD * np.median(np.abs(error)) + 1e-6)))  # Cauchy's
        square = (x * x + y * y)[edges] / (np.square(np.array(shape) - 1).sum() / 4)
        design = np.stack([slope, slope * square], axis=1)
        normal += (design * weight[:, None]).T @ design
        right += (design * weight[:, None]).T @ error
    return np.linalg.solve(normal, right)
