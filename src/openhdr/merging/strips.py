"""Run a merger over the picture strip by strip, in threads, and fill what no frame saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.camera.mosaic import Mosaic
from openhdr.color.channels import along_row, where
from openhdr.core import progress
from openhdr.core.threads import in_threads
from openhdr.geometry import resize_strip
from openhdr.merging.registered import CLIPPED_SHARE, RegisteredBracket, Strip, strips_of, widened

MARGIN_ROWS = 1  # mergers may look at a pixel's neighbours
HARDLY_SEEN = np.float32(0.05)  # consistency times saturation weight, summed over the frames
MEASURED = 0.5  # share of what was seen below which nothing counts as measured
BRIGHT = np.float32(0.8)  # share of the reference's clipping level from which on the hole fill is shown
_ALL = slice(None)


class Known:
    """How much is known about the pixels of a merged picture, in 3 bytes each.

    Of a weight the upper half of its float32 is kept (bfloat16, right to 0.8 %), of a coverage 8 bits: 120 MB less at
    24 megapixels, and the time to have so much memory.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._weight = np.empty(shape, np.uint16)
        self._coverage = np.empty(shape, np.uint8)

    def put(self, rows: slice, weight: np.ndarray, coverage: np.ndarray) -> None:
        """Keep weight and coverage of some rows, (h, W) float32 each."""
        self._weight[rows] = weight.view(np.uint32) >> np.uint32(16)
        cv2.convertScaleAbs(coverage, self._coverage[rows], alpha=255)

    def weight(self, rows: slice = _ALL, columns: slice = _ALL) -> np.ndarray:
        """(h, w) float32 >= 0; what the merger gives, for `mle` the inverse variance; 0 = nothing was measured."""
        return (self._weight[rows, columns].astype(np.uint32) << np.uint32(16)).view(np.float32)

    def coverage(self, rows: slice = _ALL, columns: slice = _ALL) -> np.ndarray:
        """(h, w) float32 0..1; 1 = measured, 0 = shown by the hole fill."""
        return self._coverage[rows, columns] * np.float32(1 / 255)


@dataclass(frozen=True)
class Merged:
    """A merged picture.

    pixels: (H, W, 3) float32, finite and >= 0; light, 1.0 = the reference clips, or sRGB codes 0..1 for display.
    known: how much is known about them; None where nobody asks.
    mosaic: the merged sensor values that the pixels were developed from, of camera RAW.
    """

    pixels: np.ndarray
    known: Known | None = None
    mosaic: Mosaic | None = None


def merge_strips(
    registered: RegisteredBracket,
    combine: Callable[[Strip], tuple[np.ndarray, np.ndarray]],
    knowing: bool = False,
) -> Merged:
    """The merged picture. combine: see `StripMerger`. knowing: also how much is known about it."""
    height, width = shape = registered.shape
    result = Merged(np.empty((*shape, 3), np.float32), Known(shape) if knowing else None)

    def work(rows: slice) -> None:
        wide, inner = widened(rows, MARGIN_ROWS, height)
        strip = registered.strip(wide)
        radiance, weight = combine(strip)
        radiance, weight, strip = radiance[inner], weight[inner], strip.cut(inner)
        _fill_unseen(radiance, weight, strip)
        coverage = coverage_of(strip)
        _show_hole_fill(radiance, coverage, strip, registered, rows)
        result.pixels[rows] = radiance
        if result.known is not None:
            result.known.put(rows, weight, coverage)
        advance()

    strips = strips_of(height, width)
    with progress.task("merging", len(strips)) as advance:
        in_threads(work, strips)
    return result


def coverage_of(strip: Strip) -> np.ndarray:
    """(h, W) float32 0..1: how far consistent, unsaturated frames cover each pixel.

    The shortest frame counts where it clips, too: no frame could tell more than its bound. So does a frame that the
    user chose.
    """
    total = strip.consistency[strip.shortest].copy()
    for index, usable in enumerate(strip.usable):
        if index != strip.shortest:
            total += usable
    if strip.chosen is not None:
        total += strip.chosen
    return np.minimum(total, 1, out=total)


def _fill_unseen(radiance: np.ndarray, weight: np.ndarray, strip: Strip) -> None:
    """Where nothing usable was seen: the shortest consistent frame's clipped level, else the reference as it is.

    What is hardly consistent fades out: it must not win because all else is saturated.
    """
    seen = strip.usable[0].copy()
    for usable in strip.usable[1:]:
        seen += usable
    unseen = np.flatnonzero((seen < HARDLY_SEEN) | (weight <= 0))
    if not len(unseen):
        return
    share = np.where(weight.ravel()[unseen] > 0, np.minimum(seen.ravel()[unseen] / HARDLY_SEEN, 1), 0)
    share = share.astype(np.float32)
    value = np.empty((len(unseen), 3), np.float32)
    left = np.arange(len(unseen))  # whose value is not known yet
    for index in np.argsort(strip.ev):
        consistent = strip.consistency[index].ravel()[unseen[left]] > 0
        take, left = left[consistent], left[~consistent]
        value[take] = _neutral(strip, index, unseen[take]) * np.float32(2.0 ** -strip.ev[index])
    value[left] = _neutral(strip, strip.reference, unseen[left])
    rows, columns = np.divmod(unseen, weight.shape[1])
    radiance[rows, columns] = value + share[:, None] * (radiance[rows, columns] - value)
    weight.ravel()[unseen[share < MEASURED]] = 0


def _neutral(strip: Strip, index: int, pixels: np.ndarray) -> np.ndarray:
    """(P, 3) light of a frame at flat positions, clipped channels raised to the highest clipping level of the three.

    The channels of a calibrated response clip at unlike levels; taken as they are they would tint every highlight.
    """
    light, top = strip.light[index].reshape(-1, 3)[pixels], strip.top[index]
    if not np.isfinite(top).all():
        return light
    return np.where(light >= np.float32(CLIPPED_SHARE) * top, light * (top.max() / top), light)


def _show_hole_fill(
    radiance: np.ndarray, coverage: np.ndarray, strip: Strip, registered: RegisteredBracket, rows: slice
) -> None:
    """As far as no consistent frame measured a place, show the hole fill in the reference's clipped channels."""
    if registered.hole_fill is None:
        return
    unmeasured = np.flatnonzero((coverage < 1).any(axis=1))
    if not len(unmeasured):
        return
    part = slice(int(unmeasured[0]), int(unmeasured[-1]) + 1)
    reference, shown_here = strip.light[strip.reference][part], radiance[part]
    # channels well below clipping keep the reference's fine detail; the hole fill may be at a smaller size
    bright = reference > along_row(BRIGHT * strip.top[strip.reference], reference.shape[1])
    picture_rows = slice(rows.start + part.start, rows.start + part.stop)
    shown = resize_strip(registered.hole_fill, picture_rows, registered.shape)
    shown = where(bright, np.maximum(shown, reference), reference)
    blind = 1 - coverage[part]
    cv2.accumulateProduct(shown - shown_here, cv2.merge((blind, blind, blind)), shown_here)
