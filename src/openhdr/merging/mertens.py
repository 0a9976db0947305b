"""Exposure fusion, Mertens, Kautz & Van Reeth 2007: blend the coded frames by contrast, saturation and exposedness.

The result is a picture for display, not radiance: no exposures are needed and none come out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from openhdr.color.luminance import luminance
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Encoding
from openhdr.merging.merger import Merger
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.strips import Merged


@dataclass(frozen=True)
class Mertens(Merger):
    """Exponents of the three quality measures, section 3.1, and sigma of the Gaussian around code 1/2."""

    encoding: ClassVar[Encoding] = "srgb"

    contrast: float = 1.0
    saturation: float = 1.0
    exposedness: float = 1.0
    exposedness_width: float = 0.2

    def merge(self, registered: RegisteredBracket) -> Merged:
        """sRGB codes 0..1."""
        whole = registered.strip(slice(0, registered.shape[0]))
        codes = [srgb_encode(np.minimum(light, 1)).astype(np.float32) for light in whole.light]
        weights = [
            self.quality(code) * consistency + 1e-12
            for code, consistency in zip(codes, whole.consistency, strict=True)
        ]
        total = np.sum(weights, axis=0)
        levels = max(int(np.log2(min(registered.shape))) - 1, 0)
        blended: list[np.ndarray] = []
        for code, weight in zip(codes, weights, strict=True):
            masks = _gaussian(weight / total, levels)
            for level, detail in enumerate(_laplacian(code, levels)):
                part = detail * masks[level][..., None]
                if level < len(blended):
                    blended[level] += part
                else:
                    blended.append(part)
        return Merged(np.clip(_collapse(blended), 0, 1))

    def quality(self, code: np.ndarray) -> np.ndarray:
        """(H, W) float32 product of the three measures for one frame of codes (H, W, 3)."""
        contrast = np.abs(cv2.Laplacian(luminance(code), cv2.CV_32F))
        saturation = code.std(axis=2)
        exposedness = np.exp(-np.square(code - 0.5).sum(axis=2) / (2 * self.exposedness_width**2))
        return (contrast**self.contrast * saturation**self.saturation * exposedness**self.exposedness).astype(
            np.float32
        )


def _gaussian(image: np.ndarray, levels: int) -> list[np.ndarray]:
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(cv2.pyrDown(pyramid[-1]))
    return pyramid


def _laplacian(image: np.ndarray, levels: int) -> list[np.ndarray]:
    gaussian = _gaussian(image, levels)
    pairs = itertools.pairwise(gaussian)
    return [fine - cv2.pyrUp(coarse, dstsize=fine.shape[1::-1]) for fine, coarse in pairs] + [gaussian[-1]]


def _collapse(pyramid: list[np.ndarray]) -> np.ndarray:
    image = pyramid[-1]
    for detail in reversed(pyramid[:-1]):
        image = cv2.pyrUp(image, dstsize=detail.shape[1::-1]) + detail
    return image


MERGER = Mertens()
