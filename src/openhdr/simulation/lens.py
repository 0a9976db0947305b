"""What a lens adds to an image: veiling glare and lateral chromatic aberration, both in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from openhdr.simulation.texture import shrink

_GLARE_SAMPLES = 64  # pixels of the shorter side of the small image in which glare is worked out
_HALO_SHARE = 0.03  # of the image's width: standard deviation of the halo round lights


@dataclass(frozen=True)
class Lens:
    """A lens with faults."""

    red: float  # lateral chromatic aberration: magnification of the red image less 1
    blue: float
    glare: float  # share of the light that is scattered


def through(light: np.ndarray, lens: Lens) -> np.ndarray:
    """Light behind the lens, (H, W, 3) float32 linear; green keeps its geometry."""
    light = veiled(light, lens.glare)
    for channel, magnified in ((0, lens.red), (2, lens.blue)):
        light[..., channel] = _magnify(light[..., channel], 1 + magnified)
    return light


def veiled(light: np.ndarray, share: float) -> np.ndarray:
    """(1 - share) light + share (halo + mean) / 2: half of what is scattered goes everywhere, half stays near.

    McCann and Rizzi, Veiling glare: the dynamic range limit of HDR images, 2007.
    """
    height, width = light.shape[:2]
    small = shrink(light, max(1, min(width, height) // _GLARE_SAMPLES)).astype(np.float64)
    halo = cv2.GaussianBlur(small, (0, 0), _HALO_SHARE * small.shape[1])
    scattered = (halo + small.mean(axis=(0, 1))) / 2
    out = np.empty(light.shape, np.float32)
    for channel in range(3):  # one at a time: a third of the memory
        veil = cv2.resize(scattered[..., channel], (width, height), interpolation=cv2.INTER_LINEAR)
        out[..., channel] = light[..., channel] * (1 - share) + veil * share
    return out


def _magnify(plane: np.ndarray, factor: float) -> np.ndarray:
    """A plane enlarged about the image's centre, its size kept."""
    height, width = plane.shape
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = np.array(
        [[1 / factor, 0, middle[0] * (1 - 1 / factor)], [0, 1 / factor, middle[1] * (1 - 1 / factor)]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wide = plane.astype(np.float64)
    return cv2.warpAffine(wide, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
