"""Light in a web page: images small enough to embed whose exposure can still be changed.

A browser shows 8 bits a channel. Light is therefore stored twice, like a bracket: a `low` layer whose white
is a twentieth of the brightest level, for shadows and mid-tones, and a `high` layer whose white is the
brightest level, needed only where the low one is about to clip and empty elsewhere. Both hold sRGB codes;
the page decodes them and blends from low to high where the low layer's brightest channel nears white.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image as Picture

from openhdr.color.transfer import srgb_encode

LONGEST_SIDE = 960  # px; larger images are reduced, which averages light
MAP_SIDE = 480  # px
HEADROOM = 1.25  # brightest level shown / level where the shortest frame clips
LAYER_RATIO = 20.0  # white of the high layer / white of the low one
BLEND = (0.86, 0.97)  # codes of the low layer between which the page goes over to the high one
_HALO = 9  # px around a place that needs the high layer in which it is kept: lossy codecs smear


@dataclass(frozen=True)
class PictureOptions:
    """lossless: exact layers (WebP, about 2 bytes a pixel), else AVIF 4:4:4 (about half a byte)."""

    lossless: bool = True
    quality: int = 88  # of AVIF
    map_quality: int = 80  # of the maps' WebP


SMALL_PICTURES = PictureOptions(lossless=False, quality=68, map_quality=55)


def options_for(pictures: int, pixels: int, budget_bytes: float = 24e6) -> PictureOptions:
    """Lossless where `pictures` of `pixels` pixels each fit the budget of a page."""
    return PictureOptions(lossless=pictures * pixels * 2.2 <= budget_bytes)


def encode_light(light: np.ndarray, top: float, options: PictureOptions) -> dict[str, Any]:
    """(H, W, 3) float32 light -> what the page needs to show it at any exposure.

    top: the level where the shortest frame clips; light above HEADROOM times that is cut. Returns `width`,
    `height`, `white` (light of code 255 in each layer), `blend` and `layers` (data URLs: low, high).
    """
    light = reduced(np.maximum(light, 0), LONGEST_SIDE)
    white = (top * HEADROOM / LAYER_RATIO, top * HEADROOM)
    low, high = (np.rint(srgb_encode(np.clip(light / w, 0, 1)) * 255).astype(np.uint8) for w in white)
    needed = (low.max(axis=2) >= 255 * BLEND[0]).astype(np.uint8)
    high *= cv2.dilate(needed, np.ones((_HALO, _HALO), np.uint8))[..., None]
    return {
        "width": light.shape[1],
        "height": light.shape[0],
        "white": white,
        "blend": BLEND,
        "layers": [_coded(layer, options) for layer in (low, high)],
    }


def encode_codes(codes: np.ndarray, options: PictureOptions) -> dict[str, Any]:
    """(H, W, 3) uint8 sRGB codes -> what the page needs, as `encode_light` returns it: both layers are one."""
    small = reduced(codes, LONGEST_SIDE)
    layer = _coded(small, options)
    return {
        "width": small.shape[1],
        "height": small.shape[0],
        "white": (1.0, 1.0),
        "blend": BLEND,
        "layers": [layer, layer],
    }


def encode_map(values: np.ndarray, full: float, options: PictureOptions) -> str:
    """(H, W) values, 0..full -> data URL of a grey image, which the page colours. Larger values are cut."""
    small = reduced(values.astype(np.float32), MAP_SIDE)
    grey = np.rint(np.clip(small / full, 0, 1) * 255).astype(np.uint8)
    return _data_url(Picture.fromarray(grey), "WEBP", {"quality": options.map_quality})


def reduced(pixels: np.ndarray, side: int) -> np.ndarray:
    """Pixels averaged so that the longer side is at most `side`; smaller images as they are."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _coded(layer: np.ndarray, options: PictureOptions) -> str:
    picture = Picture.fromarray(layer)
    if options.lossless:
        return _data_url(picture, "WEBP", {"lossless": True, "quality": 40, "method": 2})
    return _data_url(picture, "AVIF", {"quality": options.quality, "subsampling": "4:4:4", "speed": 8})


def _data_url(picture: Picture.Image, kind: str, settings: dict[str, Any]) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
