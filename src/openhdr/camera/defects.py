"""Defective sites of a sensor, hot and dead ones, found in the photos of a bracket.

A defect stands alone: it exceeds all sites of its colour around it, and the sites of the other colours beside it show
nothing of it. Light does not do that, not even a star, because every lens spreads it over several sites. What one
frame suggests, the others have to confirm at the same site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from openhdr.camera.mosaic import Mosaic
from openhdr.core.threads import in_threads

REACH = 3  # sites each way that are looked at around a suspect
SIGMAS, LEAST = 8.0, 0.005  # of noise, and share of the white level, by which a defect stands out
SPREAD = 0.04  # share of its excess that the sites beside it may show on average
CONFIRMED = 2.5  # sigmas, in half of the other frames
MOST_SHARE = 1e-3  # of the sites: more are no defects but a texture
STRIP_ROWS = 512
RING = np.ones((5, 5), np.uint8)
RING[2, 2] = 0


def without_defects(mosaics: Sequence[Mosaic]) -> list[Mosaic]:
    """Mosaics of one sensor, all with their noise, whose defective sites hold the median of their neighbours."""
    longest = max(mosaics, key=lambda mosaic: float(mosaic.values[::7, ::5].mean()))
    others = [mosaic for mosaic in mosaics if mosaic is not longest]
    strips = range(0, longest.shape[0], STRIP_ROWS)
    found = in_threads(lambda top: suspects(longest, slice(top, top + STRIP_ROWS)), strips)
    y, x, sign = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not 0 < len(y) < MOST_SHARE * longest.values.size:
        return list(mosaics)
    agree = np.zeros(len(y))
    for mosaic in others:
        site, typical, sigma = around(mosaic, y, x)[:3]
        agree += sign * (site - typical) > CONFIRMED * sigma
    sure = 2 * agree >= max(len(others), 1)
    return [replaced(mosaic, y[sure], x[sure]) for mosaic in mosaics]


def suspects(mosaic: Mosaic, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y, x (N,) of sites of some rows that stand alone, and 1 for hot ones or -1 for dead ones."""
    height = mosaic.shape[0]
    wide = slice(max(rows.start - 2, 0), min(rows.stop + 2, height))
    light, colours = mosaic.light(wide), mosaic.tiled(mosaic.pattern, wide)
    places = []
    for sign in (1, -1):
        for colour in np.unique(mosaic.pattern):
            own = colours == colour
            highest = cv2.dilate(np.where(own, sign * light, -np.inf).astype(np.float32), RING)
            own[: rows.start - wide.start] = own[rows.stop - wide.start :] = False  # of the strips beside
            down, across = np.nonzero(own & (sign * light > highest + np.float32(LEAST)))
            places.append((down + wide.start, across, np.full(len(down), sign)))
    y, x, signs = (np.concatenate(parts) for parts in zip(*places, strict=True))
    site, typical, sigma, beside = around(mosaic, y, x)
    excess = signs * (site - typical)
    alone = (excess > SIGMAS * sigma) & (np.abs(beside) < SPREAD * excess)
    return y[alone], x[alone], signs[alone]


def around(
    mosaic: Mosaic, y: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of sites (N,): their white-balanced light, the median of their colour around, how far that scatters, and the mean
    excess over their own colours of the sites beside them."""
    steps = np.arange(-REACH, REACH + 1)
    rows = (y[:, None] + steps)[:, :, None]
    columns = (x[:, None] + steps)[:, None, :]
    inside = (rows >= 0) & (rows < mosaic.shape[0]) & (columns >= 0) & (columns < mosaic.shape[1])
    rows, columns = np.clip(rows, 0, mosaic.shape[0] - 1), np.clip(columns, 0, mosaic.shape[1] - 1)
    period = len(mosaic.pattern)
    colour = mosaic.pattern[rows % period, columns % period]
    black, white = (one[rows % period, columns % period] for one in (mosaic.black, mosaic.white))
    gains = mosaic.gains[colour]
    light = (mosaic.values[rows, columns] - black) / (white - black) * gains
    far = np.maximum(np.abs(steps)[:, None], np.abs(steps))
    background = np.empty_like(light)
    for number in np.unique(mosaic.pattern):
        theirs = np.where((colour == number) & inside & (far > 1), light, np.nan)
        median = np.nanmedian(theirs.reshape(len(y), -1), axis=1) if len(y) else np.empty(0)
        background = np.where(colour == number, median[:, None, None], background)
    assert mosaic.noise is not None
    site, typical, gain = (one[:, REACH, REACH] for one in (light, background, gains))
    own = np.where((colour == colour[:, REACH, REACH, None, None]) & inside & (far > 1), light, np.nan)
    texture = (
        np.nanmedian(np.abs(own - typical[:, None, None]).reshape(len(y), -1), axis=1) if len(y) else typical
    )
    sigma = np.sqrt(gain**2 * mosaic.noise.variance(typical / gain) + np.square(texture))
    near = (far == 1) & inside
    beside = ((light - background) * near).sum(axis=(1, 2)) / np.maximum(near.sum(axis=(1, 2)), 1)
    return site, typical, sigma, beside


def replaced(mosaic: Mosaic, y: np.ndarray, x: np.ndarray) -> Mosaic:
    """The mosaic with the median of their colour around at some sites."""
    if not len(y):
        return mosaic
    period = len(mosaic.pattern)
    phase = (y % period, x % period)
    light = around(mosaic, y, x)[1] / mosaic.gains[mosaic.pattern[phase]]
    codes = mosaic.black[phase] + light * (mosaic.white - mosaic.black)[phase]
    values = mosaic.values.copy()
    values[y, x] = np.rint(codes) if values.dtype == np.uint16 else codes
    note = f"{len(y)} defective sites of the sensor were replaced by their neighbours."
    return replace(mosaic, values=values, notes=(*mosaic.notes, note))
