"""Detail at the size of a pixel, for views that enlarge their scene.

Panoramas hold a few pixels a degree, photos of 12 megapixels sixty. Octaves of noise fill the wavelengths between a
pixel of the photo and a pixel of the scene: strong where the scene itself is textured, absent in clear skies, each
octave with half the power of the next coarser one. Natural images have equal power in all octaves (spectrum 1 / f^2;
Field, JOSA A 4(12), 1987) before a lens softens them.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from openhdr.simulation.scene import ViewOf
from openhdr.simulation.texture import Texture

_TILE = 256  # pixels of the noise that octaves are cut from
_TURN_DEG = 37  # between octaves, so that their grids do not meet
_WINDOW = 5  # scene pixels over which texture is measured
_FINEST = 2.0  # pixels: shortest wavelength
_MOST_TEXTURE = 0.3  # stops: edges are not texture


def gain(view: ViewOf, texture: Texture, amount: float, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(N,) factors on the radiance at reference pixels u, v: 2^(amount * texture * noise). Median near 1."""
    octaves = int(np.ceil(np.log2(max(view.enlargement, 1.0))))
    if not octaves:
        return np.ones(u.shape)
    noise = np.zeros(u.shape)
    for octave in range(octaves):
        angle, step = np.radians(_TURN_DEG * (octave + 1)), 2 / (_FINEST * 2.0**octave)
        x, y = np.cos(angle) * u - np.sin(angle) * v, np.sin(angle) * u + np.cos(angle) * v
        noise += bilinear(_tile(octave), x * step, y * step) * 2.0 ** ((octave + 1 - octaves) / 2)
    return 2.0 ** (amount * bilinear(_texture_of(texture), *view.place(u, v)) * noise)


def bilinear(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) values of a plane (H, W) that goes on periodically, at pixel coordinates."""
    height, width = plane.shape
    left, top = np.floor(x), np.floor(y)
    across, down = x - left, y - top
    left, top = left.astype(np.int64) % width, top.astype(np.int64) % height
    right, below = (left + 1) % width, (top + 1) % height
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    return upper * (1 - down) + (plane[below, left] * (1 - across) + plane[below, right] * across) * down


@lru_cache(maxsize=16)
def _tile(octave: int) -> np.ndarray:
    return np.random.default_rng([octave, _TILE]).standard_normal((_TILE, _TILE))


@lru_cache(maxsize=8)
def _texture_of(texture: Texture) -> np.ndarray:
    """(H, W) stops: standard deviation of the scene's logarithm within a few pixels."""
    stops = np.log2(np.maximum(texture.pixels().mean(axis=2, dtype=np.float64), 1e-9))
    mean, square = (cv2.blur(plane, (_WINDOW, _WINDOW)) for plane in (stops, stops * stops))
    return np.minimum(np.sqrt(np.maximum(square - mean * mean, 0)), _MOST_TEXTURE)
