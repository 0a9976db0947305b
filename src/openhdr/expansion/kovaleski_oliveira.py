"""Kovaleski and Oliveira, High-quality reverse tone mapping for a wide range of exposures, SIBGRAPI 2014.

The boost is a cross-bilateral filter: the share of clipped pixels among neighbours that are near and of like
brightness. It is smooth, stops at edges, and boosts bright areas of over-exposed photos without a threshold
at their border. Computed on a bilateral grid, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhdr.color.luminance import luminance
from openhdr.expansion.photo import Photo
from openhdr.filters.bilateral_grid import joint_bilateral


@dataclass(frozen=True)
class KovaleskiOliveiraOptions:
    threshold: float = 0.98  # code of the brightest channel from which a pixel counts as clipped
    peak: float = 4.0  # greatest boost
    spatial: float = 0.068  # sigma over the diagonal: the paper's 150 pixels at 1920 x 1080
    tonal: float = 0.1  # sigma in codes: the paper's 25 of 255


def kovaleski_oliveira(
    photo: Photo,
    options: KovaleskiOliveiraOptions = KovaleskiOliveiraOptions(),
) -> np.ndarray:
    """(H, W, 3) float32 linear, 1.0 = the photo clips."""
    mask = np.any(photo.code >= options.threshold, axis=2).astype(np.float32)
    tone = luminance(photo.code)
    enhance = joint_bilateral(mask, tone, options.spatial * photo.diagonal, options.tonal)
    return photo.linear * (1 + np.float32(options.peak - 1) * enhance)[..., None]
