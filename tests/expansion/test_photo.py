"""What counts as lost in photos that were compressed."""

from __future__ import annotations

import cv2
import numpy as np

from openhdr.camera.response import analytic
from openhdr.color.transfer import srgb_encode
from openhdr.core.image import Image
from openhdr.expansion.claims import provenance
from openhdr.expansion.photo import photo_of

SRGB = analytic("srgb")


def test_a_jpeg_leaves_no_grey_blocks_beside_a_trunk(rng: np.random.Generator) -> None:
    """Compression leaves codes of 250 to 254 in whole blocks; they count as clipped, like the sky around."""
    scene = np.full((256, 384, 3), 1.7, np.float32)
    scene[128:] = 0.2 * cv2.GaussianBlur(rng.uniform(0, 2, (128, 384, 3)), (0, 0), 2)
    scene[:, 180:201] = [0.10, 0.06, 0.03]
    scene[:, 180:201] *= rng.uniform(0.4, 1.6, (256, 21, 1))
    codes = np.rint(srgb_encode(np.clip(scene, 0, 1)) * 255).astype(np.uint8)
    done, packed = cv2.imencode(".jpg", codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    assert done
    photo = photo_of(Image(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1].copy(), "srgb"), SRGB)
    sky = np.s_[10:110, 205:220]
    assert (photo.clipped[sky].mean(axis=(0, 1)) < 0.95).any()
    assert (provenance(photo)[sky] == 3).mean() > 0.98
