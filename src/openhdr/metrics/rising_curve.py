"""The best rising curve between light and what is to be explained by it: codes of a photo, true light."""

from __future__ import annotations

import numpy as np

BINS = 512  # of equal counts of pixels, over whose means a curve is fitted


def rising_curve(light: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The knots (light, values), each (K,) float64, of the best rising curve; linear between, level beyond.

    light, values: (P,). Isotonic regression over the means of bins of equal counts; K <= BINS.
    """
    order = np.argsort(light, kind="stable")
    starts = np.unique(np.linspace(0, len(order), BINS, endpoint=False).astype(int))
    counts = np.diff(starts, append=len(order))
    x = np.add.reduceat(light[order].astype(np.float64), starts) / counts
    y = np.add.reduceat(values[order].astype(np.float64), starts) / counts
    return x, isotonic(y, counts)


def isotonic(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(K,) float64: the non-decreasing values nearest to `values` in weighted squares.

    Pool adjacent violators (Barlow et al. 1972): neighbours that fall become their mean.
    """
    means: list[float] = []
    sums: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, size = value, weight, 1
        while means and means[-1] > mean:
            mean = (means[-1] * sums[-1] + mean * total) / (sums[-1] + total)
            total += sums.pop()
            size += sizes.pop()
            means.pop()
        means.append(mean)
        sums.append(total)
        sizes.append(size)
    return np.repeat(means, sizes)
