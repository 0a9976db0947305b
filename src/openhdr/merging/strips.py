"""Run a merger over the picture strip by strip, in threads, and fill what no frame saw."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from openhdr.core import progress
from openhdr.core.threads import cores
from openhdr.merging.samples import CLIPPED_SHARE, Samples, Stack, resize_strip

Combine = Callable[[Samples], tuple[np.ndarray, np.ndarray]]

MARGIN_ROWS = 1  # mergers may look at a pixel's neighbours
HARDLY_SEEN = np.float32(0.05)  # trust times headroom, summed over the frames
MEASURED = 0.5  # share of what was seen below which nothing counts as measured
BRIGHT = np.float32(0.8)  # share of the reference's clipping level from which on the backdrop is shown
STRIP_PIXELS = 240_000  # small enough for a core's cache, large enough that NumPy's calls do not count


@dataclass(frozen=True)
class Merged:
    """A merged picture and how much is known about it.

    radiance: (H, W, 3) float32, finite and >= 0; 1.0 = the reference clips.
    weight: (H, W) float32 >= 0; what the merger gives, for `mle` the inverse variance; 0 = nothing was measured.
    coverage: (H, W) float32 0..1; 1 = measured, 0 = shown by the backdrop.
    """

    radiance: np.ndarray
    weight: np.ndarray
    coverage: np.ndarray


def merge_strips(stack: Stack, combine: Combine) -> np.ndarray:
    """(H, W, 3) float32 radiance, finite and >= 0; 1.0 = the reference clips."""
    result = np.empty((*stack.shape, 3), np.float32)

    def keep(rows: slice, strip: Merged) -> None:
        result[rows] = strip.radiance

    _each_strip(stack, combine, keep)
    return result


def merge_known(stack: Stack, combine: Combine) -> Merged:
    """The same, with what is known about it."""
    result = Merged(
        np.empty((*stack.shape, 3), np.float32),
        np.empty(stack.shape, np.float32),
        np.empty(stack.shape, np.float32),
    )

    def keep(rows: slice, strip: Merged) -> None:
        result.radiance[rows] = strip.radiance
        result.weight[rows] = strip.weight
        result.coverage[rows] = strip.coverage

    _each_strip(stack, combine, keep)
    return result


def _each_strip(stack: Stack, combine: Combine, keep: Callable[[slice, Merged], None]) -> None:
    height, width = stack.shape
    step = max(STRIP_PIXELS // width, 8)
    strips = [slice(top, min(top + step, height)) for top in range(0, height, step)]

    def work(rows: slice) -> None:
        wide = slice(max(rows.start - MARGIN_ROWS, 0), min(rows.stop + MARGIN_ROWS, height))
        inner = slice(rows.start - wide.start, rows.stop - wide.start)
        samples = stack.samples(wide)
        radiance, weight = combine(samples)
        radiance, weight, samples = radiance[inner], weight[inner], samples.cut(inner)
        _fill_unseen(radiance, weight, samples)
        coverage = coverage_of(samples)
        _show_backdrop(radiance, coverage, samples, stack, rows)
        keep(rows, Merged(radiance, weight, coverage))

    with progress.task("merging", len(strips)) as advance, ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(work, strips):
            advance()


def coverage_of(samples: Samples) -> np.ndarray:
    """(h, W) float32 0..1: how far trusted frames with headroom cover each pixel.

    The shortest frame counts where it clips, too: no frame could tell more than its bound.
    """
    total = samples.trust[samples.shortest].copy()
    for index, usable in enumerate(samples.usable):
        if index != samples.shortest:
            total += usable
    return np.minimum(total, 1, out=total)


def _fill_unseen(radiance: np.ndarray, weight: np.ndarray, samples: Samples) -> None:
    """Where nothing usable was seen: the shortest trusted frame's clipped level, else the reference as it is.

    What is hardly trusted must not win because nothing else has headroom: it fades out.
    """
    seen = np.sum(samples.usable, axis=0)
    share = np.where(weight > 0, np.minimum(seen / HARDLY_SEEN, 1), 0).astype(np.float32).ravel()
    unseen = np.flatnonzero(share < 1)
    if not len(unseen):
        return
    value = _neutral(samples, samples.reference, unseen)
    known = np.zeros(len(unseen), bool)
    for index in np.argsort(samples.ev):
        take = (samples.trust[index].ravel()[unseen] > 0) & ~known
        value[take] = _neutral(samples, index, unseen[take]) * np.float32(2.0 ** -samples.ev[index])
        known |= take
    rows, columns = np.divmod(unseen, weight.shape[1])
    radiance[rows, columns] = value + share[unseen][:, None] * (radiance[rows, columns] - value)
    weight.ravel()[unseen[share[unseen] < MEASURED]] = 0


def _neutral(samples: Samples, index: int, pixels: np.ndarray) -> np.ndarray:
    """(P, 3) light of a frame at flat positions, clipped channels raised to the highest clipping level of the three.

    The channels of a calibrated response clip at unlike levels; taken as they are they would tint every highlight.
    """
    light, top = samples.light[index].reshape(-1, 3)[pixels], samples.top[index]
    if not np.isfinite(top).all():
        return light
    return np.where(light >= np.float32(CLIPPED_SHARE) * top, light * (top.max() / top), light)


def _show_backdrop(
    radiance: np.ndarray, coverage: np.ndarray, samples: Samples, stack: Stack, rows: slice
) -> None:
    """As far as no trusted frame measured a place, show the backdrop in the reference's clipped channels."""
    blind = coverage < 1
    if stack.backdrop is None or not blind.any():
        return
    backdrop = resize_strip(stack.backdrop, rows, stack.shape)[blind]
    reference = samples.light[samples.reference][blind]
    # channels well below clipping keep the reference's fine detail; the backdrop may be at a smaller size
    bright = reference > BRIGHT * samples.top[samples.reference]
    shown = np.where(bright, np.maximum(backdrop, reference), reference)
    radiance[blind] = shown + coverage[blind][:, None] * (radiance[blind] - shown)
