"""How two differently exposed pictures of one scene differ by brightness: the mark of a wrong exposure or response."""

from __future__ import annotations

import numpy as np

CLASSES = 10  # brightness classes of equal size
LEAST_IN_CLASS = 3000  # values that a class should have; fewer classes if there are not enough
SAMPLES = 20_000  # values that are sorted, of however many there are


def tone_difference(value: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """(P,) float32: the difference that is explained by brightness alone.

    value, difference: (P,) float, the brightness of each pixel and what the other picture has more. Densest value
    per class, linear in between.
    """
    centres, offsets = tone_curve(value, difference)
    return np.interp(value, centres, offsets).astype(np.float32)


def tone_curve(value: np.ndarray, difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(centres, offsets) of the brightness classes, rising.

    The densest value speaks for a class, not the median: a moving object may cover more than half of its pixels.
    """
    count = class_count(len(value))
    step = max(len(value) // SAMPLES, 1)
    value, difference = value[::step], difference[::step]
    classes = np.array_split(np.argsort(value), count)
    centres = np.array([value[part].mean() for part in classes])
    return centres, without_outliers(np.array([densest(difference[part]) for part in classes]))


def class_count(values: int) -> int:
    """How many brightness classes so many values make."""
    return min(CLASSES, max(values // LEAST_IN_CLASS, 1))


def without_outliers(offsets: np.ndarray) -> np.ndarray:
    """(K,) offsets of neighbouring classes, each inner one as the median of three."""
    if len(offsets) >= 3:
        offsets[1:-1] = np.median([offsets[:-2], offsets[1:-1], offsets[2:]], axis=0)
    return offsets


def densest(values: np.ndarray) -> float:
    """Half-sample mode (Bickel & Fruehwirth 2006), stopped at fifty values and then averaged."""
    values = np.sort(values)
    while len(values) > 50:
        half = (len(values) + 1) // 2
        start = int(np.argmin(values[half:] - values[: len(values) - half]))
        values = values[start : start + half]
    return float(values.mean())
