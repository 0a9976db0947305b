"""Colour of what clips, told by its borders."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.response import analytic
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.expansion.photo import photo_of
from openhdr.expansion.trustnet_single import trustnet_single

SRGB = analytic("srgb")


def test_a_sunlit_wall_keeps_its_colour_where_red_clips(rng: np.random.Generator) -> None:
    """Patches of light on a wall of one colour, of which red alone clips: the other channels say what it is."""
    patches = cv2.GaussianBlur(rng.uniform(0, 1, (320, 480)).astype(np.float32), (0, 0), 6)
    patches = np.maximum(1 + 0.25 * (patches - patches.mean()) / patches.std(), 0.2)
    scene = patches[..., None] * np.array([1.0, 0.6, 0.35], np.float32)
    codes = np.rint(srgb_encode(np.minimum(scene, 1)) * 255).astype(np.uint8)
    photo = photo_of(Image(codes, "srgb"), SRGB)
    red = photo.lost[..., 0]
    assert red.mean() > 0.3 and photo.lost[..., 1].mean() < 0.02
    assert np.abs(np.log2(trustnet_single(photo)[red][:, 0] / scene[red][:, 0])).mean() < 0.04
