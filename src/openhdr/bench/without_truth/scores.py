"""Scores of merged light on photos alone: how well the light explains what a camera made of it.

No truth is needed. A photo's codes are a rising function of the light, whatever the camera's curve; what the best
rising curve from light to codes leaves over is the light's error: noise, ghosts, seams, wrong colours.

    per_channel   one curve for each channel of each photo; blind to the colour of the light
    shared        one curve for the three channels of a photo; wrong colours count
    one_curve     one curve for all photos and channels, from light x 2^EV; a wrong scale between photos counts

All are PSNRs in 8-bit codes (peak 255) over a photo's usable pixels, and means over the photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openhdr.metrics.psnr import rising_curve

LOWEST_CODE, HIGHEST_CODE = 5, 249  # of 255: a pixel with all its codes within is usable
LEAST_USABLE = 0.02  # share of a photo's pixels; photos with fewer are left out


@dataclass(frozen=True)
class Photo:
    """A photo to explain. codes: (H, W, 3) uint8. ev: stops, relative to the scale of the light."""

    codes: np.ndarray
    ev: float

    @property
    def usable(self) -> np.ndarray:
        """(H, W) bool: neither near black nor near clipping in any channel."""
        return np.all((self.codes >= LOWEST_CODE) & (self.codes <= HIGHEST_CODE), axis=2)


def usable_photos(photos: Sequence[Photo]) -> list[Photo]:
    """The photos with enough usable pixels to be scored on."""
    return [photo for photo in photos if photo.usable.mean() >= LEAST_USABLE]


def per_channel(light: np.ndarray, photos: Sequence[Photo]) -> float:
    """PSNR in dB with a curve for each channel. light: (H, W, 3) linear, in the geometry of the photos."""
    return float(np.mean([_psnr(_left_over(light, photo, joint=False)) for photo in photos]))


def shared(light: np.ndarray, photos: Sequence[Photo]) -> float:
    """PSNR in dB with a curve for each photo."""
    return float(np.mean([_psnr(_left_over(light, photo, joint=True)) for photo in photos]))


def one_curve(light: np.ndarray, photos: Sequence[Photo]) -> float:
    """PSNR in dB with one curve for all photos."""
    exposed = [light[photo.usable] * np.float32(2.0**photo.ev) for photo in photos]
    codes = [photo.codes[photo.usable] for photo in photos]
    curve = rising_curve(np.concatenate(exposed).ravel(), np.concatenate(codes).ravel())
    return float(np.mean([_psnr(np.interp(x, *curve) - y) for x, y in zip(exposed, codes, strict=True)]))


def prediction(light: np.ndarray, photo: Photo) -> np.ndarray:
    """(H, W, 3) uint8: the photo as the light and one curve show it."""
    usable = photo.usable
    curve = rising_curve(light[usable].ravel(), photo.codes[usable].ravel())
    return np.rint(np.interp(light, *curve)).astype(np.uint8)


def _left_over(light: np.ndarray, photo: Photo, joint: bool) -> np.ndarray:
    """(P, 3) codes that the best curves leave over."""
    x, y = light[photo.usable], photo.codes[photo.usable]
    if joint:
        return np.interp(x, *rising_curve(x.ravel(), y.ravel())) - y
    return np.stack([np.interp(x[:, c], *rising_curve(x[:, c], y[:, c])) - y[:, c] for c in range(3)], axis=1)


def _psnr(error: np.ndarray) -> float:
    """dB of an error in 8-bit codes."""
    square = float(np.mean(np.square(error, dtype=np.float64)))
    return float(10 * np.log10(255**2 / square)) if square else np.inf
