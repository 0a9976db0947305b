"""Run a merger over the picture strip by strip, in threads, and fill what no frame saw."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from openhdr.core import progress
from openhdr.merging.samples import CLIPPED_SHARE, Samples, Stack, resize_strip

Combine = Callable[[Samples], tuple[np.ndarray, np.ndarray]]

MARGIN_ROWS = 1  # mergers may look at a pixel's neighbours
STRIP_PIXELS = 240_000  # small enough for a core's cache, large enough that NumPy's calls do not count


def merge_strips(stack: Stack, combine: Combine) -> np.ndarray:
    """(H, W, 3) float32 radiance, finite and >= 0; 1.0 = the reference clips."""
    height, width = stack.shape
    step = max(STRIP_PIXELS // width, 8)
    strips = [slice(top, min(top + step, height)) for top in range(0, height, step)]
    result = np.empty((height, width, 3), np.float32)

    def work(rows: slice) -> None:
        wide = slice(max(rows.start - MARGIN_ROWS, 0), min(rows.stop + MARGIN_ROWS, height))
        inner = slice(rows.start - wide.start, rows.stop - wide.start)
        samples = stack.samples(wide)
        radiance, weight = combine(samples)
        radiance, weight, samples = radiance[inner], weight[inner], samples.cut(inner)
        _fill_unseen(radiance, weight, samples)
        _show_backdrop(radiance, weight, samples, stack, rows)
        result[rows] = radiance

    with progress.task("merging", len(strips)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, strips):
            advance()
    return result


def _fill_unseen(radiance: np.ndarray, weight: np.ndarray, samples: Samples) -> None:
    """Where nothing usable was seen: the shortest trusted frame's clipped level, else the reference as it is."""
    unseen = np.flatnonzero(weight <= 0)
    if not len(unseen):
        return
    value = _neutral(samples, samples.reference, unseen)
    known = np.zeros(len(unseen), bool)
    for index in np.argsort(samples.ev):
        take = (samples.trust[index].ravel()[unseen] > 0.5) & ~known
        value[take] = _neutral(samples, index, unseen[take]) * np.float32(2.0 ** -samples.ev[index])
        known |= take
    rows, columns = np.divmod(unseen, weight.shape[1])
    radiance[rows, columns] = value


def _neutral(samples: Samples, index: int, pixels: np.ndarray) -> np.ndarray:
    """(P, 3) light of a frame at flat positions, clipped channels raised to the highest clipping level of the three.

    The channels of a calibrated response clip at unlike levels; taken as they are they would tint every highlight.
    """
    light, top = samples.light[index].reshape(-1, 3)[pixels], samples.top[index]
    if not np.isfinite(top).all():
        return light
    return np.where(light >= np.float32(CLIPPED_SHARE) * top, light * (top.max() / top), light)


def _show_backdrop(
    radiance: np.ndarray, weight: np.ndarray, samples: Samples, stack: Stack, rows: slice
) -> None:
    """Where only the reference's clipped channels are known, show the backdrop in those channels."""
    blind = (weight <= 0) & (samples.trust[samples.shortest] <= 0.5)
    if stack.backdrop is None or not blind.any():
        return
    backdrop = resize_strip(stack.backdrop, rows, stack.shape)[blind]
    reference = samples.light[samples.reference][blind]
    # channels well below clipping keep the reference's fine detail; the backdrop may be at a smaller size
    bright = reference > np.float32(0.8) * samples.top[samples.reference]
    radiance[blind] = np.where(bright, np.maximum(backdrop, reference), reference)
