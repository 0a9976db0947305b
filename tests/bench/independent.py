"""The papers' scores as a few lines of NumPy each, from their formulas, for files read with OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def read_png(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1].astype(np.float64)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


def mu(x: np.ndarray) -> np.ndarray:
    return np.log(1 + 5000 * x) / np.log(5001)


def challenge(result: Path, result_ratio: Path, truth: Path, truth_ratio: Path) -> tuple[float, float]:
    """(PSNR of the stored values over the truth's maximum, PSNR after percentile, tanh and mu-law)."""
    ours, theirs = (
        read_png(p) / float(np.load(r)) for p, r in ((result, result_ratio), (truth, truth_ratio))
    )
    plain = psnr(ours / theirs.max(), theirs / theirs.max())
    level = np.percentile(theirs**2.24, 99)
    return plain, psnr(*(mu(np.tanh(x**2.24 / level)) for x in (ours, theirs)))


def deghosting(result: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """(PSNR-mu, PSNR-l) of light where the shortest frame clips at 1."""
    ours, theirs = (np.clip(x.astype(np.float64), 0, 1) for x in (result, truth))
    return psnr(mu(ours), mu(theirs)), psnr(ours, theirs)
