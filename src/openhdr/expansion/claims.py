"""What an expanded photo measured, recovered and invented, and what it claims above the clipping level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.expansion.photo import Photo

MEASURED, INVENTED = 0, 3
"""Ends of `provenance`; 1 and 2 between are channels recovered beside measured ones."""

COLOURS = np.array([[0, 0, 0], [255, 214, 10], [255, 122, 0], [214, 0, 52]], np.float32)
"""Of the map, by lost channels: yellow one, orange two, red all three."""

PAINT = 0.75  # how much of the colour covers the picture on the map


@dataclass(frozen=True)
class Claims:
    """Shares of pixels, and light with 1.0 = the photo clips.

    measured: no channel is lost (`Photo.lost`). recovered: one or two are, the others were measured. invented: all are.
    highest: the greatest value of the result; stops_above_clip: the same in stops, >= 0.
    invented_stops: median over invented pixels of the stops of their brightest channel, 0 where there are
    none.
    """

    measured: float
    recovered: float
    invented: float
    highest: float
    stops_above_clip: float
    invented_stops: float


def provenance(photo: Photo) -> np.ndarray:
    """(H, W) uint8: how many channels of a pixel are lost, 0 = measured ... 3 = invented."""
    red, green, blue = np.moveaxis(photo.lost.view(np.uint8), 2, 0)
    return red + green + blue


def claims_of(origin: np.ndarray, linear: np.ndarray) -> Claims:
    """The statistics. origin: `provenance` of the photo. linear: (H, W, 3), what was made of it."""
    counts = np.bincount(origin.ravel(), minlength=4) / origin.size
    highest = float(linear.max())
    red, green, blue = linear[origin == INVENTED].T if counts[INVENTED] else np.ones((3, 1), np.float32)
    brightest = np.maximum(np.maximum(red, green), blue)
    return Claims(
        measured=float(counts[MEASURED]),
        recovered=float(counts[1] + counts[2]),
        invented=float(counts[INVENTED]),
        highest=highest,
        stops_above_clip=float(np.log2(max(highest, 1.0))),
        invented_stops=float(np.median(np.log2(np.maximum(brightest, 1.0)))),
    )


def honest_map(photo: Photo, origin: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB: the photo in dark grey where it measured, COLOURS where light is recovered or
    invented.
    """
    grey = photo.code @ np.full(3, 160 / 3, np.float32)
    picture = np.repeat(grey[..., None], 3, axis=2)
    for count in (1, 2, INVENTED):
        where = origin == count
        picture[where] = (1 - PAINT) * picture[where] + PAINT * COLOURS[count]
    return np.rint(picture).astype(np.uint8)
