"""The camera's response, measured on a registered bracket, where the frames tell more than the assumed one.

A few thousand places that are flat in every frame and spread over all levels are looked up in the frames' own codes;
no frame is resampled as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from openhdr.camera.exposure import all_equal
from openhdr.camera.recovery import recover
from openhdr.camera.remembered import camera_of
from openhdr.camera.response import MEAN_OF_CAMERAS, TYPICAL_RESPONSE, Response, analytic
from openhdr.geometry import frame_positions
from openhdr.merging.registered import RegisteredBracket

CANDIDATES = 60_000  # places that are looked at
CLASSES, PER_CLASS = 64, 80  # brightness classes of equal size, and places taken from each
FLATTEST = 0.5  # share of a class's places that are taken as flat
BETTER = 0.9  # prediction error, relative to the assumed curve's, under which the recovered one is taken
TOO_LITTLE = "share too few well exposed places"
FOLLOWED = 2.55  # prediction error, in 8-bit codes, up to which frames follow a curve that they have no better one for


@dataclass(frozen=True)
class MeasuredResponse:
    """What decides the response of a bracket.

    response: a curve with a measured error, or None where sRGB stays or the curve was given. origin: one phrase on
    where the response comes from; empty where it was given. follows_srgb: the frames were seen to.
    """

    response: Response | None = None
    origin: str = ""
    follows_srgb: bool = False


def measure_response(
    registered: RegisteredBracket, known: Response | None = None, insist: bool = False
) -> MeasuredResponse:
    """Recover the response from the registered frames and judge it.

    known: a curve that takes sRGB's place. insist: take the recovered curve even if it is no better.
    """
    if registered.bracket.frames[0].image.encoding == "linear":
        return MeasuredResponse()
    image = registered.bracket.frames[0].image
    found = None
    order = np.argsort(registered.bracket.ev, kind="stable")  # one curve, in whatever order photos are given
    if not (burst := all_equal(registered.bracket.ev)):
        found = recover(
            registered_codes(registered, order),
            registered.bracket.ev[order],
            registered.clip / image.full_scale * 255,
            known,
        )
    if found and (insist or found.error <= BETTER * found.assumed_error):
        return MeasuredResponse(found.response, f"from these photos, {percent(found.error)} error")
    if not (found or known or burst) and camera_of(image.metadata):
        # what a camera shows is a third more contrasty than sRGB on average; what programs render is not
        typical = replace(analytic(TYPICAL_RESPONSE), name=MEAN_OF_CAMERAS)
        return MeasuredResponse(typical, f"{typical.name}, because the frames {TOO_LITTLE}")
    if known:
        error = found.assumed_error if found else known.error
        return MeasuredResponse(replace(known, error=error), f"{known.name}, {percent(error)} error")
    if burst:
        return MeasuredResponse(origin="sRGB assumed, because all exposures are equal")
    why = "follow it as well as one of their own" if found else TOO_LITTLE
    follows = found is not None and found.assumed_error <= FOLLOWED
    return MeasuredResponse(origin=f"sRGB assumed, because the frames {why}", follows_srgb=follows)


def percent(error: float) -> str:
    """An error in 8-bit codes as a share of the full scale."""
    return f"{error / 2.55:.1f} %"


def with_measured(registered: RegisteredBracket, measured: MeasuredResponse) -> RegisteredBracket:
    """The bracket decoded by its measured response, with the noise that its prediction error states."""
    if measured.response is None:
        return registered
    return replace(
        registered,
        responses=[measured.response] * len(registered.responses),
        noise=measured.response.noise,
    )


def registered_codes(registered: RegisteredBracket, order: np.ndarray) -> np.ndarray:
    """(P, N, 3) float32 codes 0..255 of flat places in every frame, means over 3x3 pixels; NaN outside of a frame.

    order: (N,) indices of the frames as they are to stand.
    """
    height, width = registered.shape
    step = max((height * width / CANDIDATES) ** 0.5, 1)
    y, x = np.meshgrid(
        np.arange(step / 2, height, step, dtype=np.float32),
        np.arange(step / 2, width, step, dtype=np.float32),
        indexing="ij",
    )
    x, y = np.floor(x.ravel()), np.floor(y.ravel())
    codes = np.full((len(x), len(registered.registrations), 3), np.nan, np.float32)
    unevenness = np.zeros(len(x), np.float32)
    for place, index in enumerate(order):
        registration = registered.registrations[index]
        if registration.status == "rejected":
            continue
        where = np.rint(frame_positions(registration, x, y, registered.shape)).astype(int)
        column, row = where[..., 0], where[..., 1]
        inside = (column >= 1) & (column < width - 1) & (row >= 1) & (row < height - 1)
        inside[inside] &= ~_border(registered, index, row[inside], column[inside])
        mean, spread = _neighbourhoods(registered, index, row[inside], column[inside])
        codes[inside, place] = mean
        unevenness[inside] = np.maximum(unevenness[inside], spread)
    return codes[_flat_and_spread(codes, unevenness)]


def _border(registered: RegisteredBracket, index: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    invalid = registered.invalid[index]
    return np.zeros(len(row), bool) if invalid is None else invalid[row, column]


def _neighbourhoods(
    registered: RegisteredBracket, index: int, row: np.ndarray, column: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """((P, 3) mean code, (P,) standard deviation) of 3x3 pixels."""
    image = registered.bracket.frames[index].image
    total = np.zeros((len(row), 3), np.float32)
    squares = np.zeros_like(total)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            code = image.pixels[row + dy, column + dx].astype(np.float32) * np.float32(255 / image.full_scale)
            total += code
            squares += code * code
    mean = total / 9
    return mean, np.sqrt(np.maximum(squares / 9 - mean * mean, 0)).mean(axis=1)


def _flat_and_spread(codes: np.ndarray, unevenness: np.ndarray) -> np.ndarray:
    """Indices of the flattest places of each brightness class."""
    measured = ((codes > 2) & (codes < 253)).all(axis=2).sum(axis=1) >= 2
    index = np.flatnonzero(measured)
    if not len(index):
        return index
    brightness = np.nansum(codes[index], axis=(1, 2))
    rng = np.random.default_rng(0)
    chosen = []
    for part in np.array_split(index[np.argsort(brightness, kind="stable")], CLASSES):
        flat = part[np.argsort(unevenness[part], kind="stable")[: max(int(len(part) * FLATTEST), 1)]]
        chosen.append(rng.permutation(flat)[:PER_CLASS])
    return rng.permutation(np.concatenate(chosen))
